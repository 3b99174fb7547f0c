"""Real pipelines with random weights: what goes in and what comes back, not whether it is beautiful."""

import json
from dataclasses import replace

import numpy as np
import pytest
from tests.servers.tiny_pipelines import build_pipeline

from a1_reactor.config import ReactorConfig
from a1_reactor.engine.engine import ReactorEngine
from a1_reactor.providers.diffusion import DiffusersProvider, pipeline_shape
from a1_reactor.types import JobSpec, Window
from reactor_core.errors import ConfigError, Halted, ProviderError, SpecError

pytest.importorskip("diffusers", reason="needs the extra [generate]")

pytestmark = [
    pytest.mark.slow,
    # diffusers and transformers warn of their own changes to come; no code of ours is involved.
    pytest.mark.filterwarnings("default"),
]

JOB = JobSpec(prompt="a fox", negative_prompt="rain", seconds=1, fps=12, width=32, height=32, options={"steps": 2})
WINDOW = (Window(4, 6),)


class Base:
    """Frame i has level 10 i, unless it is one of the changed; remembers what was looked at."""

    def __init__(self, *changed):
        self.changed, self.shown = changed, set()

    def frame(self, index):
        self.shown.add(index)
        return np.full((32, 32, 3), 200 if index in self.changed else 10 * index, np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root, built = tmp_path_factory.mktemp("pipelines"), {}

    def get(kind):
        if kind not in built:
            built[kind] = build_pipeline(kind, root / kind)
        return built[kind]

    return get


def test_a_clip_is_made_from_words_and_cut_to_its_length(folder):
    provider = DiffusersProvider(folder("words"))
    assert provider.capabilities.modes == {"full"}
    frames = list(provider.generate_frames(JOB))
    assert len(frames) == 12  # 13 = 4 * 3 + 1 were made
    assert {frame.shape for frame in frames} == {(32, 32, 3)}
    assert all(np.array_equal(a, b) for a, b in zip(frames, provider.generate_frames(JOB), strict=True))
    assert not np.array_equal(frames[0], next(provider.generate_frames(replace(JOB, seed=1))))


@pytest.mark.parametrize(
    ("kind", "modes", "shown"),
    [
        # 8 frames on each side, and the clip has 12; of the window itself one frame is looked at, for its size
        ("vace", {"mask", "full"}, set(range(12)) - {5}),
        ("redraw", {"mask"}, set(range(12))),
        ("ends", {"first_last"}, {3, 7}),  # 2 frames and one on each side are 4; 5 is the next 4n + 1
        ("ltx", {"first_last", "full"}, {3, 7}),
    ],
)
def test_a_window_comes_back_from_every_kind_of_pipeline(folder, kind, modes, shown):
    provider, base = DiffusersProvider(folder(kind)), Base()
    assert provider.capabilities.modes == modes
    job = replace(JOB, options={"steps": 4, "strength": 0.5}) if kind == "redraw" else JOB
    made = dict(provider.regen_frames(job, base, WINDOW))
    assert sorted(made) == [4, 5]
    assert {frame.shape for frame in made.values()} == {(32, 32, 3)}
    assert base.shown == shown


def test_a_masked_model_cannot_see_what_it_is_to_replace(folder):
    provider = DiffusersProvider(folder("vace"))

    def made(*changed):
        return [frame.tobytes() for _, frame in provider.regen_frames(JOB, Base(*changed), WINDOW)]

    assert made() == made(4, 5)


def test_a_window_at_the_start_has_no_first_frame(folder):
    with pytest.raises(SpecError, match="begin the window one frame later"):
        list(DiffusersProvider(folder("ends")).regen_frames(JOB, Base(), (Window(0, 3),)))


def test_a_scheduler_holds_for_its_job_alone(folder):
    provider = DiffusersProvider(folder("words"))
    own = next(provider.generate_frames(JOB))
    other = replace(JOB, options={"steps": 2, "scheduler": "UniPCMultistepScheduler"})
    assert not np.array_equal(own, next(provider.generate_frames(other)))
    assert np.array_equal(own, next(provider.generate_frames(JOB)))
    for name in ("WanPipeline", "NoSuchThing", 3):
        with pytest.raises(SpecError, match="no scheduler"):
            list(provider.generate_frames(replace(JOB, options={"scheduler": name})))


def test_the_kill_switch_ends_a_call_after_the_step_that_runs(folder):
    steps = []

    def pulse():
        steps.append(1)
        raise Halted("tripped")

    with pytest.raises(Halted):
        list(DiffusersProvider(folder("words"), pulse=pulse).generate_frames(JOB))
    assert len(steps) == 1


def test_what_the_pipeline_refuses_is_a_provider_s_error(folder):
    with pytest.raises(ProviderError, match=r"WanPipeline failed: .*divisible by 16"):
        list(DiffusersProvider(folder("words")).generate_frames(replace(JOB, width=34)))


def test_the_engine_makes_and_mends_a_clip_with_it(folder, tmp_path):
    engine = ReactorEngine(ReactorConfig(workspace=tmp_path / "a1r"), DiffusersProvider(folder("vace")))
    parent = engine.generate(JOB).clip
    child = engine.regen(replace(JOB, seed=5, windows=WINDOW), parent=parent)
    # Two frames and eight of context on each side, but the clip has twelve: 13 is the next 4n + 1.
    assert child.report["regen"]["spans"] == [{"asked": [4, 6], "used": [0, 13]}]
    assert child.clip.manifest.frames[:4] == parent.manifest.frames[:4]


def test_a_changed_file_changes_the_identity(folder, tmp_path):
    kept = DiffusersProvider(folder("words")).identity()
    index = folder("words") / "scheduler" / "scheduler_config.json"
    text = index.read_text()
    index.write_text(text.replace("7.0", "6.0"))
    try:
        assert DiffusersProvider(folder("words")).identity() != kept
    finally:
        index.write_text(text)


@pytest.mark.parametrize("document", [None, "{", {}, {"_class_name": "Image"}, {"_class_name": "os"}])
def test_a_folder_without_a_pipeline_is_refused(tmp_path, document):
    if document is not None:
        text = document if isinstance(document, str) else json.dumps(document)
        (tmp_path / "model_index.json").write_text(text)
    with pytest.raises(ConfigError, match=r"no pipeline"):
        pipeline_shape(tmp_path)


def test_weights_that_are_pickles_are_not_read(folder, tmp_path):
    import shutil

    copy = shutil.copytree(folder("words"), tmp_path / "copy")
    weights = copy / "transformer" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_name("diffusion_pytorch_model.bin"))
    with pytest.raises(ProviderError, match="cannot be loaded"):
        list(DiffusersProvider(copy).generate_frames(JOB))


def test_a_type_of_weights_that_is_none_is_refused(folder):
    with pytest.raises(ConfigError, match="dtype='int8'"):
        list(DiffusersProvider(folder("words"), dtype="int8").generate_frames(JOB))
