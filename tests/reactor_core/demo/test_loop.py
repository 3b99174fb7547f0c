"""The whole loop with a tiny random model: every step is the real one, only the weights and the log are small."""

import json
import random
import signal
from contextlib import contextmanager

import pytest

from a1_reactor import plugin as a1_plugin
from reactor_core.demo.experience_log import DECISION_TYPES
from reactor_core.demo.loop import DemoOptions, Material, run_demo
from reactor_core.errors import DatasetError, Interrupted, PromotionRefused
from reactor_core.events.audit import verify_workspace
from reactor_core.integration import EventBridge
from reactor_core.serving.ask import evaluate_file, find_adapter, open_chat
from reactor_core.serving.registry import AdapterRegistry
from reactor_core.training.config import TrainingConfig
from reactor_core.utils.console import Silent

SIGNS = {"allow": "aaaa", "confirm": "mmmm", "block": "zzzz"}


def write_log(path, rows, seed, *, learnable):
    """Actions whose letters say the label, or say nothing."""
    draw = random.Random(seed)
    labels = list(SIGNS) * (rows // 3)
    lines = []
    for index, label in enumerate(labels):
        sign = SIGNS[label if learnable else draw.choice(list(SIGNS))]
        lines.append(
            {"action": f"{sign} {draw.randrange(10**6)}", "kind": "shell", "label": label, "template": f"t{index}"}
        )
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture
def make_material(tmp_path, model_folder):
    def make(*, learnable):
        return Material(
            model=str(model_folder("llama")),
            config=TrainingConfig(
                model_name=str(model_folder("llama")),
                chat_template="bare",
                learning_rate=1e-2,
                num_epochs=4 if learnable else 1,
                batch_size=8,
            ),
            pool=write_log(tmp_path / "pool.jsonl", 240, 1, learnable=learnable),
            heldout=write_log(tmp_path / "heldout.jsonl", 60, 2, learnable=learnable),
        )

    return make


@pytest.fixture
def settings(settings, tmp_path):
    return settings.model_copy(update={"a1_workspace": tmp_path / "clips", "machine_price_usd_per_hour": 3.6})


def test_a_turn_of_the_loop_links_everything_it_makes(make_material, settings, tmp_path, monkeypatch):
    monkeypatch.setattr(a1_plugin, "_SIDE", 64)
    also = write_log(tmp_path / "also.jsonl", 30, 3, learnable=True)
    summary = run_demo(DemoOptions(also=also), settings, Silent(), material=make_material(learnable=True))

    assert summary.before.accuracy < summary.after.accuracy
    assert summary.p_untuned < 0.05
    assert summary.p_majority < 0.05
    assert sum(map(sum, summary.after.confusion)) == summary.heldout_rows == 60
    assert summary.also.rows == 30
    assert summary.cost_nano_usd == round(summary.seconds * 10**6)  # 3.60 USD an hour are 10^6 nano-USD a second
    assert sum(step.seconds for step in summary.steps) <= summary.seconds

    card = json.loads((summary.adapter_dir / "card.json").read_text())
    assert card["metrics"]["dataset_hash"] == summary.dataset_hash
    entry = AdapterRegistry(settings.workspace).current()
    assert entry.entry_id == summary.adapter_id
    assert entry.evaluation["run_id"] == summary.run_id
    assert entry.evaluation["dataset_sha256"] == summary.dataset_hash
    assert tuple(entry.evaluation["event_range"]) == summary.event_range
    assert find_adapter("current", settings) == summary.adapter_dir.resolve()
    assert find_adapter(entry.entry_id[:12], settings) == summary.adapter_dir.resolve()

    first, last = summary.event_range
    assert last - first + 1 == 240
    chain = verify_workspace(settings.workspace)
    assert (chain.ok, chain.events, chain.head) == (True, summary.events, summary.chain_head)

    clip = summary.clip
    assert clip["regen_frames_changed"] + clip["regen_frames_untouched"] == clip["frames"] == clip["decoded_frames"]
    assert clip["lineage"]["run_id"] == summary.run_id

    page = summary.report_path.read_text()
    assert summary.run_id in page
    saved = json.loads(summary.report_path.with_name("summary.json").read_text())
    assert saved["verdict_accuracy_after"] == summary.after.accuracy

    # What the summary says of the registered adapter, a later process finds by asking it.
    model = make_material(learnable=True).model
    report = evaluate_file(
        tmp_path / "heldout.jsonl", adapter="current", model=model, settings=settings, narrator=Silent()
    )
    assert report.accuracy == summary.after.accuracy
    answer = open_chat(adapter="current", model=model, kind="shell", max_new_tokens=4, settings=settings)("zzzz 1")
    assert sum(answer.probabilities.values()) == pytest.approx(1)
    assert answer.text == max(answer.probabilities, key=answer.probabilities.get)


def test_an_adapter_that_learned_nothing_is_refused_and_nothing_is_registered(make_material, settings):
    with pytest.raises(PromotionRefused, match="not significantly better"):
        run_demo(DemoOptions(), settings, Silent(), material=make_material(learnable=False))
    assert AdapterRegistry(settings.workspace).current() is None
    assert verify_workspace(settings.workspace).ok


def test_a_bad_line_of_the_other_file_stops_before_any_work(make_material, settings, tmp_path):
    also = tmp_path / "also.jsonl"
    also.write_text('{"action": "ls", "kind": "shell", "label": "maybe"}\n')
    with pytest.raises(DatasetError, match=r"also\.jsonl:1: field 'label'"):
        run_demo(DemoOptions(also=also), settings, Silent(), material=make_material(learnable=True))
    assert not settings.workspace.exists()


class PressesControlC(Silent):
    """Sends this process a SIGINT when the step of that title first says how far it is."""

    def __init__(self, title):
        self.title = title

    @contextmanager
    def step(self, title):
        def advance(text, share):
            if title.startswith(self.title):
                self.title = "none any more"
                signal.raise_signal(signal.SIGINT)

        yield advance


@pytest.fixture
def _control_c_is_heard():
    """A shell starts background jobs with SIGINT ignored, and Python then leaves it so."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.slow
@pytest.mark.usefixtures("_control_c_is_heard")
def test_control_c_in_any_step_leaves_a_workspace_that_goes_on(make_material, settings, monkeypatch):
    monkeypatch.setattr(a1_plugin, "_SIDE", 64)
    material = make_material(learnable=True)
    for title in ("Record", "Judge before", "Fine-tune", "Judge after", "Generate"):
        with pytest.raises((KeyboardInterrupt, Interrupted)):
            run_demo(DemoOptions(), settings, PressesControlC(title), material=material)
        assert verify_workspace(settings.workspace).ok
    summary = run_demo(DemoOptions(), settings, Silent(), material=material)
    first, last = summary.event_range
    with EventBridge(workspace=settings.workspace) as bridge:
        decisions = bridge.get_events_by_type_sync(list(DECISION_TYPES))
    assert len(decisions) == 240  # an interrupted load went on, and a finished one was not repeated
    assert first <= decisions[0].seq <= decisions[-1].seq <= last
    assert not list(settings.workspace.rglob(".tmp-*"))
