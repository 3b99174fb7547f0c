"""The organisation's rules and the project's places."""

from __future__ import annotations

from pathlib import Path

import pytest

from reactor_core.errors import ConfigError
from reactor_core.safety.policy import Policy, Rule, load_policy, project_setting, read_policy
from reactor_core.safety.setting import RUBRIC_SETTING
from reactor_core.safety.verdict import Effect, Judged, Touch, Verdict, found

ASKS = found("C3", "changes some rows", Effect(target="carts", reversible=False))
REFUSES = found("B3", "deletes a table", Effect(target="carts", reversible=False))


def write(folder: Path, text: str) -> Path:
    file = folder / "reactor.toml"
    file.write_text(text)
    return file


def judged(*findings: object, touches: tuple[Touch, ...] = ()) -> Judged:
    return Judged(findings, ("...",), touches)  # type: ignore[arg-type]


def test_a_file_declares_places_relative_to_itself(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        """
        [safety]
        root = "app"
        regenerable = ["*.o", "cache/models"]
        precious = ["sets", "/nfs/sets"]
        protected = ["infra/prod"]
        scratch_words = ["sandbox"]
        own_hosts = ["*.acme.example"]
        """,
    )
    policy, setting = read_policy(file, RUBRIC_SETTING)
    app = str(tmp_path / "app")
    assert policy.rules == ()
    assert setting.project == app
    assert "*.o" in setting.regenerable
    assert f"{app}/cache/models" in setting.regenerable_paths
    assert setting.precious_paths[-2:] == (f"{app}/sets", "/nfs/sets")
    assert setting.protected == (str(file), f"{app}/infra/prod")
    assert "sandbox" in setting.scratch_words
    assert "tmp" in setting.scratch_words
    assert setting.own_hosts == ("*.acme.example",)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[safety]\nunknown = 1", "unknown"),
        ("[safety", "TOML|line|Expected"),
        ('[[safety.rules]]\nname = "x"\nverdict = "maybe"\nhosts = ["a"]', "maybe"),
        ('[[safety.rules]]\nname = "B1"\nverdict = "allow"\nhosts = ["a"]', "rubric"),
        ('[[safety.rules]]\nname = "x"\nverdict = "block"', "condition"),
        ('[[safety.rules]]\nname = "x"\nverdict = "block"\nlifts = ["B1"]', "lifts nothing"),
        (
            '[[safety.rules]]\nname = "x"\nverdict = "block"\nhosts = ["a"]\n'
            '[[safety.rules]]\nname = "x"\nverdict = "allow"\nhosts = ["b"]',
            "two rules",
        ),
    ],
)
def test_a_file_that_is_not_understood_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        read_policy(write(tmp_path, text), RUBRIC_SETTING)


def test_an_absent_file_is_refused_where_it_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_policy(tmp_path, user="dev", home=tmp_path, policy_file=tmp_path / "absent.toml")


def test_a_rule_that_blocks_adds_its_finding_for_what_is_only_read(tmp_path: Path) -> None:
    policy = Policy(
        rules=(Rule(name="no-salaries", verdict=Verdict.BLOCK, tables=("salaries",), reason="ask payroll"),)
    )
    reads = judged(touches=(Touch("table", "hr.salaries", "read"),))
    assert policy.apply("sql", reads).verdict is Verdict.BLOCK
    assert policy.apply("sql", reads).findings[0].says == "ask payroll"
    assert policy.apply("sql", judged(touches=(Touch("table", "hr.people", "read"),))).verdict is Verdict.ALLOW


def test_a_rule_is_about_its_kinds_only() -> None:
    policy = Policy(rules=(Rule(name="r", verdict=Verdict.BLOCK, hosts=("*.corp",), kinds=("network",)),))
    touched = judged(touches=(Touch("host", "git.corp", "write"),))
    assert policy.apply("shell", touched).verdict is Verdict.ALLOW
    assert policy.apply("network", touched).verdict is Verdict.BLOCK


