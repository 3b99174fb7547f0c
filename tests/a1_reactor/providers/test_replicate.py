import pytest
from tests.servers.services import Replicate
from tests.servers.services_kit import regen, wire

from a1_reactor.providers.replicate import PredictionService
from reactor_core.errors import ProviderError

TEMPLATE = {"video": "{video}", "mask": "{mask_video}", "prompt": "{prompt}", "steps": "{options.steps|30}"}


def ask(server, job_timeout_s=10.0, version=None):
    with server.serving() as address:
        caller = wire(f"http://{address}/v1/predictions")
        return regen(PredictionService(caller, version=version, job_timeout_s=job_timeout_s), TEMPLATE)


@pytest.mark.parametrize("asks", [-1, 0, 2])  # -1: the answer itself, as Cog gives it
def test_a_window_is_predicted(asks):
    server = Replicate(asks=asks)
    assert ask(server, version="abc") == pytest.approx({8: 60, 9: 65, 10: 70, 11: 75}, abs=3)
    assert server.inputs[0]["version"] == "abc"
    assert server.inputs[0]["input"]["steps"] == 30
    assert server.inputs[0]["input"]["mask"].startswith("data:video/mp4;base64,")


@pytest.mark.parametrize("asks", [-1, 1])
def test_a_failed_prediction_says_why(asks):
    with pytest.raises(ProviderError, match="ended as failed: out of memory"):
        ask(Replicate(asks=asks, failure="out of memory"))


def test_a_prediction_that_takes_too_long_is_called_off():
    server = Replicate(asks=10**6)
    with pytest.raises(ProviderError, match="prediction p1 was not done"):
        ask(server, job_timeout_s=0.3)
    assert server.seen[-1] == ("POST", "/v1/predictions/p1/cancel")


def answering(document):
    class Fixed(Replicate):
        def answer(self, handler, path, body):
            handler.answer_json(document)

    return Fixed()


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"status": "processing"}, "names no address"),
        ({"status": "succeeded"}, "no URL"),
        ({"status": "succeeded", "output": []}, "no URL"),
        ({"status": "succeeded", "output": [{"a": 1}]}, "no URL"),
        ({"status": "succeeded", "output": "data:video/mp4,raw"}, "no data URL"),
        ({"status": "succeeded", "output": ["data:image/png;base64,AAAA"] * 10}, "more than 9 files"),
        ({"status": "succeeded", "output": "file:///etc/passwd"}, "no URL"),
        ({}, "ended as None"),
    ],
)
def test_any_other_answer_is_refused(document, problem):
    with pytest.raises(ProviderError, match=problem):
        ask(answering(document))
