"""Pipelines of diffusers with random weights, small enough to make a few frames of 32 pixels in a second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

WORDS = ["<pad>", "</s>", "<unk>", "a", "fox", "rain", "harbour", "at", "dusk"]


def _text_parts(torch: Any, encoder_class: Any, config_class: Any) -> tuple[Any, Any]:
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="<unk>"))
    words.pre_tokenizer = Whitespace()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", model_max_length=128
    )
    torch.manual_seed(0)
    sizes = {"d_model": 32, "d_ff": 37, "d_kv": 8, "num_heads": 4, "num_layers": 2, "vocab_size": len(WORDS)}
    return tokenizer, encoder_class(config_class(**sizes)).eval()


def _wan_parts(torch: Any, diffusers: Any, transformer: Any) -> dict[str, Any]:
    from transformers import UMT5Config, UMT5EncoderModel

    tokenizer, text_encoder = _text_parts(torch, UMT5EncoderModel, UMT5Config)
    vae = diffusers.AutoencoderKLWan(
        base_dim=3, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1, temperal_downsample=[False, True, True]
    )
    return {
        "tokenizer": tokenizer,
        "text_encoder": text_encoder,
        "vae": vae.eval(),
        "scheduler": diffusers.FlowMatchEulerDiscreteScheduler(shift=7.0),
        "transformer": transformer.eval(),
    }


def _wan_transformer(diffusers: Any, name: str, **more: Any) -> Any:
    return getattr(diffusers, name)(
        **{
            "patch_size": (1, 2, 2), "num_attention_heads": 2, "attention_head_dim": 12, "in_channels": 16,
            "out_channels": 16, "text_dim": 32, "freq_dim": 256, "ffn_dim": 32, "num_layers": 2,
            "cross_attn_norm": True, "qk_norm": "rms_norm_across_heads", "rope_max_seq_len": 32, **more,
        }
    )  # fmt: skip


def build_pipeline(kind: str, folder: Path) -> Path:
    """Write a pipeline: ``vace``, ``words``, ``redraw``, ``ends`` (all Wan) or ``ltx`` (conditions)."""
    import diffusers
    import torch

    torch.manual_seed(0)
    if kind == "ltx":
        _ltx(torch, diffusers).save_pretrained(folder)
        return folder
    if kind == "vace":
        transformer = _wan_transformer(
            diffusers, "WanVACETransformer3DModel", vace_layers=[0], vace_in_channels=96, num_layers=2
        )
        pipeline = diffusers.WanVACEPipeline(**_wan_parts(torch, diffusers, transformer))
    elif kind == "ends":
        transformer = _wan_transformer(diffusers, "WanTransformer3DModel", in_channels=36)
        parts = _wan_parts(torch, diffusers, transformer)
        pipeline = diffusers.WanImageToVideoPipeline(**parts, image_encoder=None, image_processor=None)
    else:
        name = {"words": "WanPipeline", "redraw": "WanVideoToVideoPipeline"}[kind]
        parts = _wan_parts(torch, diffusers, _wan_transformer(diffusers, "WanTransformer3DModel"))
        pipeline = getattr(diffusers, name)(**parts)
    pipeline.save_pretrained(folder)
    return folder


def _ltx(torch: Any, diffusers: Any) -> Any:
    from transformers import T5Config, T5EncoderModel

    tokenizer, text_encoder = _text_parts(torch, T5EncoderModel, T5Config)
    vae = diffusers.AutoencoderKLLTXVideo(
        in_channels=3, out_channels=3, latent_channels=8, block_out_channels=(8, 8, 8, 8),
        decoder_block_out_channels=(8, 8, 8, 8), layers_per_block=(1, 1, 1, 1, 1),
        decoder_layers_per_block=(1, 1, 1, 1, 1), spatio_temporal_scaling=(True, True, False, False),
        decoder_spatio_temporal_scaling=(True, True, False, False), decoder_inject_noise=(False,) * 5,
        upsample_residual=(False,) * 4, upsample_factor=(1, 1, 1, 1), timestep_conditioning=False, patch_size=1,
        patch_size_t=1, encoder_causal=True, decoder_causal=False,
    )  # fmt: skip
    transformer = diffusers.LTXVideoTransformer3DModel(
        in_channels=8, out_channels=8, patch_size=1, patch_size_t=1, num_attention_heads=4, attention_head_dim=8,
        cross_attention_dim=32, num_layers=1, caption_channels=32,
    )  # fmt: skip
    return diffusers.LTXConditionPipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
        vae=vae.eval(),
        text_encoder=text_encoder,
        tokenizer=tokenizer,
        transformer=transformer.eval(),
    )
