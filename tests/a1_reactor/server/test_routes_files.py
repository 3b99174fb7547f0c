from __future__ import annotations

import asyncio
import io
from typing import Any

import av
import pytest
from tests.a1_reactor.media.videos import counting, write_video
from tests.a1_reactor.server.conftest import client_of, done_here, settings_in
from tests.a1_reactor.server.test_routes_jobs import problem

from a1_reactor.server.routes_files import IMPORTS
from a1_reactor.server.schemas import JobOut


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = write_video(tmp_path_factory.mktemp("filmed") / "a.mp4", counting(), [index * 40 for index in range(10)])
    return path.read_bytes()


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A server that takes videos of 1 MiB at most, and whose jobs wait."""
    monkeypatch.setattr("reactor_core.jobs.supervisor.Supervisor.start", lambda self: None)
    with client_of(settings_in(tmp_path, a1_upload_mb=1)) as client:
        yield client


def uploads(client) -> list[Any]:
    folder = client.app.state.services.uploads.folder
    return list(folder.iterdir()) if folder.is_dir() else []


def test_a_video_that_is_sent_becomes_a_clip_whose_window_can_be_regenerated(workshop, video) -> None:
    client = workshop.client
    answer = client.post(IMPORTS, params={"name": "../my street.mp4"}, content=iter([video[:1000], video[1000:]]))
    assert answer.status_code == 202, answer.text
    JobOut.model_validate(answer.json())
    job = done_here(client, answer.json())
    assert (job["state"], job["kind"], job["cli"]) == ("succeeded", "import", None)
    shown = client.get(f"/v1/clips/{job['clip_ids'][0]}").json()
    assert (shown["prompt"], shown["frames"], shown["fps"]) == ("imported from my street.mp4", 10, "25")
    assert str(workshop.settings.a1_workspace) not in answer.text
    window = {"parent": shown["id"], "prompt": "rain", "provider": "mock", "windows": [[0, 0.2]]}
    assert client.post("/v1/jobs", json=window).status_code == 202
    done_here(client, client.get("/v1/jobs?limit=1").json()["jobs"][0])


@pytest.mark.parametrize(
    ("content", "params", "status"),
    [
        (b"", {}, 422),
        (b"x", {"fps": "often"}, 422),
        (b"x" * ((1 << 20) + 1), {}, 413),
        (iter([b"x" * (1 << 20), b"x"]), {}, 413),
    ],
)
def test_a_body_that_cannot_be_used_leaves_nothing_behind(small, content, params, status) -> None:
    assert problem(small.post(IMPORTS, content=content, params=params))[0] == status
    assert uploads(small) == []
    assert small.get("/v1/jobs").json()["jobs"] == []


async def test_nor_does_one_that_breaks_off(small) -> None:
    """Over ASGI itself: a test client sends all that it says."""
    parts = [{"type": "http.request", "body": b"x" * 100, "more_body": True}, {"type": "http.disconnect"}]

    async def receive() -> Any:
        return parts.pop(0) if parts else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        pass

    scope = {
        "type": "http", "method": "POST", "path": IMPORTS, "raw_path": IMPORTS.encode(), "query_string": b"",
        "headers": [(b"host", b"localhost")], "client": ("127.0.0.1", 1), "scheme": "http", "http_version": "1.1",
        "server": ("localhost", 8080), "root_path": "",
    }  # fmt: skip
    await small.app(scope, receive, send)
    assert uploads(small) == []


def test_an_export_is_fetched_from_its_job_until_that_is_deleted(workshop) -> None:
    client = workshop.client
    asked = {"headers": {"Idempotency-Key": "my gif"}, "json": {"format": "gif", "width": 32}}
    url = f"/v1/clips/{workshop.clip}/exports"
    waiting = client.post(url, **asked).json()
    assert client.post(url, **asked).json()["id"] == waiting["id"]
    assert problem(client.get(f"/v1/jobs/{waiting['id']}/artifact"))[0] == 409
    job = done_here(client, waiting)
    assert (job["kind"], job["parent"], job["clip_ids"]) == ("export", workshop.clip, [])
    answer = client.get(job["artifact_url"])
    assert (answer.headers["content-type"], answer.content[:4]) == ("image/gif", b"GIF8")
    assert f"{workshop.clip}.gif" in answer.headers["content-disposition"]
    with av.open(io.BytesIO(answer.content)) as gif:
        assert gif.streams.video[0].codec_context.width == 32
    exported = client.app.state.services.exports.folder / job["id"]
    assert exported.is_dir()
    assert client.delete(f"/v1/jobs/{job['id']}").status_code == 204
    assert not exported.exists()


@pytest.mark.parametrize(
    ("clip", "body", "status"),
    [(None, {"format": "avi"}, 422), (None, {"format": "mp4", "width": 320}, 422), ("0" * 16, {"format": "mp4"}, 404)],
)
def test_an_export_that_cannot_be_is_refused_at_once(workshop, clip, body, status) -> None:
    assert problem(workshop.client.post(f"/v1/clips/{clip or workshop.clip}/exports", json=body))[0] == status
