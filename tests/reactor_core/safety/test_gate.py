from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from reactor_core.errors import ActionBlocked, ActionDenied, ApprovalInvalid, ConfigError, Halted, JournalError
from reactor_core.events.event import Event
from reactor_core.events.vocabulary import EventType
from reactor_core.integration import EventBridge
from reactor_core.safety.confirm import Approvals, Method, Said
from reactor_core.safety.engine import Decision
from reactor_core.safety.gate import SafetyGate
from reactor_core.safety.policy import Policy, Rule
from reactor_core.safety.verdict import Finding, Verdict
from reactor_core.utils.settings import Settings

SAFETY = [
    EventType.SAFETY_AUDIT,
    EventType.SAFETY_BLOCKED,
    EventType.SAFETY_CONFIRMED,
    EventType.SAFETY_DENIED,
    EventType.SAFETY_OUTCOME,
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / ".git").mkdir(parents=True)
    (folder / "notes.txt").write_text("mine")
    return folder


def settings_of(tmp_path: Path, **changes: object) -> Settings:
    wanted = {"workspace": tmp_path / "workspace", "state_dir": tmp_path / "state"}
    return Settings(**{**wanted, "safety_confirmation_timeout_seconds": 20, **changes})


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[EventBridge]:
    with EventBridge(settings=settings_of(tmp_path)) as made:
        yield made


@pytest.fixture
def gate(bridge: EventBridge, project: Path) -> Iterator[SafetyGate]:
    with SafetyGate(bridge, cwd=project) as made:
        yield made


def told(bridge: EventBridge) -> list[Event]:
    return [event for event in bridge.journal.read() if event.event_type in SAFETY]


def answering(bridge: EventBridge, *, yes: bool) -> Approvals:
    """People who answer every question at once, and not at the terminal of whoever runs the tests."""
    return Approvals(bridge, approver=lambda question, stop: Said(yes, "alice", Method.TEXT, "go on" if yes else "no"))


async def test_an_allowed_action_runs_and_leaves_its_decision_and_outcome(
    gate: SafetyGate, bridge: EventBridge
) -> None:
    async with gate.guard("echo hello", context={"task": "greet"}) as permit:
        done = await permit.run()
    assert (done.exit_code, done.stdout) == (0, b"hello\n")
    decision, outcome = told(bridge)
    assert decision.event_type is EventType.SAFETY_AUDIT
    assert decision.data | {"risky_steps": None} == {
        "action": "echo hello",
        "goal": "echo hello",
        "plan_steps": 1,
        "verdict": "SAFE",
        "risk_level": "LOW",
        "risky_steps": None,
        "confirmation_required": False,
    }
    recorded = decision.metadata["decision"]
    assert (recorded["action"], recorded["kind"], recorded["verdict"]) == ("echo hello", "shell", "allow")
    assert (recorded["id"], recorded["cwd"]) == (permit.decision_id, gate.setting.cwd)
    assert decision.metadata["context"] == {"task": "greet"}
    assert outcome.event_type is EventType.SAFETY_OUTCOME
    assert {"decision_id": permit.decision_id, "outcome": "completed", "exit_code": 0}.items() <= outcome.data.items()


def test_a_blocked_action_raises_and_is_written_down(gate: SafetyGate, bridge: EventBridge) -> None:
    with pytest.raises(ActionBlocked, match="B3") as caught:
        with gate.guard("DROP TABLE users", kind="sql"):
            pytest.fail("it was let through")
    assert isinstance(caught.value.decision, Decision)
    (event,) = told(bridge)
    assert event.event_type is EventType.SAFETY_BLOCKED
    assert (event.data["safety_tier"], event.data["auto_blocked"]) == ("TIER_1_CRITICAL", True)
    assert event.metadata["decision"]["rules"][0] == "B3"


def test_the_decision_is_on_disk_before_anything_runs(gate: SafetyGate, bridge: EventBridge) -> None:
    with gate.guard("SELECT 1", kind="sql"):
        # Another connection to the file, as another process would have.
        database = sqlite3.connect(f"file:{bridge.journal.path}?mode=ro", uri=True)
        found = database.execute("SELECT count(*) FROM events WHERE event_type = 'safety_audit'").fetchone()
        database.close()
        assert found == (1,)


