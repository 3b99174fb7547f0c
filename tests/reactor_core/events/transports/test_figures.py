from __future__ import annotations

from reactor_core.events.metrics import SECONDS_BUCKETS, Histogram
from reactor_core.events.transports.figures import RelayStatus, relay_samples


def test_each_figure_names_its_relay():
    status = RelayStatus("redis://h:1", state="connected", sent=5, received=4, rejected=3, duplicates=2, gaps=1)
    acks = Histogram(SECONDS_BUCKETS)
    acks.observe(0.02)
    samples = relay_samples(status, lag={1: 0, 3: 70}, ack_seconds=acks)
    assert {sample.labels["relay"] for sample in samples} == {"redis://h:1"}
    plain = {(sample.name, sample.labels.get("lane")): sample.value for sample in samples}
    assert plain == {
        ("reactor_relay_lag_events", "1"): 0,
        ("reactor_relay_lag_events", "3"): 70,
        ("reactor_relay_sent", None): 5,
        ("reactor_relay_received", None): 4,
        ("reactor_relay_duplicates", None): 2,
        ("reactor_relay_rejected", None): 3,
        ("reactor_relay_gaps", None): 1,
        ("reactor_relay_connected", None): 1.0,
        ("reactor_relay_ack_seconds", None): acks,
    }


def test_a_relay_that_is_down_is_not_connected():
    samples = relay_samples(RelayStatus("x", state="down"), lag={}, ack_seconds=Histogram(SECONDS_BUCKETS))
    assert [sample.value for sample in samples if sample.name == "reactor_relay_connected"] == [0.0]
