"""One part of a step, computed by the code that trains, on a sketch: what it would take in memory and in operations.

There is no second formula that would have to follow every change of the first: the forward and backward pass really
run, on tensors without content, and every storage is counted while it lives. Layers of one kind cost the same, so a
deep model is rehearsed with few of them, twice, and the difference is what each further one adds.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from reactor_core.data.packing import Document, pack
from reactor_core.training.config import TrainingConfig
from reactor_core.training.llama import FastLlama, why_not_fast
from reactor_core.training.losses import completion_cross_entropy, head_is_plain, token_log_probs
from reactor_core.training.sketch import depth_of, keep_top_layers
from reactor_core.training.step import batch_log_probs, batch_loss, predicting_states

__all__ = ["Footprint", "Ledger", "rehearse", "rehearse_deep"]

_FEW = 2
"""Layers of the smaller of two short models; the other has twice as many."""


@dataclass(frozen=True)
class Footprint:
    """What one part of a step takes, in bytes and floating-point operations.

    Attributes:
        kept: Activations that wait for the backward pass when the decoder's forward pass is over.
        head: What the loss adds to them at its highest.
        early: The most that lies in memory up to the middle of the backward pass, gradients included; weights apart.
        late: The same from there on.
        gradients: Of everything that is trained.
        forward_flops: Of the forward pass, where a multiplication and an addition are two.
        flops: Of both passes.
        tokens: That the part computes.
    """

    kept: int
    head: int
    early: int
    late: int
    gradients: int
    forward_flops: int
    flops: int
    tokens: int

    @property
    def peak(self) -> int:
        """The most at any time."""
        return max(self.early, self.late)

    @property
    def activations(self) -> int:
        """What lies beside the gradients and the head at the highest point. Gradients come as activations go, so this
        may be less than what was kept."""
        return max(0, self.peak - self.head - self.gradients)


_aten = torch.ops.aten
_COUNTED_AS = {
    _aten.addmm_: _aten.addmm,
    _aten.baddbmm_: _aten.baddbmm,
    _aten._scaled_dot_product_flash_attention_for_cpu: _aten._scaled_dot_product_flash_attention,  # noqa: SLF001
    _aten._scaled_dot_product_flash_attention_for_cpu_backward: _aten._scaled_dot_product_flash_attention_backward,  # noqa: SLF001
}
"""Products that torch's table of operations leaves out, and those of the table that are as many operations."""


class _Flash(TorchFunctionMode):
    """Attention without the scores in memory, as processors and GPUs compute it; the meta device would keep them."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        options = kwargs or {}
        if func is not scaled_dot_product_attention or options.get("enable_gqa"):
            return func(*args, **options)
        out, _ = _aten._scaled_dot_product_flash_attention_for_cpu(  # noqa: SLF001
            *args,
            options.get("dropout_p", 0.0),
            options.get("is_causal", False),
            attn_mask=options.get("attn_mask"),
            scale=options.get("scale"),
        )
        return out


class Ledger(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of storages that are alive, and the operations of products, from here on.

    Args:
        known: Tensors that were there before, and count nothing.
    """

    def __init__(self, known: Sequence[torch.Tensor] = ()) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.peak = self.flops = 0
        self._alive: dict[int, tuple[int, Any]] = {}
        for tensor in known:
            self._note(tensor, 0)

    def mark(self) -> int:
        """The peak so far; a new one begins with what is alive."""
        before, self.peak = self.peak, self.now
        return before

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func is _aten._local_scalar_dense.default and args[0].is_meta:  # noqa: SLF001
            # Asked for a value where there are none: whether positions begin anew, or a mask hides anything. The masks
            # that are then left out are small.
            return False
        result = func(*args, **(kwargs or {}))
        packet = _COUNTED_AS.get(func.overloadpacket, func.overloadpacket)
        if packet in flop_registry:
            self.flops += flop_registry[packet](*args, **(kwargs or {}), out_val=result)
        for value in tree_leaves(result):
            if isinstance(value, torch.Tensor):
                self._note(value, value.untyped_storage().nbytes())
        return result

    def _note(self, tensor: torch.Tensor, size: int) -> None:
        storage = tensor.untyped_storage()
        key = storage._cdata  # noqa: SLF001  the storage's identity; torch's own tracker uses it too
        if key not in self._alive:
            self._alive[key] = size, weakref.ref(storage, lambda _: self._gone(key))
            self.now += size
            self.peak = max(self.peak, self.now)

    def _gone(self, key: int) -> None:
        size, _ = self._alive.pop(key)
        self.now -= size


