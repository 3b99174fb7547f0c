"""The reference pages say what the code does: settings, exit codes and command lines are compared, not trusted."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from cyclopts import App

from reactor_core import errors
from reactor_core.utils.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
IN_THE_HOME = {"cache_dir": "~/.cache/reactor", "state_dir": "~/.local/state/reactor"}
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted(DOCS.rglob("*.md"))]


def rows(page: str) -> list[list[str]]:
    """Cells of every table row of a page under docs/, without heads and rules."""
    lines = (DOCS / page).read_text(encoding="utf-8").splitlines()
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return [row for row in cells if not set("".join(row)) <= set("-: ")]


def variables() -> dict[str, str]:
    """Environment variable -> default, as the settings page spells it."""
    found = {}
    for name, field in Settings.model_fields.items():
        default = IN_THE_HOME.get(name, field.default)
        shown = (
            "unset" if default in (None, ()) else str(default).lower() if isinstance(default, bool) else str(default)
        )
        for variable in field.validation_alias.choices:  # type: ignore[union-attr]
            found[str(variable)] = shown
    return found


def test_the_settings_page_lists_every_variable_with_its_default() -> None:
    page = {row[0].strip("`"): row[1].strip("`") for row in rows("reference/settings.md") if row[0].startswith("`")}
    assert page == variables()


def used_settings() -> set[str]:
    """Fields that some module looks up on ``settings``, ``self.settings`` or ``load_settings()``."""
    found = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute):
                owner = node.value.func if isinstance(node.value, ast.Call) else node.value
                if getattr(owner, "attr", getattr(owner, "id", "")).endswith("settings"):
                    found.add(node.attr)
    return found


def test_the_settings_page_says_which_variables_have_no_effect() -> None:
    _, idle = (DOCS / "reference/settings.md").read_text(encoding="utf-8").split("## Read and checked")
    used = used_settings()
    unused = {
        str(variable)
        for name, field in Settings.model_fields.items()
        if name not in used
        for variable in field.validation_alias.choices  # type: ignore[union-attr]
    }
    assert set(re.findall(r"^\| `(\w+)`", idle, flags=re.MULTILINE)) == unused


def test_the_exit_code_page_lists_every_error_class_under_its_code() -> None:
    special = {
        name: cls.exit_code
        for name in errors.__all__
        if (cls := getattr(errors, name)).exit_code != errors.ReactorError.exit_code
    }
    page = {}
    for code, _, names in (row for row in rows("reference/exit-codes.md") if row[0].isdigit()):
        page |= {name: int(code) for name in re.findall(r"`(\w+)`", names)}
    assert page == special


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_links_inside_the_repository_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    links = [t.partition("#")[0] for t in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in t]
    assert [link for link in links if link and not (page.parent / link).exists()] == []


def test_every_extra_is_in_the_readme() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [extra for extra in project["optional-dependencies"] if f"`[{extra}]`" not in readme] == []


def programs() -> dict[str, App]:
    return {
        "reactor": importlib.import_module("reactor_core.cli").app,
        "a1-reactor": importlib.import_module("a1_reactor.cli").app,
    }


def walk(app: App, path: tuple[str, ...]) -> Iterator[tuple[str, App]]:
    """Every command that does something, as it is typed."""
    inner = [name for name in app if not name.startswith("-")]
    for name in inner:
        yield from walk(app[name], (*path, name))
    if not inner or app.default_command is not None:
        yield " ".join(path), app


def options(command: App) -> dict[str, str]:
    """Option (or NAME of a positional one) -> default, as the command-line page spells them."""
    found = {}
    for argument in command.assemble_argument_collection():
        if not argument.show:  # a group of options, whose members follow
            continue
        positional = argument.field_info.kind is not inspect.Parameter.KEYWORD_ONLY
        shown = argument.names[0].lstrip("-").upper() if positional else ", ".join(argument.names)
        default = argument.field_info.default
        if argument.required:
            found[shown] = "required"
        elif any(default is nothing for nothing in (None, False, inspect.Parameter.empty)) or default == ():
            found[shown] = ""
        else:
            found[shown] = "on" if default is True else str(default)
    return found


def test_the_command_line_page_lists_every_command_with_its_options() -> None:
    actual = {name: options(c) for program, app in programs().items() for name, c in walk(app, (program,))}
    page = {}
    for section in re.split(r"^### ", (DOCS / "reference/cli.md").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        heading, _, body = section.partition("\n")
        table = re.findall(r"^\| (`[^|]+`) \| ([^|]*) \|", body, flags=re.MULTILINE)
        page[heading.strip("`")] = {name.replace("`", ""): default.strip().strip("`") for name, default in table}
    assert page == actual


def shell_lines(page: Path) -> list[str]:
    """Command lines of a page's shell blocks, with continuation lines joined."""
    found = re.findall(r"^```(?:sh|bash)\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return "".join(found).replace("\\\n", " ").splitlines()


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_every_documented_command_line_is_accepted(page: Path) -> None:
    for line in shell_lines(page):
        words = shlex.split(line.replace("python -m a1_reactor.cli", "a1-reactor"), comments=True)
        if words and words[0] in programs():
            programs()[words[0]].parse_args(words[1:], exit_on_error=False, print_error=False)


def test_every_make_target_that_is_documented_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", text, flags=re.MULTILINE)) <= targets


def test_the_plans_name_every_room_and_no_other() -> None:
    rooms = {
        f"{package}/{entry.name}{'/' if entry.is_dir() else ''}"
        for package in ("reactor_core", "a1_reactor")
        for entry in (ROOT / "src" / package).iterdir()
        if not entry.name.startswith("__") and entry.name != "py.typed"
    }
    for page in (ROOT / "README.md", DOCS / "architecture.md"):
        plan, package = set(), ""
        for indent, name in re.findall(r"^( {4})?(src/\w+/|\w+(?:/|\.py)) {2,}", page.read_text(), flags=re.MULTILINE):
            if indent:
                plan.add(f"{package}/{name}")
            else:
                package = name.split("/")[1] if name.startswith("src/") else ""
        assert plan == rooms, page
