from __future__ import annotations

import itertools
import math
from typing import Any, get_args

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reactor_core.errors import ConfigError, NonFiniteLoss
from reactor_core.training.config import TrainingConfig
from reactor_core.training.optim import Schedule, build_optimizer, clip_gradients, learning_rate, learning_rate_factor

SCHEDULES = get_args(Schedule)


def factors(schedule: Schedule, steps: int, warmup: int, **options: float) -> list[float]:
    """What a run of so many steps trains with."""
    return [
        learning_rate_factor(schedule, step / steps, warmup=warmup / steps, increment=1 / steps, **options)
        for step in range(steps)
    ]


def transformers_factors(schedule: str, steps: int, warmup: int, **options: float) -> list[float]:
    """The schedule of that name in ``transformers``, one step further than the run, with the floor as a rate."""
    from transformers import optimization as t

    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    floor = options.get("floor", 0.0)
    ends: dict[str, Any] = {"num_warmup_steps": warmup, "num_training_steps": steps}
    scheduler = {
        "constant": lambda: t.get_constant_schedule_with_warmup(optimizer, warmup),
        "linear": lambda: t.get_linear_schedule_with_warmup(optimizer, **ends),
        "cosine": lambda: t.get_cosine_with_min_lr_schedule_with_warmup(optimizer, **ends, min_lr_rate=floor),
        "polynomial": lambda: t.get_polynomial_decay_schedule_with_warmup(
            optimizer, **ends, lr_end=floor, power=options.get("power", 1.0)
        ),
        "inverse_sqrt": lambda: t.get_inverse_sqrt_schedule(optimizer, warmup),
        "wsd": lambda: t.get_wsd_schedule(
            optimizer, **ends, num_decay_steps=round(options.get("decay", 0.1) * steps), decay_type="1-sqrt",
            min_lr_ratio=floor,
        ),
    }[schedule]()  # fmt: skip
    rates = []
    for _ in range(steps + 1):
        rates.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return rates


@pytest.mark.parametrize(
    ("schedule", "options"),
    [
        ("constant", {}),
        ("linear", {}),
        ("cosine", {}),
        ("cosine", {"floor": 0.1}),
        ("polynomial", {"power": 2.0, "floor": 0.2}),
        ("polynomial", {"power": 0.5}),
        ("inverse_sqrt", {}),
        ("wsd", {"decay": 0.3}),
    ],
)
@pytest.mark.parametrize("warmup", [1, 8])
def test_rates_are_those_of_transformers_a_step_ahead_in_the_warm_up(
    schedule: Any, options: dict[str, float], warmup: int
) -> None:
    ours = factors(schedule, 40, warmup, **options)
    theirs = transformers_factors(schedule, 40, warmup, **options)
    assert theirs[0] == 0
    assert ours[:warmup] == pytest.approx(theirs[1 : warmup + 1], abs=1e-12)
    assert ours[warmup:] == pytest.approx(theirs[warmup:40], abs=1e-12)


def test_the_floor_of_wsd_is_that_of_transformers_after_the_warm_up() -> None:
    # Theirs begins its warm-up at the floor too; ours rises from 0, as every other schedule.
    ours, theirs = (f("wsd", 40, 8, decay=0.25, floor=0.1) for f in (factors, transformers_factors))
    assert ours[8:] == pytest.approx(theirs[8:40], abs=1e-12)


@given(
    schedule=st.sampled_from(SCHEDULES),
    steps=st.integers(1, 60),
    share=st.floats(0.02, 0.9),
    floor=st.floats(0, 0.9),
    power=st.floats(0.2, 4),
    decay=st.floats(0.05, 1),
)
def test_rates_rise_to_the_peak_and_then_only_fall_no_further_than_the_floor(
    schedule: Any, steps: int, share: float, floor: float, power: float, decay: float
) -> None:
    warmup = math.ceil(share * steps)
    rates = factors(schedule, steps, warmup, floor=floor, power=power, decay=decay)
    assert all(0 < rate <= 1 + 1e-12 for rate in rates[:warmup])
    assert rates[:warmup] == sorted(rates[:warmup])
    assert rates[min(warmup, steps) - 1] == pytest.approx(1)
    after = rates[warmup:]
    assert all(b <= a + 1e-12 for a, b in itertools.pairwise(after))
    least = 0 if schedule in ("constant", "inverse_sqrt") else floor
    assert all(least - 1e-12 <= rate <= 1 + 1e-12 for rate in after)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_run_bounded_by_time_may_overshoot_its_end(schedule: Any) -> None:
    rates = [learning_rate_factor(schedule, p, warmup=0.1, increment=0.1, floor=0.2) for p in (1.0, 1.3)]
    assert rates[0] >= rates[1]
    expected = {"constant": 1.0, "inverse_sqrt": math.sqrt(0.1)}.get(schedule, 0.2)
    assert rates[0] == pytest.approx(expected)


