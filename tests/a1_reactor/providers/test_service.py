"""What all services share; each one's own contract is tested with that service."""

import pytest
from tests.servers.frames_v2 import Quiet, listening

from a1_reactor.providers.service import WireService
from a1_reactor.providers.wire import Wire
from reactor_core.errors import ProviderError


class Paths(Quiet):
    """Answers with the path that was asked for."""

    def do_GET(self):  # noqa: N802
        self.answer_json({"path": self.path})


@pytest.fixture
def service():
    with listening(Paths) as address:
        yield WireService(Wire(f"http://{address}/v1/start", allow=[address], timeout_s=5))


def test_a_request_goes_to_the_endpoint_or_where_a_reply_says(service):
    assert service._object("GET", None) == {"path": "/v1/start"}
    assert service._object("GET", "jobs/1") == {"path": "/v1/jobs/1"}
    with pytest.raises(ProviderError, match="another server"):
        service._object("GET", "https://elsewhere.example/")


def test_a_document_has_a_longest_size(service):
    with pytest.raises(ProviderError, match="larger than 3 bytes"):
        service._object("GET", None, max_bytes=3)


def test_a_file_goes_as_a_data_url_and_an_error_names_the_endpoint(service):
    assert service.upload(b"frame", "image/png", "x.png") == "data:image/png;base64,ZnJhbWU="
    error = service._broken("it is gone", remedy="look elsewhere")
    assert service.shown in error.message
    assert error.remedy == "look elsewhere"
