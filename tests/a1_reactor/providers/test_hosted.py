"""Templates and outputs without any service; the contracts are in test_fal.py, test_replicate.py, test_comfyui.py."""

import io

import numpy as np
import pytest

from a1_reactor.media.png import encode_png
from a1_reactor.providers.base import Capabilities
from a1_reactor.providers.hosted import HostedProvider
from a1_reactor.providers.pictures import encode_video
from a1_reactor.types import FrameQuantum, JobSpec, Window
from reactor_core.errors import ConfigError, ProviderError

JOB = JobSpec(prompt="a fox", seconds=1, width=32, height=16)
CAN = Capabilities(context_frames=2, modes=frozenset({"mask", "full"}), quantum=FrameQuantum(step=4, offset=1))


class Files:
    kind = "files"
    shown = "here"

    def __init__(self, *files):
        self.files, self.documents, self.most = files, [], None

    def upload(self, data, content_type, name):
        return name

    def run(self, document, *, max_bytes, max_files):
        self.documents.append(document)
        self.most = max_files
        self.opened = [io.BytesIO(data) for data in self.files]
        return self.opened


class Base:
    def frame(self, index):
        return np.zeros((16, 32, 3), np.uint8)


def grey(level):
    return np.full((16, 32, 3), level, np.uint8)


def pictures(count):
    return [encode_png(grey(i)) for i in range(count)]


def provider(*files, template=None, **options):
    return HostedProvider(
        name="it", service=Files(*files), template=template or {"prompt": "{prompt}"}, capabilities=CAN, **options
    )


def regen(asked):
    return {i: int(f[0, 0, 0]) for i, f in asked.regen_frames(JOB, Base(), (Window(8, 12),))}


def test_frames_of_the_span_come_back_and_the_context_is_dropped():
    asked = provider(*pictures(9))
    assert regen(asked) == {8: 2, 9: 3, 10: 4, 11: 5}
    assert asked.service.documents == [{"prompt": "a fox"}]
    assert all(file.closed for file in asked.service.opened)


def test_a_service_may_answer_with_the_window_alone():
    asked = provider(*pictures(4), returns="window")
    assert regen(asked) == {8: 0, 9: 1, 10: 2, 11: 3}
    assert asked.service.most == 4


def test_a_clip_is_cut_to_its_length():
    assert len(list(provider(*pictures(25)).generate_frames(JOB))) == 24


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ([], "made no file"),
        (pictures(8), "8 pictures, 9 were asked for"),
        ([*pictures(8), encode_png(np.zeros((8, 8, 3), np.uint8))], "picture 8 is 8x8, not 32x16"),
        ([b"junk", b"junk"], "the first is no picture"),
        ([encode_video([grey(0)] * 8, fps=JOB.fps, width=32, height=16)], "8 frames, 9 were asked for"),
        ([encode_video([grey(0)] * 12, fps=JOB.fps, width=32, height=16)], "more than the 9 frames"),
    ],
)
def test_any_other_output_is_refused_with_the_provider_s_name(files, problem):
    asked = provider(*files)
    with pytest.raises(ProviderError, match=f"'it'.*{problem}"):
        regen(asked)
    assert all(file.closed for file in asked.service.opened)


def test_a_template_with_an_unknown_blank_is_refused_at_once():
    with pytest.raises(ConfigError, match=r"nothing fills \{promt\}"):
        provider(template={"a": "{promt}"})


def test_the_template_is_part_of_the_identity():
    assert provider(template={"a": "1"}).identity() != provider(template={"a": "2"}).identity()
