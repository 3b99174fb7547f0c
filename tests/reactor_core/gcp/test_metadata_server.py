from __future__ import annotations

import http.client

from reactor_core.gcp.metadata_server import RehearsalMetadataServer

PREEMPTED = "/computeMetadata/v1/instance/preempted"


def ask(host: str, path: str, headers: dict[str, str]) -> tuple[int, str, str | None]:
    connection = http.client.HTTPConnection(host, timeout=30)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    found = answer.status, answer.read().decode(), answer.getheader("ETag")
    connection.close()
    return found


def test_it_answers_as_compute_engine_does() -> None:
    google = {"Metadata-Flavor": "Google"}
    with RehearsalMetadataServer() as server:
        assert ask(server.host, PREEMPTED, {})[0] == 403
        assert ask(server.host, PREEMPTED, google) == (200, "FALSE", "1")
        waiting = f"{PREEMPTED}?wait_for_change=true&last_etag=1&timeout_sec=0.05"
        assert ask(server.host, waiting, google) == (200, "FALSE", "1")
        server.preempt()
        assert ask(server.host, f"{PREEMPTED}?wait_for_change=true&last_etag=1", google) == (200, "TRUE", "2")
