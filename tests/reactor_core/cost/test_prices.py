from datetime import date

import pytest

from reactor_core.cost.prices import NANO_USD, machine_price, stated_price, to_usd

GIB = 2**30


def test_two_vcpus_and_eight_gib_cost_what_e2_standard_2_lists():
    price = machine_price(vcpus=2, memory_bytes=8 * GIB)
    assert to_usd(price.nano_usd_per_hour) == pytest.approx(0.0670, abs=5e-5)  # the published list price
    assert price.as_of == date(2025, 1, 1)


def test_cost_is_proportional_to_time():
    price = machine_price(vcpus=1, memory_bytes=0, usd_per_hour=3.6)
    assert price.cost(1) == NANO_USD // 1000  # 3.60 USD / 3600 s = 0.001 USD a second


def test_own_figure_wins_and_carries_no_date():
    price = machine_price(vcpus=2, memory_bytes=GIB, usd_per_hour=0.5)
    assert price.nano_usd_per_hour == NANO_USD // 2
    assert price.describe() == "$0.5000 an hour (REACTOR_MACHINE_PRICE_USD_PER_HOUR)"


def test_an_accelerator_is_said_not_to_be_included():
    plain = machine_price(vcpus=2, memory_bytes=GIB)
    price = machine_price(vcpus=2, memory_bytes=GIB, cuda_devices=("NVIDIA L4",))
    assert price.nano_usd_per_hour == plain.nano_usd_per_hour
    assert "without NVIDIA L4: set REACTOR_MACHINE_PRICE_USD_PER_HOUR" in price.describe()


def test_no_other_machine_s_price_is_put_in_place_of_an_unknown_one():
    assert stated_price(None) is None


def test_a_stated_price_says_that_it_is_one():
    price = stated_price(0.25)
    assert price is not None
    assert price.as_dict() == {
        "nano_usd_per_hour": NANO_USD // 4,
        "as_of": None,
        "source": "REACTOR_MACHINE_PRICE_USD_PER_HOUR",
    }
    assert machine_price(vcpus=2, memory_bytes=8 * GIB).as_dict()["as_of"] == "2025-01-01"
