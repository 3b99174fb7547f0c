from __future__ import annotations

import anthropic
import pytest

from reactor_core.errors import ConfigError
from reactor_core.safety.adapters import instrument
from reactor_core.safety.gate import SafetyGate


def test_a_client_is_instrumented_once_and_given_back(gate: SafetyGate) -> None:
    with anthropic.Anthropic(api_key="test") as client:
        assert instrument(client, gate) is client
        with pytest.raises(ConfigError, match="already"):
            instrument(client, gate)


def test_what_is_no_known_client_is_an_error(gate: SafetyGate) -> None:
    with pytest.raises(ConfigError, match=r"builtins\.object is not known"):
        instrument(object(), gate)
