"""The kill switch as a process: who acts, who watches, and how everything is stopped."""

from reactor_core.safety.kill.corner import on_mouse_corner_trigger
from reactor_core.safety.kill.station import Station
from reactor_core.safety.kill.switch import pull_switch, watcher_standing
from reactor_core.safety.kill.wire import StopReport

__all__ = ["Station", "StopReport", "on_mouse_corner_trigger", "pull_switch", "watcher_standing"]
