from __future__ import annotations

import pytest
from tests.a1_reactor.media.videos import counting, write_video
from tests.a1_reactor.server.conftest import settings_in

from a1_reactor.server.import_job import KIND, ImportRequest, import_job, uploads_of
from a1_reactor.storage.store import ClipStore
from reactor_core.errors import NotFound, SpecError
from reactor_core.jobs.context import JobContext, Stop
from reactor_core.jobs.job import Owner
from reactor_core.jobs.kinds import find_kind
from reactor_core.jobs.table import JobTable
from reactor_core.utils.files import sha256_file
from reactor_core.utils.ids import new_id


@pytest.fixture
def settings(tmp_path):
    return settings_in(tmp_path)


@pytest.fixture
def sent(settings):
    """A request for a video that was sent."""

    def sent(name="filmed.mp4", data=None, **more):
        key = new_id()
        path = uploads_of(settings.a1_workspace).place(key, name)
        if data is None:
            write_video(path, counting(), [index * 40 for index in range(5)])
        else:
            path.write_bytes(data)
        return ImportRequest(upload=key, name=name, sha256=sha256_file(path), **more)

    return sent


@pytest.fixture
def do(settings):
    def do(request):
        with JobTable(settings.workspace) as table:
            table.submit(KIND, request.to_json())
            job = table.claim(Owner("here", 1, 1.0))
            return import_job.run(JobContext(table, job, settings, Stop(), halted=lambda: None))

    return do


def test_the_kind_is_found_through_the_plugin():
    assert find_kind(KIND) is import_job


def test_a_request_survives_json():
    request = ImportRequest(upload="u", name="a.mp4", sha256="0", prompt="rain", fps="24000/1001", reduce_depth=True)
    assert ImportRequest.parse(request.to_json()) == request
    for wrong in ({**request.to_json(), "fps": "often"}, {"upload": "u"}, {**request.to_json(), "more": 1}):
        with pytest.raises(SpecError):
            import_job.check(wrong)


def test_a_video_becomes_a_clip_and_the_file_that_was_sent_goes(do, sent, settings):
    request = sent(prompt="rain")
    (key,) = do(request)["clip_ids"]
    clip = ClipStore(settings.a1_workspace).open(key)
    assert (clip.job.asked.prompt, clip.frame_count) == ("rain", 5)
    assert list(uploads_of(settings.a1_workspace).folder.iterdir()) == []
    # An attempt that died behind this point is followed by another: it goes on from the copy that the clip keeps.
    assert do(request)["reused"] == [True]


def test_what_is_no_video_is_refused_and_goes_too(do, sent, settings):
    with pytest.raises(SpecError, match=r"^filmed\.mp4 is no video") as refused:
        do(sent(data=b"no video at all" * 100))
    assert str(settings.a1_workspace) not in str(refused.value)
    assert list(uploads_of(settings.a1_workspace).folder.iterdir()) == []


def test_a_file_that_is_gone_is_to_be_sent_again(do):
    with pytest.raises(NotFound, match="import it again"):
        do(ImportRequest(upload=new_id(), name="a.mp4", sha256="0" * 64))
