"""The one door: an action is judged, written down, asked about where that is needed, and only then runs.

::

    with EventBridge() as bridge, SafetyGate(bridge) as gate:
        async with gate.guard("rm -rf build", kind="shell") as permit:
            done = await permit.run()

What runs is what was judged. When something goes wrong on the way (the journal cannot be written, the kill switch is
tripped, nobody answers, a file has changed), nothing runs.
"""

from __future__ import annotations

import asyncio
import getpass
import hashlib
import logging
import shlex
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import msgspec

from reactor_core.errors import ActionBlocked, ReactorError
from reactor_core.events.vocabulary import EventType
from reactor_core.safety.audit import erase_old
from reactor_core.safety.confirm import Approvals
from reactor_core.safety.engine import Decision, judge_action
from reactor_core.safety.execution import Prepared, Seen, clean_environment, in_words, prepare
from reactor_core.safety.guarding import Admitted, Guarding, Order
from reactor_core.safety.kill import Station
from reactor_core.safety.machine import Machine
from reactor_core.safety.permit import Permit
from reactor_core.safety.plan import PlanAudit, Step, as_step
from reactor_core.safety.policy import Policy, load_policy
from reactor_core.safety.record import Recorder
from reactor_core.safety.redact import Redactor
from reactor_core.safety.scope import Disk
from reactor_core.safety.setting import Setting
from reactor_core.safety.starting import Starter
from reactor_core.safety.verdict import Finding, Verdict
from reactor_core.utils.ids import new_id
from reactor_core.utils.settings import process_environment

if TYPE_CHECKING:
    from reactor_core.integration.event_bridge import EventBridge
    from reactor_core.safety.confirm import Ticket

__all__ = ["Opinion", "SafetyGate"]

_log = logging.getLogger(__name__)

Opinion = Callable[[Decision], Finding | None]
"""A second opinion: a reason to ask about an action that would be allowed, or None."""

_MACHINE = Machine()