@pytest.mark.parametrize("use_async", [False, True])
def test_an_action_that_was_agreed_to_runs_once_with_the_answer_in_the_trail(
    bridge: EventBridge, project: Path, use_async: bool
) -> None:
    def enter() -> None:
        with gate.guard("rm notes.txt") as permit:
            permit.run_sync()

    async def enter_async() -> None:
        async with gate.guard("rm notes.txt") as permit:
            await permit.run()

    with SafetyGate(bridge, cwd=project, approver=answering(bridge, yes=True)) as gate:
        asyncio.run(enter_async()) if use_async else enter()
    assert not (project / "notes.txt").exists()
    events = told(bridge)
    assert [str(event.event_type) for event in events] == [
        "safety_audit", "safety_confirmed", "safety_outcome", "safety_outcome",
    ]  # fmt: skip
    assert events[0].data["verdict"] == "REQUIRES_CONFIRMATION"
    assert events[0].data["confirmation_required"] is True
    assert [event.data["outcome"] for event in events[2:]] == ["started", "completed"]
    assert len({event.metadata.get("decision_id", event.data.get("decision_id")) for event in events}) == 1


@pytest.mark.parametrize("use_async", [False, True])
def test_an_action_that_was_refused_does_not_run(bridge: EventBridge, project: Path, use_async: bool) -> None:
    def enter() -> None:
        with gate.guard("rm notes.txt"):
            pytest.fail("it was let through")

    async def enter_async() -> None:
        async with gate.guard("rm notes.txt"):
            pytest.fail("it was let through")

    with SafetyGate(bridge, cwd=project, approver=answering(bridge, yes=False)) as gate:
        with pytest.raises(ActionDenied, match="alice said no"):
            asyncio.run(enter_async()) if use_async else enter()
    assert (project / "notes.txt").exists()
    assert [event.data.get("outcome") for event in told(bridge)][-1] == "refused"


def test_nobody_who_answers_in_time_is_a_no(tmp_path: Path, project: Path) -> None:
    settings = settings_of(tmp_path, safety_confirmation_timeout_seconds=0.05)
    with EventBridge(settings=settings) as bridge, SafetyGate(bridge, cwd=project) as gate:
        with pytest.raises(ActionDenied, match="nobody answered in time"):
            with gate.guard("rm notes.txt"):
                pytest.fail("it was let through")
    assert (project / "notes.txt").exists()


async def test_a_caller_who_stops_waiting_withdraws_the_question(gate: SafetyGate, bridge: EventBridge) -> None:
    async def enter() -> None:
        async with gate.guard("rm notes.txt"):
            pytest.fail("it was let through")

    asked = asyncio.Event()

    @bridge.on_event(EventType.SAFETY_ASKED)
    async def hear(event: Event) -> None:
        loop.call_soon_threadsafe(asked.set)

    loop = asyncio.get_running_loop()
    waiting = asyncio.create_task(enter())
    await asked.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert gate.approvals.questions() == []
    assert told(bridge)[-1].data["outcome"] == "abandoned"


def test_words_in_a_chat_release_nothing_that_the_rules_block(gate: SafetyGate) -> None:
    def enter(*, release: bool = False) -> None:
        with gate.guard("DROP TABLE users", kind="sql", release=release):
            pytest.fail("it was let through")

    with pytest.raises(ActionBlocked, match="reactor safety approve"):
        enter(release=True)
    (question,) = gate.approvals.questions()
    assert question.people == 2
    with pytest.raises(ApprovalInvalid):
        gate.approvals.say(question.ticket_id, Said(True, "alice", Method.TEXT))
    with pytest.raises(ActionBlocked):
        enter()


def test_a_tripped_switch_lets_nothing_through(gate: SafetyGate, bridge: EventBridge) -> None:
    with gate.guard("touch made") as permit:
        bridge.latch.trip(reason="enough")
        with pytest.raises(Halted):
            permit.run_sync()
    for action, kind in (("touch made", "shell"), ("SELECT 1", "sql")):
        with pytest.raises(Halted, match="enough"):
            with gate.guard(action, kind=kind):
                pytest.fail("it was let through")
    assert not Path(gate.setting.cwd, "made").exists()
    assert [event.data.get("outcome") for event in told(bridge)] == [None, "halted"]


