import pytest

from a1_reactor.providers.remote_job import NotYet, pause, watch
from reactor_core.errors import Halted, ProviderError


def quiet():
    pass


class Job:
    """Gives prepared answers, and remembers whether it was called off."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.cancelled = 0

    def ask(self):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def cancel(self):
        self.cancelled += 1

    def watch(self, **options):
        return watch(self.ask, **{"cancel": self.cancel, "pulse": quiet, "timeout_s": 10, "what": "job 7", **options})


def test_the_result_is_waited_for():
    job = Job(NotYet(0), NotYet(0), "frames")
    assert job.watch() == "frames"
    assert job.cancelled == 0


def test_a_job_that_takes_too_long_is_called_off():
    job = Job(NotYet(5))
    with pytest.raises(ProviderError, match=r"job 7 was not done within 0\.1 s") as caught:
        job.watch(timeout_s=0.1)
    assert caught.value.retryable
    assert job.cancelled == 1


def test_a_job_whose_state_cannot_be_read_is_called_off():
    job = Job(ProviderError("gone"))
    with pytest.raises(ProviderError, match="gone"):
        job.watch()
    assert job.cancelled == 1


def test_the_kill_switch_calls_it_off_during_a_pause():
    def tripped():
        raise Halted("the kill switch is tripped")

    job = Job(NotYet(60))
    with pytest.raises(Halted):
        job.watch(pulse=tripped, timeout_s=100)
    assert job.cancelled == 1


def test_a_job_that_cannot_be_called_off_is_named_beside_the_first_error():
    def cancel():
        raise ProviderError("status 500")

    with pytest.raises(ProviderError, match="gone") as caught:
        Job(ProviderError("gone")).watch(cancel=cancel)
    assert caught.value.__notes__ == ["job 7 could not be called off and may go on: status 500"]


def test_a_pause_of_nothing_still_listens():
    heard = []
    pause(0, lambda: heard.append(1))
    assert heard == [1]
