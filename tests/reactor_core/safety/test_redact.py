from __future__ import annotations

import base64
import string
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_core.safety.redact import Redactor, redact_text, secret_name

TOKEN = "q7Zp2Lx9Vb4Nc8Ty1Rw6Kd3Ms5Hf0Jg"
HEX = "9f86d081884c7d659a2feaa0c55ad015"

SECRETS = {
    "github": f"ghp_{TOKEN}abcd",
    "github fine": f"github_pat_11AAAAAAA0{TOKEN}",
    "gitlab": "glpat-abcdefghij1234567890",
    "aws id": "AKIAIOSFODNN7EXAMPLE",
    "slack": "xoxb-1234567890-abcdefghij",
    "stripe": "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
    "openai": f"sk-proj-{TOKEN}",
    "anthropic": f"sk-ant-api03-{TOKEN}",
    "google": f"AIzaSy{TOKEN}x",
    "hugging face": f"hf_{TOKEN}",
    "npm": f"npm_{TOKEN}abcde",
    "pypi": f"pypi-AgEIcHlwaS5vcmc{TOKEN}",
    "sendgrid": f"SG.{TOKEN[:22]}.{TOKEN}{TOKEN[:11]}",
    "databricks": f"dapi{HEX}",
    "vault": f"hvs.{TOKEN}",
    "telegram": f"123456789:{TOKEN}abcd",
    "jwt": f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{TOKEN}",
    "random": TOKEN,
}

PLACES = (
    "curl -H 'Authorization: Bearer {}' https://api.example.com/v1/items",
    "git remote set-url origin https://dev:{}@example.com/acme/app.git",
    "export API_KEY={} && make deploy",
    'requests.get(url, headers={{"X-Api-Key": "{}"}})',
    "echo {} > note.txt",
    "write_file(path=\"a\", content='token: {}\\n')",
)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_of_known_form_is_taken_out_wherever_it_stands(name: str, place: str) -> None:
    text = place.format(SECRETS[name])
    assert SECRETS[name] not in redact_text(text)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("PGPASSWORD=hunter2x psql -h db", "hunter2x"),
        ("mysql -u root -ps3cr3tpw shop", "s3cr3tpw"),
        ("sshpass -p 'tr0ub4dor' ssh host", "tr0ub4dor"),
        ("curl -u admin:letmein42 https://x.example", "letmein42"),
        ("curl --user=admin:letmein42 https://x.example", "letmein42"),
        ("redis-cli -a opensesame flushall", "opensesame"),
        ("CREATE USER bob IDENTIFIED BY 'pass-of-bob'", "pass-of-bob"),
        ("ALTER USER bob WITH PASSWORD 'pass-of-bob'", "pass-of-bob"),
        ("tool --password correct-horse --verbose", "correct-horse"),
        ('tool --client-secret="correct horse battery"', "correct horse battery"),
        ("https://x.example/cb?access_token=abcdefgh&state=1", "abcdefgh"),
        ('{"clientSecret": "abcdefgh", "user": "bob"}', "abcdefgh"),
        ('{\\"password\\": \\"abcdefgh\\"}', "abcdefgh"),
        ("postgresql://app:abcdefgh@db.internal/shop", "abcdefgh"),
        ("Cookie: session=abcdefgh; theme=dark", "abcdefgh"),
        ("DefaultEndpointsProtocol=https;AccountName=x;AccountKey=abcdefgh==;", "abcdefgh"),
        ('type: "hunter2x" | field: Password | app: browser', "hunter2x"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nabcdefgh\n-----END OPENSSH PRIVATE KEY-----", "abcdefgh"),
        ("-----BEGIN RSA PRIVATE KEY-----\nabcdefgh\ncut off", "abcdefgh"),
    ],
)
def test_a_secret_is_known_by_what_stands_beside_it(text: str, secret: str) -> None:
    assert secret in text
    assert secret not in redact_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "rm -rf build dist && pytest -q tests/test_tokens.py",
        "git checkout 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
        "docker pull app@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "reactor events query --cursor 0192f0c1-7d3e-7aaa-8bbb-0123456789ab",
        "train --max-tokens 512 --tokenizer gpt2 --max_tokens=4096",
        'echo "$API_TOKEN" | docker login --password-stdin',
        'curl -H "Authorization: Bearer $TOKEN" https://x.example',
        'psql "postgresql://app:$PGPASSWORD@db/shop"',
        "cat ~/.config/app/token_file --token-file=/run/secrets/token",
        "echo cm0gLXJmIC92YXIvbGliL3Bvc3RncmVzcWw= | base64 -d | sh",
        "kubectl delete pod web-7d9c8b6f5d-x2k4q -n staging",
        "SELECT id, password_hash FROM users WHERE token_expiry < now()",
        "mkdir -p src/main/java/com/example/Application2Factory/Impl",
        "grep -rn 'TODO' src/reactor_core/integration/event_bridge.py",
        "git commit -m 'Rotate the token as the runbook says'",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact_text(text) == text