def test_a_switch_that_is_tripped_while_people_think_wins_over_their_yes(bridge: EventBridge, project: Path) -> None:
    def think(question: object, stop: threading.Event) -> Said:
        bridge.latch.trip(reason="enough")
        return Said(True, "alice", Method.TEXT)

    with SafetyGate(bridge, cwd=project, approver=Approvals(bridge, approver=think)) as gate:
        with pytest.raises(Halted):
            with gate.guard("rm notes.txt"):
                pytest.fail("it was let through")
    assert (project / "notes.txt").exists()


def test_a_permit_is_for_one_use(gate: SafetyGate) -> None:
    with gate.guard("true") as permit:
        permit.run_sync()
        with pytest.raises(ApprovalInvalid, match="used up"):
            permit.run_sync()
    with gate.guard("true") as unused:
        pass
    with pytest.raises(ApprovalInvalid, match="used up"):
        unused.run_sync()


def test_what_the_caller_does_himself_has_an_outcome_too(gate: SafetyGate, bridge: EventBridge) -> None:
    with gate.guard("SELECT 1", kind="sql"):
        pass
    with pytest.raises(ZeroDivisionError):
        with gate.guard("SELECT 1", kind="sql"):
            raise ZeroDivisionError
    outcomes = [event.data for event in told(bridge) if event.event_type is EventType.SAFETY_OUTCOME]
    assert [(data["outcome"], data["detail"]) for data in outcomes] == [
        ("completed", "by the caller"), ("failed", "by the caller: ZeroDivisionError"),
    ]  # fmt: skip


async def test_a_function_is_a_step_with_an_outcome(gate: SafetyGate, bridge: EventBridge) -> None:
    async def send(text: str) -> str:
        await asyncio.sleep(0)
        return text.upper()

    async def fail() -> None:
        raise OSError("no network")

    async with gate.guard("SELECT 1", kind="sql") as permit:
        assert await permit.perform(send, "done") == "DONE"
    with pytest.raises(OSError, match="no network"):
        async with gate.guard("SELECT 1", kind="sql") as permit:
            await permit.perform(fail)
    assert [event.data["outcome"] for event in told(bridge)[1::2]] == ["completed", "failed"]
    with pytest.raises(ConfigError, match="not a program"):
        async with gate.guard("SELECT 1", kind="sql") as permit:
            await permit.run()


def test_added_variables_are_part_of_the_action(gate: SafetyGate) -> None:
    with gate.guard("echo $NAME", env={"NAME": "value"}) as permit:
        assert permit.run_sync().stdout == b"value\n"
    assert permit.action == "export NAME=value\necho $NAME"
    with gate.guard(("printenv", "NAME"), env={"NAME": "a b"}) as permit:
        assert permit.run_sync().stdout == b"a b\n"
    assert permit.action == "NAME='a b' printenv NAME"
    with gate.guard("print(1)", kind="python", env={"NAME": "x"}) as permit:
        assert permit.run_sync().stdout == b"1\n"
    assert permit.decision.kind == "python"
    preload = gate.judge(("ls",), env={"LD_PRELOAD": "/tmp/x.so"})
    assert preload.verdict is not Verdict.ALLOW


def test_an_answer_is_bound_to_the_bytes_of_the_script(gate: SafetyGate, project: Path) -> None:
    script = project / "steps.sh"
    script.write_text("echo one\n")
    first = gate.judge("bash steps.sh").action_hash
    assert gate.judge("bash steps.sh").action_hash == first
    script.write_text("echo two\n")
    assert gate.judge("bash steps.sh").action_hash != first


def test_a_script_that_changes_after_the_judgement_does_not_run(gate: SafetyGate, project: Path) -> None:
    script = project / "steps.sh"
    script.write_text("echo judged\n")
    with gate.guard("bash steps.sh && true") as permit:
        script.write_text("touch made\n")
        with pytest.raises(ApprovalInvalid, match="changed after it was judged"):
            permit.run_sync()
    script.write_text("echo judged\n")
    with gate.guard(("bash", "steps.sh")) as permit:
        script.write_text("touch made\n")
        assert permit.run_sync().stdout == b"judged\n"
    assert not (project / "made").exists()