def rehearse(model: Any, documents: Sequence[Document], config: TrainingConfig, *, share_prefixes: bool) -> Footprint:
    """Run a part's forward and backward pass on an adapted sketch.

    Args:
        model: From :func:`~reactor_core.training.sketch.sketch_model`, adapted.
        documents: Of the part; for a preference method those of its pairs.
        config: ``method`` and ``gradient_checkpointing`` of it.
        share_prefixes: See :func:`~reactor_core.data.packing.pack`.
    """
    unique = list({(one.ids, one.trained): one for one in documents}.values()) if share_prefixes else list(documents)
    batch = pack(unique, share_prefixes=share_prefixes).to("meta")
    fast = None if config.gradient_checkpointing or why_not_fast(model) is not None else FastLlama(model)
    preference = config.method == "dpo"
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]

    def forward(body_over: Callable[[], object]) -> torch.Tensor:
        if not head_is_plain(model):
            loss = (batch_log_probs if preference else batch_loss)(model, batch, fast)
            body_over()
            return loss.sum()
        states = predicting_states(model, batch, fast)
        body_over()
        head = token_log_probs if preference else completion_cross_entropy
        return head(states, model.get_output_embeddings().weight, batch.targets).sum()

    marks: list[int] = []
    # Where activations are recomputed, the second time would not be under the mode; one layer's scores are little.
    attention = nullcontext() if config.gradient_checkpointing else _Flash()
    with attention, Ledger([*model.parameters(), *model.buffers()]) as ledger:
        loss = forward(lambda: marks.extend((ledger.now, ledger.mark())))
        head, forward_flops = ledger.peak - marks[0], ledger.flops
        middle = trained[len(trained) // 2]
        hook = middle.register_post_accumulate_grad_hook(lambda _: marks.append(ledger.mark()))
        torch.autograd.backward(loss)
        hook.remove()
    gradients = sum(parameter.grad.nbytes for parameter in trained if parameter.grad is not None)
    model.zero_grad()
    return Footprint(
        kept=marks[0],
        head=head,
        early=max(marks[1:]),
        late=ledger.peak,
        gradients=gradients,
        forward_flops=forward_flops,
        flops=ledger.flops,
        tokens=len(batch.input_ids),
    )


def rehearse_deep(
    make: Callable[[], Any], documents: Sequence[Document], config: TrainingConfig, *, share_prefixes: bool
) -> Footprint:
    """As :func:`rehearse`, in a time that does not grow with the depth of the model.

    Args:
        make: Gives a new adapted sketch.
        documents: As for :func:`rehearse`, like the rest; ``layers`` of ``config`` counts too.
    """

    model = make()
    depth = depth_of(model)
    shortened = keep_top_layers(model, 2 * _FEW)
    large = rehearse(model, documents, config, share_prefixes=share_prefixes)
    if not shortened:
        return large
    model = make()
    keep_top_layers(model, _FEW)
    small = rehearse(model, documents, config, share_prefixes=share_prefixes)
    trained = min(depth, config.layers or depth)  # the backward pass stops below them, and nothing waits for it there
    further, deeper = max(0, trained - 2 * _FEW), depth - 2 * _FEW

    def grown(name: str, layers: int) -> int:
        at_large, at_small = getattr(large, name), getattr(small, name)
        return int(at_large + layers * (at_large - at_small) / _FEW)

    forward = grown("forward_flops", deeper)
    backward = grown("flops", further) - grown("forward_flops", further)
    bytes_ = {name: grown(name, further) for name in ("kept", "early", "late", "gradients")}
    return replace(large, **bytes_, forward_flops=forward, flops=forward + backward)
