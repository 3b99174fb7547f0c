"""Archives, mirrors and searches."""

from __future__ import annotations

import pytest
from tests.reactor_core.safety.tools.verdicts import verdict


@pytest.mark.parametrize(
    "action",
    [
        "tar --remove-files -czf /tmp/x.tgz /home/dev",
        "find / -name '*.conf' -delete",
        "find ~ -type f -delete",
        "find .git -type f -delete",
        "zip -rm out.zip /data",
        "tar xf a.tar --to-command='sh -c \"rm -rf /\"'",
        "tar cf /dev/null --checkpoint=1 --checkpoint-action=exec='rm -rf /srv' .",
        "sed -i '1e rm -rf /home' build/x.txt",
    ],
)
def test_is_blocked(action: str) -> None:
    assert verdict(action) == "block"


@pytest.mark.parametrize(
    "action",
    [
        "tar xzf backup.tgz -C /",
        "tar xzf photos.tgz -C ~/Pictures",
        "find . -name '*.bak' -delete",
        "unzip -o site.zip -d ~/Sites",
        'find "$DIR" -delete',
        "sudo sed -i 's/a/b/' /etc/hosts",
        "sed 's/.*/date/e' list.txt",
        "zip -m old.zip report.docx",
    ],
)
def test_is_asked_about(action: str) -> None:
    assert verdict(action) == "confirm"


@pytest.mark.parametrize(
    "action",
    [
        "tar tzf x.tgz",
        "tar xzf vendor.tgz -C build",
        "tar -cJf release.tar.xz dist",
        "tar xf release.tar.gz",
        "find . -name '*.py' -print",
        "find build -type f -delete",
        "find . -name '__pycache__' -type d -exec rm -rf {} +",
        "unzip -l site.zip",
        "7z l disk.7z",
        "sed -n '1,20p' src/app.py",
        "sed -i 's/foo/bar/g' src/app.py",
    ],
)
def test_is_let_through(action: str) -> None:
    assert verdict(action) == "allow"