def test_a_second_opinion_may_ask_and_never_allow(bridge: EventBridge, project: Path) -> None:
    def careful(decision: Decision) -> Finding:
        return Finding(Verdict.BLOCK, "model", "looks odd")

    def broken(decision: Decision) -> Finding:
        raise RuntimeError("no model")

    def silent(decision: Decision) -> None:
        return None

    verdicts = {}
    for opinion in (careful, broken, silent):
        with SafetyGate(bridge, cwd=project, opinion=opinion) as gate:
            verdicts[opinion.__name__] = [
                gate.judge("SELECT 1", "sql").verdict.value, gate.judge("DROP TABLE t", "sql").verdict.value,
            ]  # fmt: skip
    assert verdicts == {
        "careful": ["confirm", "block"],
        "broken": ["confirm", "block"],
        "silent": ["allow", "block"],
    }


def test_the_organisations_rules_take_part(bridge: EventBridge, project: Path) -> None:
    policy = Policy(rules=(Rule(name="no invoices", verdict=Verdict.BLOCK, tables=("invoices",)),))
    with SafetyGate(bridge, cwd=project, policy=policy) as gate:
        assert gate.judge("SELECT * FROM invoices", "sql").rules == ("no invoices",)


def test_a_plan_is_judged_as_a_whole_before_its_first_step(gate: SafetyGate, bridge: EventBridge) -> None:
    audit = gate.audit_plan_sync(
        "Update production database schema",
        ["echo start", ("sql", "ALTER TABLE users ADD COLUMN age int"), {"action": "DROP TABLE users", "kind": "sql"}],
    )
    assert (audit.audit_verdict, audit.risk_level, audit.verdict) == ("BLOCKED", "CRITICAL", Verdict.BLOCK)
    assert dict(audit.risky_steps[-1]) | {"risk": ""} == {
        "step": 3, "action": "DROP TABLE users", "risk": "", "severity": "CRITICAL", "rule": "B3",
    }  # fmt: skip
    (event,) = told(bridge)
    assert event.event_id == audit.event_id
    assert (event.data["goal"], event.data["plan_steps"]) == ("Update production database schema", 3)
    assert event.data["action"] == event.data["goal"]
    assert [record["verdict"] for record in event.metadata["plan"]][::2] == ["allow", "block"]


def test_an_empty_plan_is_safe_and_a_wrong_one_an_error(gate: SafetyGate) -> None:
    assert gate.audit_plan_sync("nothing", []).audit_verdict == "SAFE"
    with pytest.raises(ConfigError, match="has no action"):
        gate.audit_plan_sync("wrong", [{"kind": "sql"}])
    with pytest.raises(ConfigError, match="is unknown"):
        gate.audit_plan_sync("wrong", [("poetry", "roses are red")])


def test_what_is_not_audited_by_choice_is_said_once_and_refusals_stay(tmp_path: Path, project: Path) -> None:
    with (
        EventBridge(settings=settings_of(tmp_path, safety_audit_enabled=False)) as bridge,
        SafetyGate(bridge, cwd=project) as gate,
    ):
        with gate.guard("SELECT 1", kind="sql"):
            pass
        with pytest.raises(ActionBlocked), gate.guard("DROP TABLE t", kind="sql"):
            pytest.fail("it was let through")
        types = [str(event.event_type) for event in bridge.journal.read()]
    assert types == ["config_changed", "safety_blocked"]


def test_a_closed_journal_lets_nothing_through(tmp_path: Path, project: Path) -> None:
    bridge = EventBridge(settings=settings_of(tmp_path))
    gate = SafetyGate(bridge, cwd=project)
    bridge.close()
    for action, kind in (("touch made", "shell"), ("SELECT 1", "sql"), ("DROP TABLE t", "sql")):
        with pytest.raises(JournalError):
            with gate.guard(action, kind=kind):
                pytest.fail("it was let through")
    gate.close()
    assert not (project / "made").exists()


def test_a_closed_gate_ends_what_it_started(bridge: EventBridge, project: Path) -> None:
    gate = SafetyGate(bridge, cwd=project)
    with gate.guard("sleep 1000") as permit:
        process = permit.spawn_sync()
    assert process.poll() is None
    gate.close()
    assert process.poll() is not None
    with pytest.raises(Halted), gate.guard("true"):
        pytest.fail("it was let through")
