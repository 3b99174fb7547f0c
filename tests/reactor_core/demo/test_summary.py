import json

PROMISED = {
    "verdict_accuracy_before", "verdict_accuracy_after", "majority_accuracy", "heldout_rows", "trained_rows",
    "tokens_per_second", "peak_memory_bytes", "cost_usd", "events", "chain_verified", "adapter_dir", "clip_path",
    "regen_frames_changed", "regen_frames_untouched", "report_path", "seconds",
}  # fmt: skip


def test_the_object_has_every_promised_name_and_is_json(summary):
    found = json.loads(json.dumps(summary.as_dict(), default=str))
    assert set(found) >= PROMISED
    assert found["verdict_accuracy_after"] == 0.62
    assert found["cost_usd"] == 0.012345678
    assert found["trained_rows"] == 900
    assert found["also"]["rows"] == 120