def test_the_options_of_a_run_reach_its_rates() -> None:
    polynomial = TrainingConfig(
        lr_schedule="polynomial", learning_rate=2.0, warmup_ratio=0.2, lr_power=2.0, lr_min_ratio=0.5
    )
    assert learning_rate(polynomial, 0.1, 0.05) == pytest.approx(2 * 0.75)
    assert learning_rate(polynomial, 0.6, 0.05) == pytest.approx(2 * (0.5 + 0.5 * 0.25))
    wsd = TrainingConfig(lr_schedule="wsd", learning_rate=1.0, lr_decay_ratio=0.4)
    assert (learning_rate(wsd, 0.5, 0.1), learning_rate(wsd, 0.7, 0.1)) == pytest.approx((1, 0.5))


def test_a_schedule_that_cannot_be_is_refused() -> None:
    with pytest.raises(ConfigError, match="warmup_ratio above 0"):
        TrainingConfig(lr_schedule="inverse_sqrt", warmup_ratio=0)
    with pytest.raises(ConfigError, match="more than the run"):
        TrainingConfig(lr_schedule="wsd", warmup_ratio=0.6, lr_decay_ratio=0.5)


def test_options_of_other_schedules_do_not_make_another_run() -> None:
    plain = TrainingConfig()
    assert plain.hash == TrainingConfig(lr_power=2.0, lr_decay_ratio=0.5).hash
    assert plain.hash != TrainingConfig(lr_min_ratio=0.1).hash
    assert TrainingConfig(lr_schedule="constant").hash == TrainingConfig(lr_schedule="constant", lr_min_ratio=0.1).hash
    assert len({TrainingConfig(lr_schedule="polynomial", lr_power=power).hash for power in (1.0, 2.0)}) == 2
    assert len({TrainingConfig(lr_schedule="wsd", lr_decay_ratio=decay).hash for decay in (0.1, 0.2)}) == 2


def test_gradients_are_scaled_to_the_limit() -> None:
    parameter = torch.nn.Parameter(torch.zeros(2))
    parameter.grad = torch.tensor([3.0, 4.0])
    assert clip_gradients([parameter], 1.0, loss=0.5, step=1) == pytest.approx(5.0)
    assert parameter.grad.tolist() == pytest.approx([0.6, 0.8])


@given(
    norm=st.floats(1e-4, 1e4),
    limit=st.floats(1e-2, 1e2),
    shapes=st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=4),
)
def test_clipping_is_that_of_torch(norm: float, limit: float, shapes: list[tuple[int, int]]) -> None:
    generator = torch.Generator().manual_seed(len(shapes))
    grads = [torch.randn(shape, generator=generator) for shape in shapes]
    factor = norm / float(torch.nn.utils.get_total_norm(grads))
    both = []
    for _ in range(2):
        parameters = [torch.nn.Parameter(torch.zeros(shape)) for shape in shapes]
        for parameter, grad in zip(parameters, grads, strict=True):
            parameter.grad = grad * factor
        both.append(parameters)
    ours = clip_gradients(both[0], limit, loss=1.0, step=1)
    theirs = torch.nn.utils.clip_grad_norm_(both[1], limit)
    assert ours == pytest.approx(float(theirs), rel=1e-6)
    for mine, reference in zip(*both, strict=True):
        torch.testing.assert_close(mine.grad, reference.grad, rtol=2e-4, atol=0)


def test_without_a_limit_gradients_stay() -> None:
    parameter = torch.nn.Parameter(torch.zeros(2))
    parameter.grad = torch.tensor([30.0, 40.0])
    assert clip_gradients([parameter, torch.nn.Parameter(torch.ones(1))], None, loss=0.5, step=1) == pytest.approx(50)
    assert parameter.grad.tolist() == [30.0, 40.0]


@pytest.mark.parametrize(("loss", "grad"), [(math.nan, 1.0), (1.0, math.inf), (math.inf, 1.0), (1.0, math.nan)])
def test_a_broken_loss_or_gradient_stops_before_the_optimizer_moves(loss: float, grad: float) -> None:
    parameter = torch.nn.Parameter(torch.ones(1))
    parameter.grad = torch.tensor([grad])
    with pytest.raises(NonFiniteLoss, match="step 7"):
        clip_gradients([parameter], 1.0, loss=loss, step=7)
    assert parameter.item() == 1.0


def test_only_matrices_decay() -> None:
    matrix, vector = torch.nn.Parameter(torch.ones(2, 2)), torch.nn.Parameter(torch.ones(2))
    optimizer = build_optimizer([vector, matrix], learning_rate=0.1, weight_decay=0.5, beta2=0.99)
    for parameter in (matrix, vector):
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    assert torch.allclose(matrix, torch.full((2, 2), 1 - 0.1 * 0.5))
    assert torch.equal(vector, torch.ones(2))
