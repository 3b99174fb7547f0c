"""What the tests of the three services share."""

import numpy as np

from a1_reactor.providers.base import Capabilities
from a1_reactor.providers.hosted import HostedProvider
from a1_reactor.providers.wire import Wire
from a1_reactor.types import FrameQuantum, JobSpec, Window

JOB = JobSpec(prompt="a fox", seed=9, seconds=1, width=32, height=16)
CAN = Capabilities(context_frames=2, modes=frozenset({"mask"}), quantum=FrameQuantum(step=4, offset=1))


class Base:
    def frame(self, index):
        return np.full((16, 32, 3), 5 * index, np.uint8)


def wire(url, **options):
    address = url.split("/")[2]
    return Wire(url, **{"allow": [address], "timeout_s": 10, "retry_wait_s": 0.01, "secret": "Key hush", **options})


def regen(service, template):
    """Levels of the window's frames; frame i was sent with level 5 i."""
    asked = HostedProvider(name="it", service=service, template=template, capabilities=CAN)
    return {i: round(float(f.mean())) for i, f in asked.regen_frames(JOB, Base(), (Window(8, 12),))}
