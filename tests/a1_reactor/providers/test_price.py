from decimal import Decimal
from fractions import Fraction

from a1_reactor.providers.price import FREE, Price


def test_the_parts_are_added_up():
    price = Price(per_call=Decimal("0.05"), per_frame=Decimal("0.001"), per_second=Decimal("0.1"))
    # 48 frames at 24 a second are 2 s.
    assert price.of(frames=48, fps=Fraction(24)) == Decimal("0.05") + Decimal("0.048") + Decimal("0.2")


def test_a_rate_need_not_be_whole():
    # 24000/1001 frames a second: 24 frames are 1.001 s.
    assert Price(per_second=Decimal(1)).of(frames=24, fps=Fraction(24000, 1001)) == Decimal("1.001")


def test_what_is_free_costs_nothing_and_says_so():
    assert FREE.of(frames=1000, fps=Fraction(30)) == 0
    assert FREE.to_json() == {"usd_per_call": 0.0, "usd_per_frame": 0.0, "usd_per_second": 0.0}
