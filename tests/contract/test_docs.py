"""The reference pages say what the code does: settings, exit codes and command lines are compared, not trusted."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from reactor_core import errors
from reactor_core.utils.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
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
        default = "~/.cache/reactor" if name == "cache_dir" else field.default
        shown = "" if default in (None, ()) else str(default).lower() if isinstance(default, bool) else str(default)
        for variable in field.validation_alias.choices:  # type: ignore[union-attr]
            found[str(variable)] = shown
    return found


def test_the_settings_page_lists_every_variable_with_its_default() -> None:
    page = {row[0].strip("`"): row[1].strip("`") for row in rows("reference/settings.md") if row[0].startswith("`")}
    assert page == variables()


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
