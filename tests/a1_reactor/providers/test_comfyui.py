import pytest
from tests.servers.services import Comfy
from tests.servers.services_kit import regen, wire

from a1_reactor.providers.comfyui import ComfyService
from reactor_core.errors import ProviderError

WORKFLOW = {
    "1": {"class_type": "LoadVideo", "inputs": {"video": "{video}"}},
    "3": {"class_type": "KSampler", "inputs": {"seed": "{seed}", "steps": "{options.steps|8}", "model": ["4", 0]}},
    "9": {"class_type": "SaveImage", "inputs": {"images": ["3", 0]}},
}


def ask(server, job_timeout_s=10.0, **options):
    with server.serving() as address:
        service = ComfyService(wire(f"http://{address}"), job_timeout_s=job_timeout_s, **options)
        return regen(service, WORKFLOW)


@pytest.mark.parametrize("node", [None, "9"])
def test_a_workflow_is_filled_queued_and_its_pictures_fetched(node):
    server = Comfy()
    assert ask(server, output_node=node) == pytest.approx({8: 60, 9: 65, 10: 70, 11: 75}, abs=3)
    sent = server.inputs[0]
    assert sent["1"]["inputs"]["video"].endswith("_span.mp4")
    assert sent["3"]["inputs"] == {"seed": 9, "steps": 8, "model": ["4", 0]}


def test_a_failed_node_is_named():
    with pytest.raises(ProviderError, match="KSampler: out of memory"):
        ask(Comfy(failure="out of memory"))


def test_a_workflow_that_takes_too_long_leaves_the_queue_and_is_interrupted():
    server = Comfy(asks=10**6)
    with pytest.raises(ProviderError, match="workflow c-1 was not done"):
        ask(server, job_timeout_s=0.3)
    assert server.seen[-2:] == [("POST", "/queue"), ("POST", "/interrupt")]


class Changed(Comfy):
    """Another history, or another answer to the workflow."""

    def __init__(self, *, queued=None, outputs=None):
        super().__init__(asks=0)
        self.queued, self.outputs = queued, outputs

    def answer(self, handler, path, body):
        if path == "/prompt" and self.queued is not None:
            handler.answer_json(self.queued)
        else:
            super().answer(handler, path, body)

    def history(self):
        return {"c-1": {"outputs": self.outputs, "status": {"status_str": "success"}}}


@pytest.mark.parametrize(
    ("server", "problem"),
    [
        (Changed(queued={"prompt_id": "c-1", "node_errors": {"3": "no such model"}}), "no such model"),
        (Changed(queued={"prompt_id": "../queue", "node_errors": {}}), "was not queued"),
        (Changed(queued={}), "was not queued"),
        (Changed(outputs={}), "0 nodes of the workflow made files"),
        (Changed(outputs={"8": {"images": [{}]}, "9": {"images": [{}]}}), "2 nodes"),
        (Changed(outputs={"9": {"images": [{"subfolder": ""}]}}), "no filename"),
        (Changed(outputs=None), "0 nodes"),
    ],
)
def test_any_other_answer_is_refused(server, problem):
    with pytest.raises(ProviderError, match=problem):
        ask(server)
