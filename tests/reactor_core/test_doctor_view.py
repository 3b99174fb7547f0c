from reactor_core.doctor import examine
from reactor_core.doctor_view import show_report
from reactor_core.utils.environment import GIB, Probes, detect_environment
from reactor_core.utils.settings import Settings


def test_the_verdict_its_reasons_and_the_remedies_are_shown(capsys, tmp_path):
    environment = detect_environment(Probes(system="Darwin", machine="arm64", memory_bytes=16 * GIB, usable_cpus=8))
    show_report(examine(environment, Settings(workspace=tmp_path, cache_dir=tmp_path), plugins=[]))
    shown = capsys.readouterr().out
    assert shown.startswith("apple-silicon: inference-only, quantized, device mps\n")
    assert "because inference-only, quantized: 16.0 GiB of memory, at most 16 GiB" in shown
    assert "extra [train]" in shown  # square brackets are text here, not markup
    assert "remedy: reinstall" in shown
