from __future__ import annotations

import pytest

from reactor_core.safety.secret_names import secret


@pytest.mark.parametrize(
    "path",
    [
        "/p/.env",
        "/p/.env.local",
        "/h/.ssh/id_ed25519",
        "/h/.aws/credentials",
        "/h/.netrc",
        "/h/.kube/config",
        "/p/server.key",
        "/h/.config/gh/hosts.yml",
        "/etc/shadow",
        "/proc/self/environ",
        "/p/service-account-prod.json",
        "/p/prod.tfvars",
        "/h/.gnupg/secring.gpg",
        "/h/.ssh",
        "/run/secrets/db",
        "/h/.docker/config.json",
        "/p/secrets.yaml",
    ],
)
def test_secrets(path):
    assert secret(path)


@pytest.mark.parametrize(
    "path",
    [
        "/p/.env.example",
        "/h/.ssh/id_ed25519.pub",
        "/h/.ssh/config",
        "/h/.ssh/known_hosts",
        "/p/src/token.py",
        "/p/README.md",
        "/p/package-lock.json",
        "/p/cert.pem",
        "/h/.aws/config",
        "/p/tokenizer.json",
        "/p/keyboard.ts",
        "/p/environment.yml",
    ],
)
def test_no_secrets(path):
    assert not secret(path)
