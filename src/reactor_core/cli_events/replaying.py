"""``reactor events replay``: hand stored events to somebody again."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter

from reactor_core.cli_events.asking import NO_FILTERS, Filters, open_store
from reactor_core.cli_events.following import every
from reactor_core.cli_events.output import until_the_reader_is_gone
from reactor_core.cli_events.targets import open_target
from reactor_core.errors import ConfigError
from reactor_core.events.event import Event
from reactor_core.events.vocabulary import EventType
from reactor_core.utils.command import print_json
from reactor_core.utils.settings import load_settings

__all__ = ["paced", "replay"]

Json = Annotated[bool, Parameter(name="--json", negative=())]
Flag = Annotated[bool, Parameter(negative=())]

_KILL_SWITCH = {EventType.KILL_SWITCH_TRIGGERED, EventType.KILL_SWITCH_CLEARED}
# They speak of positions in the journal that they stand in.
_OF_ONE_JOURNAL = {EventType.PAYLOAD_ERASED, EventType.JOURNAL_COMPACTED}


@dataclass
class _Count:
    sent: int = 0
    kill_switch: int = 0
    left_out: int = 0


def replay(
    to: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    pace: float = 0.0,
    kill_switch: Flag = False,
    filters: Filters = NO_FILTERS,
    json: Json = False,
) -> None:
    """Hand stored events to somebody again.

    Parameters
    ----------
    to
        "-" for stdout, a hub (ws://HOST:PORT/ws/events), a JSON lines file that bridges share (ends in .jsonl), or the
        folder of a workspace.
    pace
        1 keeps the pauses as they were, 10 is ten times as fast, 0 makes none.
    kill_switch
        Send events of the kill switch too: who gets one that is new to it halts.
    json
        Say what was sent as one JSON object (not with "-").
    """
    settings = load_settings()
    wanted = filters.query()
    count = _Count()
    with until_the_reader_is_gone(), open_store(filters, settings) as store:
        events = paced(_chosen(every(store, wanted), count, kill_switch=kill_switch), pace)
        token = settings.event_bridge_token
        with open_target(to, token=None if token is None else token.get_secret_value()) as target:
            for event in events:
                target.send(event)
                count.sent += 1
            target.finish()
        if count.kill_switch:
            sys.stderr.write(f"{count.kill_switch} events of the kill switch left out (--kill-switch sends them)\n")
        if to == "-":
            return
        if json:
            left_out = count.kill_switch + count.left_out
            print_json({"to": to, "sent": count.sent, "known": target.known, "left_out": left_out})
        else:
            known = "" if target.known is None else f", {target.known} of them were known there"
            sys.stdout.write(f"{count.sent} events sent to {to}{known}\n")


def paced(
    events: Iterable[Event],
    pace: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[Event]:
    """Events with the pauses between their timestamps, divided by ``pace``; 0 makes none.

    Raises:
        ConfigError: The pace is negative or no number.
    """
    if not 0 <= pace < float("inf"):
        raise ConfigError(f"--pace {pace} is no pace", remedy="1 is as it was, 10 ten times as fast, 0 without pauses")
    begun = clock()
    first: float | None = None
    for event in events:
        if pace:
            moment = event.timestamp.timestamp()
            first = moment if first is None else first
            ahead = (moment - first) / pace - (clock() - begun)
            if ahead > 0:
                pause(ahead)
        yield event


def _chosen(events: Iterable[Event], count: _Count, *, kill_switch: bool) -> Iterator[Event]:
    for event in events:
        if event.event_type in _KILL_SWITCH and not kill_switch:
            count.kill_switch += 1
        elif event.event_type in _OF_ONE_JOURNAL or (event.metadata.get("erased") is True and not event.data):
            count.left_out += 1
        else:
            yield event
