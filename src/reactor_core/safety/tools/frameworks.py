"""Commands of frameworks that reach the project's database: migrations, fixtures, resets."""

from __future__ import annotations

import re
from dataclasses import replace

from reactor_core.safety.naming import wordset
from reactor_core.safety.things import name_kind
from reactor_core.safety.tools.deeds import read_spoken
from reactor_core.safety.tools.registry import Call, handles
from reactor_core.safety.tools.targets import merged
from reactor_core.safety.verdict import Finding, Judged

__all__ = ["judge_django", "judge_migrations", "judge_rails"]

_WIPES = re.compile(
    r"^(?:db:(?:drop|reset|purge|wipe|schema:load|structure:load|migrate:reset|truncate_all|fresh|seed:replant"
    r"|setup)(?::\w+)?"
    r"|migrate:(?:fresh|refresh|reset)|db:wipe|ecto\.(?:drop|reset)|(?:db|database) (?:drop|reset|wipe)"
    r"|database:drop|doctrine:database:drop"
    r"|doctrine:schema:drop|doctrine:fixtures:load|migrate reset|db push --force-reset|dropAll|drop-all"
    r"|schema:drop|db:migrate:undo:all|clean|migrate:rollback:all"
    r"|flush|reset_db|sqlflush|reset_schema|drop_test_database|fixtures:load|migration:fresh|schema:fresh|db:nuke"
    r"|orm:schema-tool:drop)\b"
)
_BACK = re.compile(
    r"^(?:db:rollback|migrate:rollback|db:migrate:(?:down|undo)|ecto\.rollback|rollback|downgrade|down|undo"
    r"|migration:revert|migrate:down|migrate down|revert|undoMigration|rollbackCount)\b"
)
_FORWARD = re.compile(
    r"^(?:db:(?:migrate|create|seed)|migrate(?: deploy| latest| up| dev)?|ecto\.(?:migrate|create)|upgrade|update"
    r"|up|deploy|migration:run|db push|doctrine:migrations:migrate|stamp|repair|baseline|seed|loaddata|db seed"
    r"|db execute|latest)\b"
)
_READS = re.compile(
    r"^(?:status|info|history|current|heads|show|validate|check|diff|list|version|about|routes|db:(?:version"
    r"|migrate:status|schema:dump|abort_if)|migrate:status|migrate status|generate|new|make|revision|format"
    r"|studio|introspect|db pull|help|branches|snapshot|changelog|updateSQL|update-sql|futureRollbackSQL"
    r"|ecto\.(?:gen|migrations)|migration:(?:create|generate|show)|init|test|tinker-none|ls)\b|makemigrations"
    r"|showmigrations|sqlmigrate|collectstatic|runserver|compilemessages|check|dbshell-none"
)
_TESTS = re.compile(r"\b(?:test|testing|RAILS_ENV=test|memory)\b|sqlite:///:memory:", re.IGNORECASE)


def _environment(call: Call) -> str:
    names = (
        "RAILS_ENV",
        "RACK_ENV",
        "MIX_ENV",
        "NODE_ENV",
        "APP_ENV",
        "DJANGO_SETTINGS_MODULE",
        "FLASK_ENV",
        "DATABASE_URL",
        "ENV",
        "ENVIRONMENT",
        "DB_ENV",
    )
    return " ".join(f"{name}={call.env[name]}" for name in names if call.env.get(name))


def _database(call: Call, words: list[str]) -> Finding | Judged | None:
    """What the words of a migration tool come to."""
    said = " ".join(words)
    around = f"{_environment(call)} {call.part}"
    testing = (
        bool(_TESTS.search(_environment(call)))
        or re.search(r"--env(?:ironment)?[= ]test|-e test|:test\b|--database[= ]test", call.part) is not None
    )
    if re.search(r"--(?:dry-run|sql|pretend|plan|noop|fake-none)\b|--help|(?:^| )-h(?: |$)", call.part):
        return call.found("A4", f"{call.program}: only shows what would be done")
    if _WIPES.match(said) or re.search(r"--force-reset|--accept-data-loss|\breset --force\b|\bzero\b$", call.part):
        if testing:
            return call.found("A3", f"{call.program}: remakes the database of the tests")
        return call.found("B3", f"{call.program}: {said} empties the database", said, reversible=False)
    if _READS.search(said):
        return None
    if _BACK.match(said):
        whole = re.search(r"\bbase\b|\b0\b$|--all\b|--to[= ]0|VERSION=0|-all\b", call.part) is not None
        if testing:
            return None
        return call.found("B3" if whole else "C3", f"{call.program}: takes migrations back", said, reversible=False)
    if _FORWARD.match(said):
        scratch = testing or (
            re.search(r"\bdev\b|local|development|test", around, re.IGNORECASE) is not None and "prod" not in around
        )
        return None if scratch else call.found("C3", f"{call.program}: changes the schema of the database", said)
    return call.found("C6", f"{call.program}: {said[:60]} is not known") if said else None


@handles("alembic", "prisma", "knex", "sequelize", "sequelize-cli", "typeorm", "liquibase", "flyway", "dbmate",
    "goose", "migrate", "atlas-schema", "sqitch", "diesel", "sqlx", "drizzle-kit", "aerich",
         "yoyo", "mikro-orm", "db-migrate", "artisan", "doctrine", "phinx", "mix", "skeema", "gh-ost",
         "pt-online-schema-change", "node-pg-migrate")  # fmt: skip