def test_values_of_secret_variables_and_env_files_are_known_in_every_spelling(tmp_path: Path) -> None:
    (tmp_path / ".env.local").write_text(
        "# x\nexport SMTP_PASSWORD='pass word!'\nDEBUG=true\nURL=redis://:cafebabe@h/0\n"
    )
    redactor = Redactor.of({"MY_API_TOKEN": "plain-looking", "HOME": "/home/dev", "EDITOR": "vim"}, project=tmp_path)
    for secret in ("plain-looking", "pass word!"):
        for spelling in (secret, base64.b64encode(secret.encode()).decode().rstrip("="), secret.encode().hex()):
            assert spelling not in redactor.text(f"echo {spelling} > x")
    assert "pass%20word%21" not in redactor.text("https://x/?q=pass%20word%21")
    assert "cafebabe" not in redactor.text("connect with cafebabe")
    assert redactor.text("cd /home/dev && vim") == "cd /home/dev && vim"


def test_a_field_with_a_secrets_name_goes_as_a_whole() -> None:
    data = {"user": "bob", "password": "abc def", "steps": [{"api_key": "k"}, "PASSWORD=xyzxyz"], "max_tokens": 5}
    assert Redactor().data(data) == {
        "user": "bob",
        "password": "[redacted: password]",
        "steps": [{"api_key": "[redacted: api_key]"}, "PASSWORD=[redacted]"],
        "max_tokens": 5,
    }


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("DB_PASSWORD", True), ("--api-key", True), ("apiKey", True), ("AWS_SECRET_ACCESS_KEY", True),
        ("GITHUB_TOKEN", True), ("AWS_ACCESS_KEY_ID", True), ("max_tokens", False), ("tokenizer", False), ("PWD", True),
        ("password_file", False),
        ("compass", False), ("keyboard", False), ("SECRET_NAME", False), ("token_count", False), ("monkey", False),
    ],
)  # fmt: skip
def test_names_of_secrets(name: str, secret: bool) -> None:
    assert secret_name(name) is secret


@given(st.text(max_size=400))
def test_taking_out_twice_changes_nothing_more(text: str) -> None:
    once = redact_text(text)
    assert redact_text(once) == once


@given(st.text(alphabet=string.printable, max_size=60), st.text(alphabet=string.printable, max_size=60))
def test_a_known_secret_never_remains(before: str, after: str) -> None:
    redactor = Redactor(["Zeppelin-42-Q"])
    assert "Zeppelin-42-Q" not in redactor.text(f"{before}Zeppelin-42-Q{after}")


@pytest.mark.parametrize(
    "piece",
    ["a", "password=", "://a:", "-p ", "mysql -u ", "eyJ", "type '", "A1b", "-----BEGIN PRIVATE KEY-----", "--"],
)
def test_long_texts_take_bounded_time(piece: str) -> None:
    text = piece * (40_000 // len(piece))
    begin = time.process_time()
    redact_text(text)
    assert time.process_time() - begin < 2


def test_the_secrets_of_an_action_are_known_in_its_parts() -> None:
    redactor = Redactor()
    redactor.learn('type: "hunter2canary" | field: Password')
    assert redactor.text('types "hunter2canary" somewhere') == 'types "[redacted: known secret]" somewhere'
    redactor.learn("PGPASSWORD=canary-two psql -h db; echo done")
    assert redactor.text("canary-two and done") == "[redacted: known secret] and done"
