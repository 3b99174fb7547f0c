"""Programs that use answers of people are killed with ``kill -9``: an answer releases its action once, or never."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

from tests.faults.harness.tally import Tally
from tests.faults.harness.waiting import wait_until

from reactor_core.events import EventType, Journal
from reactor_core.safety.confirm.store import QuestionReader

WORKER = """
import hashlib, os, sys
from pathlib import Path
from reactor_core.errors import ApprovalInvalid
from reactor_core.integration import EventBridge
from reactor_core.safety.confirm import Approvals, Method, Said
from reactor_core.safety.engine import Decision
from reactor_core.safety.verdict import Verdict
from reactor_core.utils.settings import Settings

folder, name, life = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
ran = os.open(folder / f"{name}.ran", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

def decide(action):
    return Decision(action=action, kind="shell", verdict=Verdict.CONFIRM, findings=(), resolved=(action,),
                    action_hash=hashlib.sha256(action.encode()).hexdigest())

settings = Settings(workspace=folder / "work", state_dir=folder / "state")
with EventBridge("jarvis_agent", settings=settings) as bridge, Approvals(bridge) as approvals:
    for number in range(10_000):
        if name == "asker":
            ticket = approvals.request(decide(f"{life} {number}"), session="agent")
            approvals.say(ticket.ticket_id, Said(True, "dev", Method.TEXT))
        for question in approvals.questions(only_open=False, limit=20):
            if question.state != "confirmed":
                continue
            decision, record = decide(question.asked.action), ("started", {"ticket": question.ticket_id})
            try:
                approvals.consume(question.ticket_id, decide(decision.action + " and more"), events=[record])
                os.write(ran, f"changed {question.ticket_id}\\n".encode())
            except ApprovalInvalid:
                pass
            try:
                approvals.consume(question.ticket_id, decision, events=[record])
            except ApprovalInvalid:
                continue
            os.write(ran, f"ran {question.ticket_id}\\n".encode())
"""


def start(folder: Path, name: str, life: int) -> subprocess.Popen[bytes]:
    with (folder / f"{name}-{life}.stderr").open("wb") as errors:
        return subprocess.Popen([sys.executable, "-c", WORKER, str(folder), name, str(life)], stderr=errors)


def lines(folder: Path) -> list[str]:
    return [line for path in sorted(folder.glob("*.ran")) for line in path.read_text(encoding="utf-8").splitlines()]


def test_an_answer_releases_its_action_once_or_never_whoever_is_killed(tmp_path: Path, tally: Tally) -> None:
    for life in tally.times(3):
        before = len(lines(tmp_path))
        workers = [start(tmp_path, name, life) for name in ("asker", "other")]
        try:
            enough = before + tally.chance.randrange(5, 25)
            wait_until(lambda enough=enough: len(lines(tmp_path)) >= enough, "some actions ran")
        finally:
            tally.chance.shuffle(workers)
            for worker in workers:
                worker.kill()
                worker.wait()
        tally.run()
    for path in tmp_path.glob("*.stderr"):
        assert path.read_text(encoding="utf-8") == "", path
    with Journal(tmp_path / "work" / "reactor.db") as journal:
        assert journal.verify().ok
        started = Counter(event.data["ticket"] for event in journal.read() if event.event_type == "started")
        told = Counter(
            event.metadata["confirmation_id"]
            for event in journal.read()
            if event.event_type == EventType.SAFETY_CONFIRMED
        )
        reader = journal.open_reader(QuestionReader)
        questions = reader.questions(only_open=False, limit=100_000)
        reader.close()
    ran = Counter(lines(tmp_path))
    assert not [line for line in ran if line.startswith("changed")], "a changed action ran"
    assert {line: count for line, count in ran.items() if count > 1} == {}, "an action ran twice"
    assert {line.removeprefix("ran ") for line in ran} <= set(started), "an action ran without its record"
    for question in questions:
        assert started[question.ticket_id] == (question.state == "used"), question
        assert told[question.ticket_id] == (question.state in ("confirmed", "used")), question
        assert len(question.answers) == (question.state in ("confirmed", "used")), question
    tally.count("answers used", started.total())
    assert started.total() > 0
