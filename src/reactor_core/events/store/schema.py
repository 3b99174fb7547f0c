"""Bringing the tables of a Postgres up to date: alembic's migrations, run from the installed package."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from reactor_core.cloud.postgres import Postgres
from reactor_core.errors import StorageError
from reactor_core.events.store.tables import VERSION_TABLE

__all__ = ["current_revision", "newest_revision", "upgrade"]

_MIGRATIONS = Path(__file__).with_name("migrations")
_UPGRADE_LOCK = 0x7265_6163_746F_7201  # an advisory lock is a number; other programs take others


def newest_revision() -> str:
    """The revision that this version of the package brings."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None, "the package has migrations"
    return head


def current_revision(postgres: Postgres) -> str | None:
    """The revision of a database; None while it has no tables of events.

    Raises:
        StorageError: The database cannot be reached.
    """
    with postgres.begin() as db:
        return _revision(db)


def upgrade(postgres: Postgres) -> tuple[str | None, str]:
    """Bring the tables up to date, all in one transaction; several programs may do so at once.

    Returns:
        The revision before and after.

    Raises:
        StorageError: The database cannot be reached, refuses, or was made by a newer version.
    """
    config = _config()
    newest = newest_revision()
    with postgres.begin() as db:
        before = _revision(db)
        if before == newest:
            return before, newest
        db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK})
        before = _revision(db)
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if before is not None and before not in known:
            raise StorageError(
                f"{postgres.name} has tables of revision {before}, this version knows up to {newest}",
                remedy="pip install --upgrade reactor-core",
            )
        config.attributes["connection"] = db
        command.upgrade(config, "head")
        return before, newest


def _revision(db: Connection) -> str | None:
    return MigrationContext.configure(db, opts={"version_table": VERSION_TABLE}).get_current_revision()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
