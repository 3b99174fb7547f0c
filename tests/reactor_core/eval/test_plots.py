import io

import numpy as np
import pytest
from PIL import Image

from reactor_core.eval.measurement import Measurement, Metric
from reactor_core.eval.plots import plot_decision
from reactor_core.eval.promotion import compare

METRIC = Metric("negative log-likelihood", "nats per token", higher_is_better=False)


def measured(shift: float) -> Measurement:
    values = np.random.default_rng(0).normal(2.0, 0.5, 50) + shift
    return Measurement.of(METRIC, values, rows="r", clusters=[str(n) for n in range(50)])


def picture(**shifts: float) -> Image.Image:
    series = {name: measured(shift) for name, shift in shifts.items()}
    mine = next(iter(series.values()))
    others = [(name, other) for name, other in series.items() if other is not mine]
    comparisons = [compare(mine, other, baseline=name) for name, other in others]
    return Image.open(io.BytesIO(plot_decision(series, comparisons))).convert("RGB")


def colours(image: Image.Image) -> set[tuple[int, int, int]]:
    return {colour for _, colour in image.getcolors(1 << 24)}


def test_a_gain_is_drawn_in_green_and_a_loss_in_red():
    green, red = (34, 136, 51), (204, 102, 51)
    assert green in colours(picture(candidate=-0.3, untuned=0.0))
    assert red not in colours(picture(candidate=-0.3, untuned=0.0))
    assert red in colours(picture(candidate=0.3, untuned=0.0))


def test_every_model_gets_room():
    assert picture(candidate=0.0, a=0.1, b=0.2, c=0.3).height > picture(candidate=0.0, a=0.1).height


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="nothing to draw"):
        plot_decision({}, [])
