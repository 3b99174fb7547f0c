from types import SimpleNamespace

import pytest

from a1_reactor.providers.diffusion_shape import PipelineShape, call_options
from a1_reactor.types import FrameQuantum
from reactor_core.errors import ConfigError, SpecError

TEXT = {"self", "prompt", "negative_prompt", "height", "width", "num_inference_steps", "guidance_scale", "generator"}


def shape(*more, name="Some", without=()):
    return PipelineShape(name, frozenset(TEXT | set(more)) - set(without))


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (shape("num_frames", "video", "mask"), "masked"),
        (shape("num_frames", "video", "conditions", "strength", name="LTXConditionPipeline"), "conditions"),
        (shape("video", "strength"), "video_to_video"),
        (shape("num_frames", "image", "last_image"), "ends"),
        (shape("num_frames", "image"), "first"),
        (shape("num_frames"), "words"),
        (shape(), "picture"),
    ],
)
def test_what_goes_in_is_read_from_the_arguments(found, kind):
    assert found.kind == kind


@pytest.mark.parametrize(
    "found",
    [shape("num_frames", "image", without={"prompt"}), shape("image", "strength"), shape("num_frames", "conditions")],
)
def test_a_pipeline_for_something_else_is_refused(found):
    with pytest.raises(ConfigError, match="pipeline Some"):
        _ = found.kind


def wan(**more):
    transformer = SimpleNamespace(config=SimpleNamespace(patch_size=(1, 2, 2)))
    return SimpleNamespace(
        **{"vae_scale_factor_temporal": 4, "vae_scale_factor_spatial": 8, "transformer": transformer, **more}
    )


def test_amounts_and_sizes_follow_from_the_latents():
    can = shape("num_frames", "video", "mask").capabilities(wan())
    assert (can.quantum, can.size_multiple, can.context_frames) == (FrameQuantum(step=4, offset=1), 16, 8)
    assert can.modes == {"mask", "full"}


def test_the_names_of_another_family_are_known():
    ltx = SimpleNamespace(
        vae_temporal_compression_ratio=8,
        vae_spatial_compression_ratio=32,
        transformer=SimpleNamespace(config=SimpleNamespace(patch_size=1)),
    )
    can = shape("num_frames", "image", "last_image").capabilities(ltx)
    assert (can.quantum, can.size_multiple, can.context_frames) == (FrameQuantum(step=8, offset=1), 32, 1)


def test_a_model_without_latent_time_makes_any_number_and_one_of_pictures_makes_one():
    unet = SimpleNamespace(vae_scale_factor=8)
    assert shape("num_frames").capabilities(unet).quantum == FrameQuantum()
    assert shape().capabilities(unet).max_frames == 1


def test_options_become_arguments():
    found = shape("num_frames", "strength", "sigmas")
    options = {"steps": 4, "guidance": 2.5, "strength": 0.7, "sigmas": [1, 0.5], "scheduler": "X"}
    assert call_options(options, found) == {
        "num_inference_steps": 4,
        "guidance_scale": 2.5,
        "strength": 0.7,
        "sigmas": [1, 0.5],
    }


@pytest.mark.parametrize("options", [{"stepz": 4}, {"prompt": "x"}, {"generator": 1}, {"steps": None}, {"steps": {}}])
def test_options_that_the_pipeline_lacks_or_that_are_not_the_job_s_are_refused(options):
    with pytest.raises(SpecError, match="such as guidance, scheduler, steps"):
        call_options(options, shape("num_frames"))
