import dataclasses

import pytest

from reactor_core.utils.environment import GIB, Kind, Mode, Probes, detect_environment, probe_machine

LINUX = Probes(system="Linux", machine="x86_64", memory_bytes=24 * GIB, usable_cpus=2)


def test_a_16_gb_apple_machine_is_for_quantized_inference():
    found = detect_environment(Probes(system="Darwin", machine="arm64", memory_bytes=16 * GIB, usable_cpus=8))
    assert (found.kind, found.mode, found.device, found.quantized) == (
        Kind.APPLE_SILICON,
        Mode.INFERENCE_ONLY,
        "mps",
        True,
    )
    assert "16.0 GiB of memory, at most 16 GiB" in found.reasons[1]


def test_a_larger_apple_machine_trains():
    found = detect_environment(Probes(system="Darwin", machine="arm64", memory_bytes=64 * GIB, usable_cpus=8))
    assert (found.mode, found.quantized) == (Mode.FULL_TRAINING, False)


def test_an_intel_mac_is_a_cpu():
    found = detect_environment(Probes(system="Darwin", machine="x86_64", memory_bytes=16 * GIB, usable_cpus=8))
    assert (found.kind, found.device) == (Kind.CPU, "cpu")


@pytest.mark.parametrize(("devices", "device"), [((), "cpu"), (("NVIDIA L4",), "cuda")])
def test_a_compute_engine_machine_is_known_by_its_firmware(devices, device):
    probes = dataclasses.replace(LINUX, dmi_product="Google Compute Engine", cuda_devices=devices)
    found = detect_environment(probes)
    assert (found.kind, found.mode, found.device) == (Kind.GCE, Mode.FULL_TRAINING, device)


@pytest.mark.parametrize("product", [None, "Google Compute Engine"])
def test_a_machine_with_little_memory_plans_first_and_says_why(product):
    small = dataclasses.replace(LINUX, dmi_product=product, memory_bytes=4 * GIB)
    found = detect_environment(small)
    assert found.mode is Mode.PLANNED_TRAINING
    assert "4.0 GiB of memory, less than 8 GiB" in found.reasons[1]
    with_gpu = dataclasses.replace(small, cuda_devices=("NVIDIA L4",))
    assert detect_environment(with_gpu).mode is Mode.FULL_TRAINING


def test_a_32_gb_cloud_machine_trains_in_full():
    found = detect_environment(dataclasses.replace(LINUX, dmi_product="Google Compute Engine", memory_bytes=32 * GIB))
    assert (found.kind, found.mode, found.quantized) == (Kind.GCE, Mode.FULL_TRAINING, False)


def test_cuda_elsewhere_is_named():
    found = detect_environment(dataclasses.replace(LINUX, cuda_devices=("NVIDIA H100",)))
    assert (found.kind, found.device) == (Kind.CUDA, "cuda")
    assert "NVIDIA H100" in found.reasons[2]


def test_everything_else_is_a_cpu_and_says_why():
    found = detect_environment(LINUX)
    assert (found.kind, found.device) == (Kind.CPU, "cpu")
    assert all(found.reasons)


def test_this_machine_can_be_probed():
    probes = probe_machine(cuda=lambda: ("A", "B"))
    assert probes.cuda_devices == ("A", "B")
    assert probes.memory_bytes > GIB // 4
    assert probes.usable_cpus >= 1
