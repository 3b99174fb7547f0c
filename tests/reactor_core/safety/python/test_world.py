"""What has happened so far in a snippet."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action


@pytest.mark.parametrize(
    ("snippet", "verdict"),
    [
        ("import os, shutil\nos.chdir('/var')\nshutil.rmtree('lib')", "block"),
        ("import os, shutil\nos.chdir('build')\nshutil.rmtree('lib')", "allow"),
        ("import os, shutil\nos.mkdir('a')\nshutil.rmtree('a')", "allow"),
        ("import os, shutil\nos.symlink('/home', 'a')\nshutil.rmtree('a/x')", "block"),
        ("import shutil\nshutil.rmtree('/home/' + name)", "block"),
    ],
)
def test_folders_and_links_are_kept_in_mind(snippet: str, verdict: str) -> None:
    assert judge_action(snippet, "python").verdict == verdict


def test_what_is_touched_is_told() -> None:
    assert judge_action("import os\nos.remove('data/a')", "python").effect.target == "/home/dev/project/data/a"
