from __future__ import annotations

import zipfile

import pytest
from tests.a1_reactor.server.conftest import settings_in

from a1_reactor.engine.exporting import FORMATS
from a1_reactor.server.export_job import KIND, ExportRequest, export_job, exports_of
from reactor_core.errors import NotFound, SpecError
from reactor_core.jobs.context import JobContext, JobStopped, Stop, StopReason
from reactor_core.jobs.job import Owner
from reactor_core.jobs.kinds import find_kind
from reactor_core.jobs.table import JobTable
from reactor_core.utils.files import sha256_file


@pytest.fixture(scope="module")
def settings(tmp_path_factory, make_engine):
    """A workspace with one small clip."""
    settings = settings_in(tmp_path_factory.mktemp("export"))
    engine, spec = make_engine(settings.a1_workspace)
    clip = engine.generate(spec(seconds="1/4", fps=12, width=32, height=48)).clip
    return settings, clip.key


@pytest.fixture
def do(settings):
    """Run a request; returns the result and the id of the job."""
    where, clip = settings

    def do(*, stop=None, **more):
        with JobTable(where.workspace) as table:
            table.submit(KIND, ExportRequest(**{"clip": clip, **more}).to_json())
            job = table.claim(Owner("here", 1, 1.0))
            context = JobContext(table, job, where, stop or Stop(), halted=lambda: None)
            return export_job.run(context), job.job_id

    return do


def test_the_kind_is_found_through_the_plugin():
    assert find_kind(KIND) is export_job


def test_a_request_survives_json_and_what_does_not_go_together_is_refused():
    request = ExportRequest(clip="0" * 16, format="gif", width=320)
    assert ExportRequest.parse(export_job.check(request.to_json())) == request
    for wrong in ({"format": "avi"}, {"format": "mp4", "width": 320}, {"format": "gif", "width": 3}, {"colour": 1}):
        with pytest.raises(SpecError):
            ExportRequest.parse({**request.to_json(), "width": None, **wrong})


@pytest.mark.parametrize("kind", FORMATS)
def test_each_format_is_written_where_the_route_finds_it(do, settings, kind):
    where, clip = settings
    result, job_id = do(format=kind)
    path = exports_of(where.a1_workspace).find(job_id, f"{clip}.{kind}")
    assert (result["file"], result["size"], result["sha256"]) == (path.name, path.stat().st_size, sha256_file(path))
    if kind == "zip":
        assert sum(name.endswith(".png") for name in zipfile.ZipFile(path).namelist()) == result["frames"] == 3


def test_a_job_that_is_canceled_leaves_no_half_file(do, settings):
    where, _ = settings
    folder, stop = exports_of(where.a1_workspace).folder, Stop()
    before = {path for path in folder.rglob("*") if path.is_file()} if folder.is_dir() else set()
    stop.set(StopReason.WISH)
    with pytest.raises(JobStopped):
        do(format="zip", stop=stop)
    assert {path for path in folder.rglob("*") if path.is_file()} == before


def test_a_clip_that_is_not_there_is_said(do):
    with pytest.raises(NotFound):
        do(clip="0" * 16, format="mp4")