class SafetyGate:
    """Decides about actions and runs those that may run. Every method may be called from any thread.

    Args:
        bridge: The workspace: its journal, its kill switch.
        cwd: Folder that actions start in; None takes the process's. Its project's ``reactor.toml`` is the policy.
        setting: What is assumed about machine and project; None finds out.
        policy: The organisation's rules; None reads them (``SAFETY_POLICY_FILE``, else ``reactor.toml``).
        approver: Where people are asked; None asks through the workspace: API, ``reactor safety approve``.
        station: Its connection to the kill switch; None takes the workspace's.
        opinion: A second opinion, such as a model's. It may have an allowed action asked about, and nothing else.
        disk: The machine to look at; None judges by the text alone, so that every script has to be asked about.
        session: Who acts, so that he cannot answer his own questions; None makes a name.

    Raises:
        ConfigError: The policy cannot be read.
        JournalError: An operator's choice to audit less could not be written down.
    """

    def __init__(
        self,
        bridge: EventBridge,
        *,
        cwd: Path | None = None,
        setting: Setting | None = None,
        policy: Policy | None = None,
        approver: Approvals | None = None,
        station: Station | None = None,
        opinion: Opinion | None = None,
        disk: Disk | None = _MACHINE,
        session: str | None = None,
    ) -> None:
        self.bridge = bridge
        self.session = session or f"session {new_id()}"
        self._environment = process_environment()
        found_policy, found_setting = self._look_around(cwd)
        self.setting = found_setting if setting is None else setting
        self.policy = found_policy if policy is None else policy
        self._disk = disk
        self._opinion = opinion
        redactor = self._redactor = Redactor.of(self._environment, project=Path(self.setting.project))
        self.recorder = Recorder(
            bridge, redactor=redactor, session=self.session, audit=bridge.settings.safety_audit_enabled
        )
        if not bridge.settings.safety_audit_enabled:
            _log.warning("SAFETY_AUDIT_ENABLED is false: what the gate allows is not written down")
            bridge.publish_sync(EventType.CONFIG_CHANGED, {"setting": "safety_audit_enabled", "value": False})
        self._own_approvals = approver is None
        self.approvals = Approvals(bridge, redact=redactor.text) if approver is None else approver
        self._own_station = station is None
        self.station = Station(bridge) if station is None else station
        erase_old(bridge, approvals=self.approvals)
        self._starter = Starter()
        self._lock = threading.Lock()
        self._permits: set[Permit] = set()

    def guard(
        self,
        action: str | Sequence[str],
        kind: str = "shell",
        *,
        cwd: str | Path | None = None,
        env: Mapping[str, str] | None = None,
        context: Mapping[str, Any] | None = None,
        release: bool = False,
        by_caller: bool = False,
        doubts: Sequence[str] = (),
    ) -> Guarding:
        """Judge an action; entering the answer with ``async with`` or ``with`` gives the permit, or raises.

        Args:
            action: A command line, or its words if no shell is to read it; for other kinds the action's text.
            kind: shell, sql, gui, file, network, cloud, email or python.
            cwd: Folder that it starts in; None takes the gate's.
            env: Variables that it gets beside those of this process. They are part of the action.
            context: What else is known, as JSON values: it is written down and shown to who is asked.
            release: Where the action is blocked, ask two people to release it; the answer counts for the next try.
            by_caller: The caller does it himself and needs no program prepared; the permit cannot run it.
            doubts: Reasons of somebody else to ask about it although the rules would allow it.

        Raises on entering:
            ActionBlocked: The rules refuse it.
            ActionDenied: A person refused it, or nobody answered in time.
            ApprovalInvalid: The answer cannot be used.
            ConfigError: The kind is unknown, the folder or the program is not there.
            Halted: The kill switch is tripped.
            JournalError: The decision could not be written down.
        """
        words = action if isinstance(action, str) else tuple(action)
        order = Order(words, kind, cwd, dict(env or {}), dict(context or {}), release, by_caller, tuple(doubts))
        return Guarding(self, order)

    guard_sync = guard

    def judge(
        self,
        action: str | Sequence[str],
        kind: str = "shell",
        *,
        cwd: str | Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Decision:
        """What the gate would decide. Nothing is written down, nobody is asked, nothing can run by it."""
        words = action if isinstance(action, str) else tuple(action)
        decision, prepared = self._judged(Order(words, kind, cwd, dict(env or {}), {}))
        if prepared is not None:
            prepared.close()
        return decision

    def audit_plan_sync(self, goal: str, steps: Sequence[Step]) -> PlanAudit:
        """Judge all steps of a plan before its first one, and write it down as one SAFETY_AUDIT.

        Nothing runs by it: each step still goes through :meth:`guard`.

        Args:
            goal: What the plan is for.
            steps: Actions as text (shell), pairs of kind and action, or objects with ``action``, ``kind``, ``cwd``.

        Raises:
            ConfigError: A step is none of these, or its kind is unknown.
            JournalError: It could not be written down.
        """
        orders = [as_step(step) for step in steps]
        decisions = [self.judge(order.action, order.kind, cwd=order.cwd) for order in orders]
        for decision in decisions:
            self._redactor.learn(decision.action)
        named = [(new_id(), decision) for decision in decisions]
        strictest = max(decisions, key=lambda decision: decision.verdict.rank, default=self.judge("", "shell"))
        event, risky = self.recorder.plan(goal, named, verdict=strictest, cwd=self.setting.cwd)
        return PlanAudit.of(goal, tuple(decisions), strictest, tuple(risky), event.event_id)

    async def audit_plan(self, goal: str, steps: Sequence[Step]) -> PlanAudit:
        """:meth:`audit_plan_sync` without blocking the caller's loop."""
        return await asyncio.to_thread(self.audit_plan_sync, goal, steps)

    def close(self) -> None:
        """End what runs, let go of everything. The bridge stays open."""
        with self._lock:
            permits, self._permits = list(self._permits), set()
        for permit in permits:
            permit.stop()
        self._starter.close()
        if self._own_station:
            self.station.close()
        if self._own_approvals:
            self.approvals.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.close)

    def decide(self, order: Order) -> Admitted:
        """The first half of entering: judge and write down. For :class:`Guarding`."""
        self.station.check()
        decision, prepared = self._judged(order)
        self._redactor.learn(decision.action)
        decision_id = new_id()
        cwd = self._folder(order)
        try:
            self.recorder.decision(decision, decision_id, cwd=cwd, context=order.context)
            ticket: Ticket | None = None
            if decision.verdict is Verdict.BLOCK:
                ticket = self.approvals.release_for(decision)
                if ticket is None:
                    raise self._blocked(decision, decision_id, order, cwd)
            elif decision.verdict is Verdict.CONFIRM:
                ticket = self._ask(decision, decision_id, order, cwd)
        except BaseException:
            if prepared is not None:
                prepared.close()
            raise
        return Admitted(decision, decision_id, prepared, ticket)

    def admit(self, admitted: Admitted) -> Permit:
        """The second half: use up the answer, hand out the permit. For :class:`Guarding`."""
        decision, decision_id = admitted.decision, admitted.decision_id
        try:
            self.station.check()
            if admitted.ticket is not None:
                started = self.recorder.outcome_of(decision, decision_id, "started")
                named = {"decision_id": decision_id, "session": self.session}
                self.approvals.consume(admitted.ticket, decision, events=[(*started, named)])
        except ReactorError as error:
            self.refuse(admitted, str(error))
            raise

        def settle(outcome: str, **details: Any) -> None:
            with self._lock:
                self._permits.discard(permit)
            self.recorder.outcome(decision, decision_id, outcome, **details)

        permit = Permit(
            decision,
            decision_id,
            prepared=admitted.prepared,
            starter=self._starter,
            station=self.station,
            settle=settle,
            shown=self.recorder.text(decision.action),
        )
        with self._lock:
            self._permits.add(permit)
        return permit

    def refuse(self, admitted: Admitted, why: str, *, outcome: str = "refused") -> None:
        """Write down that a judged action does not run. For :class:`Guarding`."""
        if admitted.prepared is not None:
            admitted.prepared.close()
        self.recorder.outcome(admitted.decision, admitted.decision_id, outcome, detail=why)

    def _judged(self, order: Order) -> tuple[Decision, Prepared | None]:
        env = clean_environment(self._environment, order.env)
        seen = None if self._disk is None else Seen(self._disk)
        kind, text = _as_judged(order)
        cwd = self._folder(order)
        decision = judge_action(text, kind, setting=self.setting, policy=self.policy, disk=seen, cwd=cwd, variables=env)
        decision = self._second_thought(decision, order.doubts)
        if decision.kind != order.kind:
            decision = msgspec.structs.replace(decision, kind=order.kind)
        files = {} if seen is None else seen.files
        prepared = None
        if not order.by_caller:
            prepared = prepare(order.action, order.kind, cwd=cwd, env=env, added=order.env, seen=files)
        if prepared is not None:
            both = f"{decision.action_hash} {prepared.fingerprint}".encode()
            decision = msgspec.structs.replace(decision, action_hash=hashlib.sha256(both).hexdigest())
        return decision, prepared

    def _second_thought(self, decision: Decision, doubts: Sequence[str]) -> Decision:
        """Have an allowed action asked about where somebody else has a reason to."""
        if decision.verdict is not Verdict.ALLOW:
            return decision
        findings = [Finding(Verdict.CONFIRM, "doubt", doubt) for doubt in doubts]
        if self._opinion is not None:
            try:
                finding = self._opinion(decision)
            except Exception as error:  # noqa: BLE001  fail closed: a person decides
                _log.exception("the second opinion failed")
                finding = Finding(Verdict.CONFIRM, "opinion", f"the second opinion failed ({type(error).__name__})")
            if finding is not None:
                findings.append(msgspec.structs.replace(finding, verdict=Verdict.CONFIRM))
        if not findings:
            return decision
        return msgspec.structs.replace(
            decision, verdict=Verdict.CONFIRM, findings=(*decision.findings, *findings), low_risk=False
        )

    def _ask(self, decision: Decision, decision_id: str, order: Order, cwd: str) -> Ticket:
        return self.approvals.request(
            self.recorder.shown(decision),
            session=self.session,
            decision_id=decision_id,
            cwd=cwd,
            context=self.recorder.clean(order.context),
        )

    def _blocked(self, decision: Decision, decision_id: str, order: Order, cwd: str) -> ActionBlocked:
        says = f"blocked by {decision.rules[0]}: {self.recorder.text(decision.sentence)}"
        if not order.release:
            return ActionBlocked(says, decision=decision, remedy="do it yourself, or have two people release it")
        ticket = self._ask(decision, decision_id, order, cwd)
        return ActionBlocked(
            says, decision=decision, remedy=f"two people can release it: reactor safety approve {ticket.ticket_id}"
        )

    def _folder(self, order: Order) -> str:
        return str(Path(self.setting.cwd, order.cwd or "").resolve())

    def _look_around(self, cwd: Path | None) -> tuple[Policy, Setting]:
        settings = self.bridge.settings
        return load_policy(
            Path.cwd() if cwd is None else Path(cwd),
            user=getpass.getuser(),
            home=Path.home(),
            policy_file=settings.safety_policy_file,
            protected=[self.bridge.workspace, settings.state_dir],
        )


def _as_judged(order: Order) -> tuple[str, str]:
    """Kind and text that are judged: added variables are part of the action, so they stand in front of it."""
    text = in_words(order.action)
    if not order.env or order.kind not in ("shell", "cloud", "python"):
        return order.kind, text
    added = [f"{name}={shlex.quote(value)}" for name, value in sorted(order.env.items())]
    if order.kind == "python":
        return "shell", " ".join([*added, "python3", "-c", shlex.quote(text)])
    if isinstance(order.action, str):
        return order.kind, f"export {' '.join(added)}\n{text}"
    return order.kind, " ".join([*added, text])
