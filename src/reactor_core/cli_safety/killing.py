"""``reactor kill``: halt everything, see how it stands, end the halt."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from reactor_core.errors import ConfigError
from reactor_core.events.latch import Latch
from reactor_core.safety.kill.switch import pull_switch, watcher_standing
from reactor_core.utils.command import print_json
from reactor_core.utils.settings import Settings, load_settings

__all__ = ["kill", "reset", "status"]

Flag = Annotated[bool, Parameter(negative=())]


def kill(*, reason: str, json: Flag = False) -> None:
    """Halt everything that joined this workspace."""
    settings = load_settings()
    settings.workspace.mkdir(parents=True, exist_ok=True)
    report = pull_switch(settings, method="cli", reason=reason, by=getpass.getuser())
    if json:
        print_json(
            {
                "epoch": report.epoch,
                "event_id": report.event_id,
                "response_time_ms": report.response_time_ms,
                "stopped": report.stopped,
                "survivors": list(report.survivors),
                "steps_pending": report.steps_pending,
            }
        )
        return
    print(f"halted (epoch {report.epoch}) after {report.response_time_ms:.1f} ms; processes stopped: {report.stopped}")
    if report.steps_pending:
        print(f"atomic steps that are still being finished: {report.steps_pending}")
    if report.survivors:
        print(f"could not be stopped, end them yourself: {', '.join(map(str, report.survivors))}")


def status(*, json: Flag = False) -> None:
    """Say whether everything is halted, since when and why.

    Parameters
    ----------
    json
        Print one JSON object.
    """
    settings = load_settings()
    found = _status(settings)
    if json:
        print_json(found)
        return
    if not found["enabled"]:
        print("the switch is disabled: KILL_SWITCH_ENABLED is false")
    if found["tripped"]:
        print(f"halted since {found['at']} (epoch {found['epoch']}): {found['reason']}; by {found['by']}")
        print("to end it: reactor kill reset --because 'why that is safe'")
    else:
        print("not halted")
    watcher = found["watcher"]
    if watcher is None:
        print("no watcher runs: nothing acts under the switch")
        return
    print(f"watcher {watcher['pid']}: {', '.join(watcher['stations']) or 'no station'}")
    for what in watcher["actions"]:
        print(f"  acts: {what}")
    print(f"  watches: {', '.join(watcher['triggers']) or 'no screen'}")


def reset(
    *,
    because: str = "",
    epoch: int | None = None,
    code: str | None = None,
    note: Path | None = None,
    json: Flag = False,
) -> None:
    """End the halt. Whatever was stopped stays stopped until somebody starts it.

    Parameters
    ----------
    because
        Why that is safe; it is recorded.
    epoch
        The halt that is meant, as status shows it; a later one stays. By default the present one.
    code
        A code of an authenticator; asked at the terminal if absent.
    note
        File with a signed note of an approver's key instead, about `kill-reset JOURNAL EPOCH`.
    json
        Print one JSON object.
    """
    from reactor_core.integration.event_bridge import EventBridge
    from reactor_core.safety.confirm import require_second_factor

    settings = load_settings()
    if not Latch(settings.workspace).state().tripped:
        raise ConfigError("nothing is halted", remedy="reactor kill status")
    with EventBridge("user", workspace=settings.workspace, settings=settings, fallback_to_file=False) as bridge:
        state = bridge.latch.state()
        chosen = state.tripped_epoch if epoch is None else epoch
        proof = require_second_factor(
            f"end the halt with epoch {chosen} ({state.reason})",
            settings=settings,
            bind=f"kill-reset {bridge.journal.journal_id} {chosen}",
            code=code,
            note=None if note is None else note.read_text(encoding="utf-8"),
        )
        evidence = {**proof.as_dict(), "because": because, "account": getpass.getuser()}
        cleared = bridge.latch.clear(chosen, by=proof.person, evidence=evidence)
    if json:
        print_json({"cleared_epoch": cleared.cleared_epoch, "tripped": cleared.tripped, "by": proof.person})
    else:
        print(f"the halt with epoch {cleared.cleared_epoch} is over; nothing was started again")


def _status(settings: Settings) -> dict[str, Any]:
    state = Latch(settings.workspace).state()
    standing = watcher_standing(settings.workspace)
    return {
        **state.as_dict(),
        "enabled": settings.kill_switch_enabled,
        "watcher": None
        if standing is None
        else {
            "pid": standing.pid,
            "stations": list(standing.stations),
            "actions": list(standing.actions),
            "triggers": list(standing.triggers),
        },
    }
