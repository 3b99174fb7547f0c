from __future__ import annotations

import pytest
from tests.a1_reactor.server.test_routes_jobs import problem


def test_a_branch_points_at_a_clip_until_that_is_undone(workshop):
    client, (first, second) = workshop.client, workshop.takes
    before = client.get("/v1/branches").json()["branches"]
    url = "/v1/branches/night cut"
    assert client.put(url, json={"clip": first, "chooser": "ann"}).json()["branches"] == {**before, "night cut": first}
    moved = client.put(url, json={"clip": second, "chooser": "ann"}).json()["branches"]
    assert moved["night cut"] == second
    assert "night cut" in client.get(f"/v1/clips/{second}").json()["branches"]
    for head in (first, None):
        undone = client.post("/v1/clips/verdict/undo", params={"chooser": "ann"}).json()
        assert (undone["action"], undone["branch"]) == ("branch", "night cut")
        assert client.get("/v1/branches").json()["branches"].get("night cut") == head
    assert problem(client.post("/v1/clips/verdict/undo", params={"chooser": "ann"}))[0] == 404


@pytest.mark.parametrize(("name", "clip", "status"), [("x", "0" * 16, 404), ("0123456789abcdef", None, 422)])
def test_what_cannot_be_a_branch_is_refused(workshop, name, clip, status):
    assert problem(workshop.client.put(f"/v1/branches/{name}", json={"clip": clip or workshop.clip}))[0] == status
