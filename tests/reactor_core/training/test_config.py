from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from reactor_core.errors import ConfigError
from reactor_core.training.config import TrainingConfig


def test_the_published_lines_make_a_configuration() -> None:
    config = TrainingConfig(
        model_name="llama-2-7b",
        use_lora=True,
        lora_rank=16,
        num_epochs=3,
        batch_size=4,
        gradient_checkpointing=True,
    )
    assert config.lora_alpha == 32


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"lora_rnak": 4}, ["lora_rnak", "did you mean 'lora_rank'"]),
        ({"qqqq": 1}, ["qqqq", "it has model_name"]),
        ({"lora_rank": 0}, ["lora_rank=0"]),
        ({"learning_rate": float("nan")}, ["learning_rate=nan"]),
        ({"batch_size": "many"}, ["batch_size='many'"]),
        ({"lr_schedule": "step"}, ["lr_schedule='step'", "cosine"]),
        ({"max_seconds": -1}, ["max_seconds=-1"]),
        ({"lora_dropout": 1.0}, ["lora_dropout=1.0"]),
        ({"use_lora": False, "layers": 2}, ["layers needs use_lora=True"]),
        ({"use_lora": False, "quantization": "nf4"}, ["quantization need use_lora=True"]),
        ({"use_lora": False, "adapter": "run"}, ["adapter and quantization need use_lora=True"]),
        ({"quantization": "int8"}, ["quantization='int8'", "nf4"]),
        ({"lora_bias": "some"}, ["lora_bias='some'", "lora_only"]),
        ({"save_seconds": 0}, ["save_seconds=0", "greater than 0"]),
        ({"hours_between_failures": 0}, ["hours_between_failures=0"]),
    ],
)
def test_a_bad_option_is_named_with_its_value(options: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        TrainingConfig.from_mapping(options)
    assert all(word in str(caught.value) for word in words)


def test_a_configuration_does_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        TrainingConfig().seed = 3  # type: ignore[misc]


def test_equal_training_has_equal_hashes_wherever_it_is_written() -> None:
    assert TrainingConfig(output_dir="a").hash == TrainingConfig(output_dir="b", save_seconds=1).hash
    assert TrainingConfig(hours_between_failures=24).hash == TrainingConfig().hash
    assert TrainingConfig(seed=1).hash != TrainingConfig(seed=2).hash


def test_options_of_dpo_are_part_of_a_dpo_run_only() -> None:
    assert TrainingConfig(dpo_beta=0.5).hash == TrainingConfig().hash
    assert TrainingConfig(method="dpo", dpo_beta=0.5).hash != TrainingConfig(method="dpo").hash
    with pytest.raises(ConfigError, match="dpo_label_smoothing"):
        TrainingConfig(method="dpo", dpo_loss="ipo", dpo_label_smoothing=0.1)


def test_options_of_four_bits_are_part_of_such_a_run_only() -> None:
    assert TrainingConfig(double_quantization=False).hash == TrainingConfig().hash
    small = TrainingConfig(quantization="nf4")
    assert (
        len({small.hash, TrainingConfig(quantization="nf4", double_quantization=False).hash, TrainingConfig().hash})
        == 3
    )


def test_an_adapter_to_start_from_is_known_by_its_content_not_by_its_name() -> None:
    assert TrainingConfig(adapter="a").hash == TrainingConfig(adapter="b").hash
