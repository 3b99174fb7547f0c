from decimal import Decimal

import pytest

from a1_reactor.providers.base import Capabilities
from a1_reactor.providers.described import read_capabilities
from a1_reactor.providers.price import Price
from a1_reactor.types import FrameQuantum
from reactor_core.errors import ConfigError

WAN = Capabilities(
    context_frames=8,
    modes=frozenset({"full", "mask"}),
    quantum=FrameQuantum(step=4, offset=1, maximum=81),
    size_multiple=16,
    max_frames=81,
    windows_apart=True,
    spatial_mask=True,
    any_frame=True,
    price=Price(per_call=Decimal("0.05"), per_second=Decimal("0.1")),
)


def test_what_a_provider_tells_of_itself_is_read_back_equal():
    document = {key: value for key, value in WAN.to_json().items() if key not in ("window_only", "windows_apart")}
    assert read_capabilities(document, where="here") == WAN


def test_the_longest_call_is_the_longest_clip_where_nothing_else_is_said():
    assert read_capabilities({"quantum": {"maximum": 9}}, where="here").max_frames == 9


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ([], "document"),
        ({"modes": []}, "modes"),
        ({"modes": ["magic"]}, "modes"),
        ({"modes": ["first_last"]}, "needs context_frames"),
        ({"quantum": {"step": 4, "offset": 4}}, "offset=4"),
        ({"quantum": {"step": 8, "offset": 1, "minimum": 2, "maximum": 8}}, "no amount"),
        ({"quantum": {"step": "4"}}, r"quantum\.step"),
        ({"context_frames": True}, "context_frames"),
        ({"size_multiple": 0}, "size_multiple"),
        ({"speed": 1}, "speed"),
    ],
)
def test_anything_else_is_refused_with_place_and_field(document, problem):
    with pytest.raises(ConfigError, match=f"here: .*{problem}"):
        read_capabilities(document, where="here")
