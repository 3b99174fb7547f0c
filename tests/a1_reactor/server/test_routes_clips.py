from __future__ import annotations

import io

import pytest
from PIL import Image
from tests.a1_reactor.server.test_routes_jobs import problem

from a1_reactor.server.schemas import ClipOut


def test_clips_are_listed_and_shown(workshop):
    listed = workshop.client.get("/v1/clips").json()["clips"]
    assert {workshop.clip, *workshop.takes} <= {clip["id"] for clip in listed}
    shown = workshop.client.get(f"/v1/clips/{workshop.takes[1]}").json()
    ClipOut.model_validate(shown)
    assert (shown["parent"], shown["takes"], shown["seed"]) == (workshop.clip, workshop.takes, 6)
    assert shown["windows"] == [{"start_frame": 2, "stop_frame": 6, "asked_seconds": ["1/4", "3/4"]}]
    assert (shown["fps"], shown["frames"], shown["seconds"]) == ("8", 8, 1.0)


def test_everything_that_a_clip_links_is_there(workshop):
    links = workshop.client.get(f"/v1/clips/{workshop.clip}").json()["links"]
    for name in ("artifact", "report", "filmstrip"):
        assert workshop.client.get(links[name]).status_code == 200, name
    assert workshop.client.get(f"{links['frames']}/0.png").status_code == 200


def test_frames_outside_the_window_are_the_parents_own(workshop):
    tags = [
        [workshop.client.get(f"/v1/clips/{key}/frames/{n}.png").headers["etag"] for n in range(8)]
        for key in (workshop.clip, workshop.takes[0])
    ]
    assert [n for n in range(8) if tags[0][n] != tags[1][n]] == [2, 3, 4, 5]


def test_a_filmstrip_is_one_row_that_a_browser_keeps(workshop):
    url = f"/v1/clips/{workshop.clip}/filmstrip.png"
    answer = workshop.client.get(url, params={"count": 4, "height": 24})
    assert Image.open(io.BytesIO(answer.content)).size == (4 * 32, 24)
    assert answer.headers["x-frames"] == "0,2,5,7"
    again = workshop.client.get(
        url, params={"count": 4, "height": 24}, headers={"If-None-Match": answer.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    assert problem(workshop.client.get(url, params={"count": 0})) == (422, "invalid")


def test_a_preview_is_a_playlist_with_its_segments(workshop):
    url = f"/v1/clips/{workshop.takes[0]}/preview"
    playlist = workshop.client.get(f"{url}/playlist.m3u8")
    assert playlist.headers["content-type"] == "application/vnd.apple.mpegurl"
    names = [line for line in playlist.text.splitlines() if line and not line.startswith("#")]
    assert names
    for name in (*names, "init.mp4"):
        assert workshop.client.get(f"{url}/{name}").status_code == 200
    assert problem(workshop.client.get(f"{url}/0-1.m4s")) == (404, "not-found")


@pytest.mark.parametrize(
    "path", ["f" * 16, "..%2f..%2fetc", "x", f"{'f' * 16}/artifact", f"{'f' * 16}/preview/..%2fjob.json"]
)
def test_what_is_not_there(workshop, path):
    answer = workshop.client.get(f"/v1/clips/{path}")
    assert problem(answer)[0] in (404, 422)


def test_a_choice_is_made_and_taken_back(workshop):
    url = f"/v1/clips/{workshop.takes[0]}"
    answer = workshop.client.post(f"{url}/verdict", json={"verdict": "keep", "chooser": "ada", "branch": "b"})
    assert answer.status_code == 201
    assert workshop.client.get(url).json()["verdict"]["actor"] == "ada"
    undone = workshop.client.post("/v1/clips/verdict/undo", params={"chooser": "ada"})
    choice = {"action": "keep", "clip": workshop.takes[0], "branch": "b"}
    assert undone.json() == {"undone": answer.json()["event_id"], **choice}
    assert workshop.client.get(url).json()["verdict"] is None
    assert problem(workshop.client.post("/v1/clips/verdict/undo", params={"chooser": "ada"})) == (404, "not-found")
    assert problem(workshop.client.post(f"{url}/verdict", json={"verdict": "maybe"})) == (422, "invalid")


def test_the_report_is_a_page_that_loads_nothing(workshop):
    answer = workshop.client.get(f"/v1/clips/{workshop.clip}/report.html")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "a street" in answer.text
    assert workshop.client.get("/v1/clips/0123456789abcdef/report.html").status_code == 404


def test_one_take_is_preferred_to_another_and_neither_is_judged(workshop):
    better, worse = workshop.takes
    answer = workshop.client.post(f"/v1/clips/{better}/prefer", json={"over": worse, "chooser": "bea"})
    assert (answer.status_code, answer.json()["chosen"]) == (201, better)
    assert workshop.client.post("/v1/clips/verdict/undo", params={"chooser": "bea"}).json()["action"] == "prefer"
    assert problem(workshop.client.post(f"/v1/clips/{better}/prefer", json={"over": workshop.clip}))[0] == 422


def test_what_plays_is_listed_while_a_clip_is_being_made_and_after(workshop):
    listed = workshop.client.get(f"/v1/clips/{workshop.clip}/preview").json()
    assert (listed["ended"], listed["segments"][-1]["end"]) == (True, 1.0)
    for segment in listed["segments"]:
        assert workshop.client.get(f"/v1/clips/{workshop.clip}/preview/{segment['file']}").status_code == 200
    begun = "0123456789abcdef"
    url = f"/v1/clips/{begun}/preview"
    assert workshop.client.get(url).status_code == 404
    with workshop.client.app.state.services.shelf.store.draft(begun):
        assert workshop.client.get(url).json() == {"segments": [], "ended": False}