def test_a_rule_about_writing_leaves_reading_alone() -> None:
    policy = Policy(rules=(Rule(name="r", verdict=Verdict.CONFIRM, paths=("/srv/site",), how=("write", "delete")),))
    assert policy.apply("file", judged(touches=(Touch("path", "/srv/site/a.html", "read"),))).verdict is Verdict.ALLOW
    assert (
        policy.apply("file", judged(touches=(Touch("path", "/srv/site/a.html", "write"),))).verdict is Verdict.CONFIRM
    )
    assert policy.apply("file", judged(touches=(Touch("path", "/srv/sites/a", "write"),))).verdict is Verdict.ALLOW


def test_allowing_lowers_what_asks_and_not_what_blocks() -> None:
    policy = Policy(rules=(Rule(name="carts", verdict=Verdict.ALLOW, tables=("carts",)),))
    touches = (Touch("table", "carts", "write"),)
    lowered = policy.apply("sql", judged(ASKS, touches=touches))
    assert (lowered.verdict, lowered.findings[0].rule) == (Verdict.ALLOW, "carts")
    assert policy.apply("sql", judged(REFUSES, touches=touches)).verdict is Verdict.BLOCK


def test_what_blocks_is_lowered_only_where_the_rule_names_it() -> None:
    policy = Policy(rules=(Rule(name="carts", verdict=Verdict.CONFIRM, tables=("carts",), lifts=("B3",)),))
    touches = (Touch("table", "carts", "delete"),)
    assert policy.apply("sql", judged(REFUSES, touches=touches)).verdict is Verdict.CONFIRM
    assert policy.apply("sql", judged(ASKS, touches=touches)).findings[0].rule == "C3"


def test_allowing_one_table_does_not_allow_another_beside_it() -> None:
    policy = Policy(rules=(Rule(name="carts", verdict=Verdict.ALLOW, tables=("carts",)),))
    both = (Touch("table", "carts", "write"), Touch("table", "orders", "write"))
    assert policy.apply("sql", judged(ASKS, touches=both)).verdict is Verdict.CONFIRM
    assert policy.apply("sql", judged(ASKS)).verdict is Verdict.CONFIRM


def test_a_rule_about_an_effect_asks_where_the_effect_is() -> None:
    file_rule = {"name": "outward", "verdict": "block", "effect": {"outward": True}}
    import msgspec

    policy = Policy(rules=(msgspec.convert(file_rule, Rule),))
    outward = found("C7", "sends a mail", Effect(outward=True))
    assert policy.apply("email", judged(outward)).verdict is Verdict.BLOCK
    assert policy.apply("email", judged(ASKS)).verdict is Verdict.CONFIRM


def test_the_strictest_rule_decides() -> None:
    policy = Policy(
        rules=(
            Rule(name="mild", verdict=Verdict.ALLOW, tables=("carts",)),
            Rule(name="hard", verdict=Verdict.BLOCK, tables=("carts",)),
        )
    )
    assert policy.apply("sql", judged(ASKS, touches=(Touch("table", "carts", "write"),))).verdict is Verdict.BLOCK


def test_the_project_is_the_nearest_folder_with_a_repository_or_a_policy(tmp_path: Path) -> None:
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    (tmp_path / "repo" / ".git" / "HEAD").write_text("ref: refs/heads/feature/x\n")
    inner = tmp_path / "repo" / "src" / "deep"
    inner.mkdir(parents=True)
    setting = project_setting(inner, user="ana", home=tmp_path)
    assert (setting.project, setting.cwd, setting.branch) == (str(tmp_path / "repo"), str(inner), "feature/x")
    write(inner, "[safety]\n")
    assert project_setting(inner, user="ana", home=tmp_path).project == str(inner)


def test_a_detached_head_is_no_branch(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("0123abcd\n")
    assert project_setting(tmp_path, user="ana", home=tmp_path).branch == ""


def test_the_place_of_the_policy_is_protected_with_and_without_a_file(tmp_path: Path) -> None:
    place = str(tmp_path / "reactor.toml")
    _, without = load_policy(tmp_path, user="ana", home=tmp_path, protected=[tmp_path / ".reactor"])
    assert set(without.protected) == {place, str(tmp_path / ".reactor")}
    write(tmp_path, "[safety]\n")
    _, having = load_policy(tmp_path, user="ana", home=tmp_path, protected=[tmp_path / ".reactor"])
    assert set(having.protected) == {place, str(tmp_path / ".reactor")}
