import pytest
from tests.servers.services import Fal
from tests.servers.services_kit import regen, wire

from a1_reactor.providers.fal import FalService
from reactor_core.errors import Halted, ProviderError

TEMPLATE = {"video_url": "{video}", "prompt": "{prompt}", "start_time": "{window_start_s}", "seed": "{seed}"}


def ask(server, job_timeout_s=10.0, **options):
    with server.serving() as address:
        service = FalService(wire(f"http://{address}/fal-ai/retake", **options), job_timeout_s=job_timeout_s)
        return regen(service, TEMPLATE)


def test_a_window_is_queued_polled_and_fetched():
    server = Fal()
    assert ask(server) == pytest.approx({8: 60, 9: 65, 10: 70, 11: 75}, abs=3)
    sent = server.inputs[0]
    assert (sent["prompt"], sent["seed"], sent["start_time"]) == ("a fox", 9, pytest.approx(2 / 24))
    assert [path.rpartition("/")[2] for _, path in server.seen] == ["retake", "status", "status", "r-1", "out.mp4"]
    assert set(server.keys) == {"Key hush"}


def test_a_failed_job_says_why():
    with pytest.raises(ProviderError, match="ended as COMPLETED: no GPU is left"):
        ask(Fal(failure="no GPU is left"))


def test_a_job_that_takes_too_long_is_called_off():
    server = Fal(asks=10**6)
    with pytest.raises(ProviderError, match="fal job r-1 was not done"):
        ask(server, job_timeout_s=0.3)
    assert server.seen[-1] == ("PUT", "/fal-ai/retake/requests/r-1/cancel")


def test_the_kill_switch_calls_it_off():
    server, calls = Fal(asks=10**6), []

    def pulse():
        calls.append(1)
        if len(calls) > 8:
            raise Halted("tripped")

    with pytest.raises(Halted):
        ask(server, pulse=pulse)
    assert server.seen[-1][0] == "PUT"


def test_a_result_on_another_host_must_be_listed():
    with pytest.raises(ProviderError, match=r"another server.*files_from"):
        ask(Fal(files_at="files.example"))


def test_a_video_that_is_none_is_refused():
    with pytest.raises(ProviderError, match="no mp4"):
        ask(Fal(result=lambda sent: b"<html>" * 10))


def test_a_file_that_is_larger_than_its_pixels_is_not_read_to_its_end():
    with pytest.raises(ProviderError, match="larger than"):
        ask(Fal(result=lambda sent: bytes(3 << 20)))


def test_a_reply_without_addresses_is_refused():
    class Mute(Fal):
        def answer(self, handler, path, body):
            handler.answer_json({"request_id": "r-1"})

    with pytest.raises(ProviderError, match="no 'status_url'"):
        ask(Mute())