def judge_migrations(call: Call) -> Judged | None:
    """Tools whose first words say what is done to the database."""
    spoken = read_spoken(
        call.words[1:],
        flags=wordset(
            """
            --force -f --yes -y --accept-data-loss --force-reset --skip-seed --sql --all --help -h --dry-run
            --pretend --seed --preview-feature --skip-generate
            """
        ),
    )
    words = [text for text in spoken.texts if text]
    if call.program == "mix" and words and not words[0].startswith("ecto."):
        return None
    if call.program == "artisan" and words and not re.match(r"migrate|db:|schema:", words[0]):
        return (
            merged(call.found("C6", "artisan: runs code of the application"))
            if words[0] == "tinker"
            else merged(call.found("A5", f"artisan: {words[0]}"))
        )
    if call.program == "liquibase" and words[:1] == ["dropAll"]:
        return merged(call.found("B3", "liquibase: drops everything", reversible=False))
    if any(word.text is None for word in spoken.words[:2]):
        return merged(call.found("C6", f"{call.program}: what is to be done cannot be known beforehand"))
    return merged(_database(call, words))


@handles("rails", "rake", "hanami", "padrino")
def judge_rails(call: Call) -> Judged | None:
    """Tasks of Ruby projects."""
    spoken = read_spoken(call.words[1:], flags={"-T", "--tasks", "-P", "--trace", "-n", "--dry-run", "-D", "--help"})
    if spoken.has("-T", "--tasks", "-P", "-D", "-n", "--dry-run", "--help"):
        return Judged()
    parts: list[Judged | Finding | None] = []
    for text in spoken.texts:
        name, equals, value = text.partition("=")
        if equals:
            call = replace(call, env={**call.env, name: value})
    for text in spoken.texts:
        if "=" in text:
            continue
        if text.startswith("db:"):
            parts.append(_database(call, [text]))
        elif text in {"runner", "r"}:
            code = " ".join(spoken.texts[1:])
            wide = re.search(r"(?:delete_all|destroy_all|truncate|drop_table)", code)
            bounded = re.search(r"where\s*\(", code)
            parts.append(
                call.found(
                    "B3" if wide and not bounded else "C3" if re.search(r"delete|destroy|update", code) else "C6",
                    "rails: runs code of the application",
                )
            )
            break
        elif text in {"console", "c", "dbconsole", "db"} and name_kind(call.part, call.scope.setting) == "precious":
            parts.append(call.found("C6", "rails: opens a console"))
        elif re.search(r"(?:^|:)(?:wipe|purge|drop|reset|truncate|destroy|nuke|clear_all)\b", text):
            parts.append(call.found("C6", f"{call.program}: {text}", text))
    return merged(*parts)


@handles("manage.py", "django-admin", "django-admin.py")
def judge_django(call: Call) -> Judged | None:
    """Commands of Django and Flask."""
    spoken = read_spoken(
        call.words[1:],
        flags=wordset(
            """
            --noinput --no-input --plan --check --dry-run --fake --list -l --keepdb --help --yes --close-sessions
            """
        ),
    )
    words = [text for text in spoken.texts if text]
    first = words[0] if words else ""
    if spoken.has("--plan", "--check", "--dry-run", "--help", "--list"):
        return merged(call.found("A4", f"{call.program}: only shows what would be done"))
    if call.program == "flask":
        if first != "db":
            return (
                None
                if first in {"run", "routes", "shell", "--version"}
                else merged(call.found("C6", f"flask: {first}"))
                if first not in {"run", "routes", ""}
                else Judged()
            )
        return merged(_database(call, words[1:]))
    if first in {"flush", "reset_db", "sqlflush"} and first != "sqlflush":
        testing = bool(_TESTS.search(_environment(call))) or "test" in spoken.said("--settings")
        return merged(call.found("A3" if testing else "B3", f"django: {first} empties the database", reversible=False))
    if first == "migrate":
        if "zero" in words:
            return merged(call.found("B3", "django: drops the tables of an app", reversible=False))
        return (
            merged(call.found("C3", "django: changes the schema of the database"))
            if not re.search(r"dev|local|test", f"{spoken.said('--settings')} {_environment(call)}")
            else Judged()
        )
    if first in {"shell", "shell_plus"}:
        code = spoken.said("-c", "--command") or (call.stdin or "")
        return (
            call.nested("python", code)
            if code
            else merged(call.found("C6", "django: runs code of the application") if call.has_stdin else None)
        )
    if first == "dbshell":
        return call.nested("sql", call.stdin) if call.stdin else merged(call.found("C6", "django: opens the database"))
    if first in {"createsuperuser", "changepassword"}:
        return merged(call.found("C8", f"django: {first}", secret=True))
    if first in {
        "loaddata",
        "remove_stale_contenttypes",
        "clearsessions",
        "dumpdata",
        "test",
        "runserver",
        "check",
        "makemigrations",
        "showmigrations",
        "sqlmigrate",
        "collectstatic",
        "diffsettings",
        "inspectdb",
        "compilemessages",
        "makemessages",
        "startapp",
        "startproject",
        "findstatic",
        "sqlflush",
        "help",
        "version",
        "testserver",
        "",
        "clear_cache",
    }:
        return (
            merged(call.found("C3", f"django: {first}"))
            if first in {"loaddata", "remove_stale_contenttypes"}
            else Judged()
        )
    return merged(call.found("C6", f"{call.program}: {first} is a command of the project"))
