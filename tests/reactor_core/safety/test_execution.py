from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_core.errors import ApprovalInvalid, ConfigError
from reactor_core.safety.execution import Prepared, Seen, clean_environment, in_words, prepare, seal
from reactor_core.safety.machine import Machine
from reactor_core.safety.starting import Starter

ENV = {"PATH": f"{Path(sys.executable).parent}:{os.defpath}"}


def run(prepared: Prepared | None) -> str:
    assert prepared is not None
    starter = Starter()
    try:
        process = starter.start(
            prepared, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, watch=lambda _: None
        )
        return process.communicate()[0].decode()
    finally:
        prepared.close()
        starter.close()


def judged(action, folder: Path, *scripts: Path, kind: str = "shell") -> Prepared:
    """Prepare an action as if the judge had looked into these scripts."""
    seen = Seen(Machine())
    for script in scripts:
        assert seen.read(str(script), 1_000_000) is not None
    prepared = prepare(action, kind, cwd=str(folder), env=ENV, seen=seen.files)
    assert prepared is not None
    return prepared


def script(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    path.chmod(0o755)
    return path


SHELL = 'echo "judged $0 $1"; cd "$(dirname "$0")" && pwd\n'
PYTHON = "import os, sys\nprint('judged', sys.argv, os.path.basename(__file__), __name__)\nimport beside\n"


@pytest.mark.parametrize(
    ("action", "head"),
    [
        (("bash", "steps.sh", "x"), ""),
        (("sh", "./steps.sh", "x"), ""),
        (("./steps.sh", "x"), "#!/bin/bash\n"),
        (("./steps.sh", "x"), "#!/usr/bin/env bash\n"),
        (("bash", "-eu", "steps.sh", "x"), ""),
    ],
)
def test_a_shell_script_runs_from_the_bytes_that_were_judged(
    tmp_path: Path, action: tuple[str, ...], head: str
) -> None:
    path = script(tmp_path, "steps.sh", head + SHELL)
    prepared = judged(action, tmp_path, path)
    path.write_text("echo changed\n")
    name = next(word for word in action if word.endswith("steps.sh"))
    assert run(prepared) == f"judged {name} x\n{tmp_path}\n"


@pytest.mark.parametrize(
    "action", [("python3", "tool.py", "x"), ("./tool.py", "x"), ("python3", "-B", "./tool.py", "x")]
)
def test_a_python_script_runs_from_the_bytes_that_were_judged(tmp_path: Path, action: tuple[str, ...]) -> None:
    script(tmp_path, "beside.py", "print('beside')\n")
    path = script(tmp_path, "tool.py", "#!/usr/bin/env python3\n" + PYTHON)
    prepared = judged(action, tmp_path, path)
    path.write_text("print('changed')\n")
    name = next(word for word in action if word.endswith("tool.py"))
    assert run(prepared) == f"judged ['{name}', 'x'] tool.py __main__\nbeside\n"


@pytest.mark.parametrize("action", ["cd . && bash steps.sh", ("bash", "where.sh"), "source ./steps.sh"])
def test_a_script_that_is_opened_by_its_path_must_be_what_was_judged(
    tmp_path: Path, action: str | tuple[str, ...]
) -> None:
    path = script(tmp_path, "steps.sh", "echo judged\n")
    where = script(tmp_path, "where.sh", 'cd "$(dirname "${BASH_SOURCE[0]}")"; . ./steps.sh\n')
    assert run(judged(action, tmp_path, path, where)) == "judged\n"
    prepared = judged(action, tmp_path, path, where)
    path.write_text("echo changed\n")
    with pytest.raises(ApprovalInvalid, match=r"steps\.sh was changed after it was judged"):
        run(prepared)
    prepared = judged(action, tmp_path, path, where)
    path.unlink()
    with pytest.raises(ApprovalInvalid, match="cannot be read any more"):
        run(prepared)


def test_a_program_that_was_put_in_the_place_of_the_judged_one_does_not_run(tmp_path: Path) -> None:
    program = tmp_path / "tool"
    program.write_bytes(Path("/bin/echo").read_bytes())
    program.chmod(0o755)
    prepared = judged(("./tool", "judged"), tmp_path)
    other = tmp_path / "other"
    other.write_bytes(Path("/bin/false").read_bytes())
    other.chmod(0o755)
    other.replace(program)
    assert run(prepared) == "judged\n"


def test_a_program_that_was_changed_in_its_place_does_not_run(tmp_path: Path) -> None:
    program = tmp_path / "tool"
    program.write_bytes(Path("/bin/echo").read_bytes())
    program.chmod(0o755)
    prepared = judged(("./tool", "judged"), tmp_path)
    program.write_bytes(Path("/bin/echo").read_bytes() + b"\0")
    with pytest.raises(ApprovalInvalid, match="tool was changed"):
        run(prepared)


def test_a_script_that_nobody_looked_into_is_not_replaced_either(tmp_path: Path) -> None:
    path = script(tmp_path, "tool", "#!/bin/sh\necho judged $0\n")
    assert run(judged(("./tool",), tmp_path)) == f"judged {path}\n"
    prepared = judged(("./tool",), tmp_path)
    path.unlink()
    script(tmp_path, "tool", "#!/bin/sh\necho changed\n")
    with pytest.raises(ApprovalInvalid, match="tool was replaced"):
        run(prepared)


def test_the_folder_is_the_one_that_was_judged(tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    prepared = judged("touch made", folder)
    folder.rename(tmp_path / "moved")
    folder.mkdir()
    run(prepared)
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("made")] == ["moved/made"]


@pytest.mark.parametrize("text", ["echo plain", "-x", "printf '%s' \"$0\"; echo ' and '", "echo 'a\nb' \\\n c"])
def test_a_line_means_what_it_means_to_bash(tmp_path: Path, text: str) -> None:
    expected = subprocess.run(["bash", "-c", "--", text], cwd=tmp_path, env=ENV, capture_output=True, check=False)
    assert run(judged(text, tmp_path)) == (expected.stdout + expected.stderr).decode()


@pytest.mark.parametrize("kind", ["shell", "python"])
def test_a_text_too_long_for_a_word_runs_too(tmp_path: Path, kind: str) -> None:
    text = "#" * 200_000 + "\n" + ("echo there" if kind == "shell" else "print('there')")
    assert run(judged(text, tmp_path, kind=kind)) == "there\n"


def test_python_runs_from_its_text(tmp_path: Path) -> None:
    assert run(judged("import os; print(os.getcwd())", tmp_path, kind="python")) == f"{tmp_path}\n"


@pytest.mark.parametrize("kind", ["sql", "gui", "file", "network", "email"])
def test_other_kinds_are_no_programs(tmp_path: Path, kind: str) -> None:
    assert prepare("DROP TABLE t", kind, cwd=str(tmp_path), env=ENV) is None


@pytest.mark.parametrize(
    ("action", "says"), [((), "empty list"), (("no-such-tool",), "no-such-tool"), (("./x",), "PATH")]
)
def test_what_is_not_there_cannot_be_prepared(tmp_path: Path, action: tuple[str, ...], says: str) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(ConfigError, match=says):
        prepare(action, "shell", cwd=str(tmp_path), env=ENV)
    with pytest.raises(ConfigError, match="cannot be opened"):
        prepare("true", "shell", cwd=str(tmp_path / "absent"), env=ENV)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_the_fingerprint_hangs_on_words_folder_added_variables_and_scripts(tmp_path: Path) -> None:
    def print_of(action="true", cwd="/", added=None, seen=None) -> str:
        prepared = prepare(action, "shell", cwd=cwd, env={**ENV, **(added or {})}, added=added, seen=seen)
        assert prepared is not None
        prepared.close()
        return prepared.fingerprint

    prints = [
        print_of(), print_of("false"), print_of(("true",)), print_of(cwd="/usr"), print_of(added={"A": "b"}),
        print_of(added={"A": "c"}), print_of(seen={"/s": b"1"}), print_of(seen={"/s": b"2"}),
        print_of(seen={"/t": b"1"}),
    ]  # fmt: skip
    assert len(set(prints)) == len(prints)
    assert print_of() == prints[0]


def test_a_sealed_file_cannot_be_changed() -> None:
    descriptor = seal(b"judged")
    for mode in (os.O_WRONLY, os.O_RDWR):
        again = os.open(f"/proc/self/fd/{descriptor}", mode)
        with pytest.raises(PermissionError):
            os.write(again, b"x")
        os.close(again)
    with pytest.raises(PermissionError):
        os.truncate(descriptor, 0)
    assert os.read(descriptor, 100) == b"judged"
    os.close(descriptor)


def test_a_second_look_sees_what_the_first_one_saw(tmp_path: Path) -> None:
    path = script(tmp_path, "steps.sh", "echo judged\n")
    seen = Seen(Machine())
    assert seen.read(str(path), 100) == b"echo judged\n"
    path.write_text("echo changed\n")
    assert seen.read(f"{tmp_path}/./steps.sh", 100) == b"echo judged\n"
    assert seen.read(str(path), 3) is None
    assert seen.read(str(tmp_path / "absent"), 100) is None


def test_nothing_of_the_environment_gives_the_words_another_meaning(tmp_path: Path) -> None:
    start = script(tmp_path, "start", "echo hijacked\n")
    dirty = {
        **ENV,
        "BASH_ENV": str(start),
        "BASH_FUNC_echo%%": "() { printf hijacked; }",
        "SHELLOPTS": "xtrace",
        "KEPT": "1",
    }
    clean = clean_environment({**ENV, **dirty, "KEPT": "1"}, {"ADDED": "2"})
    prepared = prepare("echo $KEPT $ADDED", "shell", cwd=str(tmp_path), env=clean)
    assert run(prepared) == "1 2\n"


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=1))
def test_words_as_text_are_the_same_words_to_a_shell(words: list[str]) -> None:
    import shlex

    assert shlex.split(in_words(words)) == words
    assert in_words("as it is") == "as it is"
