"""Secrets of every form go through the gate, and not one of them is on the disk afterwards."""

from __future__ import annotations

import base64
import logging
from pathlib import Path

import pytest

from reactor_core.errors import SafetyError
from reactor_core.integration import EventBridge
from reactor_core.safety.adapters.passing import Passing
from reactor_core.safety.adapters.tool_calls import ToolAction
from reactor_core.safety.confirm import Approvals, Method, Said
from reactor_core.safety.gate import SafetyGate
from reactor_core.utils.settings import Settings

RANDOM = "q7Zp2Lx9Vb4Nc8Ty1Rw6Kd3Ms5Hf0Jg"
VARIABLE = "canary-of-a-variable"
DOTENV = "canary-of-a-dotenv"

ACTIONS = {
    "ghp_" + RANDOM + "abcdefg": ("shell", "git clone https://{}@github.com/acme/app.git"),
    "sk-ant-api03-" + RANDOM: ("shell", "curl -H 'x-api-key: {}' https://api.example.com"),
    "hunter2canary": ("shell", "mysql -u root -phunter2canary -e 'SELECT 1'"),
    "tr0ub4dorcanary": ("shell", "export DB_PASSWORD={}; ./deploy.sh"),
    "bearercanary1": ("network", "GET https://x.example Authorization: Bearer {}"),
    "addresscanary1": ("python", "connect('postgresql://app:{}@db/shop')"),
    "sqlcanary1": ("sql", "CREATE USER bob IDENTIFIED BY '{}'"),
    "guicanary1": ("gui", 'type: "{}" | field: Password | app: Browser'),
    "filecanary1": ("file", 'write_file(path=".env", content="API_TOKEN={}")'),
    "mailcanary1": ("email", 'send_email(to=["a@x.example"], body="password: {}")'),
    RANDOM: ("shell", "echo {} | base64"),
    VARIABLE: ("shell", "echo {} > note"),
    DOTENV: ("shell", "echo {} > note"),
    base64.b64encode(VARIABLE.encode()).decode(): ("shell", "echo {} > note"),
    "-----BEGIN PRIVATE KEY-----\nkeycanary1\n-----END PRIVATE KEY-----": ("shell", "cat > key <<'X'\n{}\nX"),
}


@pytest.mark.parametrize("yes", [True, False])
def test_no_secret_reaches_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, yes: bool
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("MY_SERVICE_TOKEN", VARIABLE)
    project = tmp_path / "project"
    (project / ".git").mkdir(parents=True)
    (project / ".env").write_text(f"SMTP_PASSWORD={DOTENV}\n")
    settings = Settings(workspace=tmp_path / "workspace", state_dir=tmp_path / "state")
    said = []
    with EventBridge(settings=settings) as bridge:
        approvals = Approvals(bridge, approver=lambda q, s: Said(yes, "alice", Method.TEXT))
        with SafetyGate(bridge, cwd=project, approver=approvals) as gate:
            passing = Passing(gate)
            for secret, (kind, template) in ACTIONS.items():
                action = template.format(secret)
                context = {"note": action, "token": secret}
                try:
                    with gate.guard(action, kind=kind, by_caller=True, context=context, release=True):
                        raise OSError(f"it failed with {action}")
                except OSError:
                    pass
                except SafetyError as error:
                    said.append(str(error))
                passing.take("call", [ToolAction(kind, action)], note=action)
                gate.audit_plan_sync(f"plan to {action}", [(kind, action)])
        approvals.close()
    files = [file for folder in ("workspace", "state") for file in (tmp_path / folder).rglob("*") if file.is_file()]
    assert files
    shown = [*(file.read_bytes() for file in files), "\n".join([*said, caplog.text]).encode()]
    needles = [secret.split("\n")[1] if "\n" in secret else secret for secret in ACTIONS]
    assert [needle for needle in needles if any(needle.encode() in content for content in shown)] == []
