"""The net with small weights whose result is known; against the authors' code in test_rife.py (slow)."""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra [train]")

from a1_reactor.providers.rife_net import BLOCKS, between  # noqa: E402


def small_weights(channels=4):
    """All zero but the slopes: every block adds nothing, whatever it sees."""
    weights = {}
    for number, seen in ((0, 7), (1, 12), (2, 12), (3, 12)):
        block = f"block{number}"

        def layer(name, inside, outside, block=block):
            weights[f"{block}.{name}.0.weight"] = torch.zeros(outside, inside, 3, 3)
            weights[f"{block}.{name}.0.bias"] = torch.zeros(outside)
            weights[f"{block}.{name}.1.weight"] = torch.full((outside,), 0.25)

        layer("conv0.0", seen, channels // 2)
        layer("conv0.1", channels // 2, channels)
        for index in range(8):
            layer(f"convblock.{index}", channels, channels)
        weights[f"{block}.lastconv.weight"] = torch.zeros(channels, 5, 4, 4)
        weights[f"{block}.lastconv.bias"] = torch.zeros(5)
    return weights


def pictures(height=128, width=128):
    generator = torch.Generator().manual_seed(0)
    return [torch.rand(1, 3, height, width, generator=generator) for _ in range(2)]


def test_without_motion_and_mask_both_frames_count_half():
    first, last = pictures()
    assert torch.allclose(between(small_weights(), first, last, 0.3), (first + last) / 2, atol=1e-4)


@pytest.mark.parametrize(("number", "scale"), BLOCKS)
def test_a_mask_chooses_a_frame_and_a_flow_moves_it_by_pixels(number, scale):
    first, last = pictures()
    weights = small_weights()
    # A block's flow is what its last layer says, times how much smaller its picture was, times two.
    weights[f"block{number}.lastconv.bias"] = torch.tensor([3 / (2 * scale), 0, 0, 0, 50.0])
    made = between(weights, first, last, 0.5)
    assert torch.allclose(made[..., :-3], first[..., 3:], atol=1e-4)
    assert torch.allclose(made[..., -3:], first[..., -1:].expand(-1, -1, -1, 3), atol=1e-4)


def test_where_motion_is_large_all_is_done_at_half_the_size():
    first, last = pictures(256, 256)
    weights = small_weights()
    # The second step moves both frames by 40 pixels; at half the size it says twice as much.
    weights["block1.lastconv.bias"] = torch.tensor([40 / 8, 0, 40 / 8, 0, 50.0])
    made = between(weights, first, last, 0.5)
    assert torch.allclose(made[..., :-80], first[..., 80:], atol=1e-4)
