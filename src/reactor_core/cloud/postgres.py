"""Connections to a Postgres, by its address or through Google's Cloud SQL connector."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from reactor_core.errors import ConfigError, MissingExtra, ReactorError, StorageError
from reactor_core.utils.extras import installed

__all__ = ["Postgres"]

CONNECT_SECONDS = 10
"""How long one attempt to connect may take."""

_SCHEMES = ("postgres", "postgresql", "postgresql+psycopg")
_IP_TYPES = ("PUBLIC", "PRIVATE", "PSC")
_UNDEFINED_TABLE = "42P01"


class Postgres:
    """One database and a few connections to it, which are opened when they are needed.

    Through Cloud SQL the address names user and database (``postgresql://user:password@/database``); host and port are
    the connector's business. Without a password the connector signs in with the machine's own Google identity.
    ``?ip_type=private`` (or ``psc``) chooses the way to the instance, as in Google's connector.

    Args:
        url: ``postgresql://user:password@host:port/database``; libpq's options may follow as a query.
        cloud_sql_instance: ``project:region:name``; None connects to the address.

    Raises:
        ConfigError: The address cannot be used.
        MissingExtra: ``cloud_sql_instance`` is given and the connector is not installed.
    """

    def __init__(self, url: str, *, cloud_sql_instance: str | None = None) -> None:
        parts = _read(url)
        self.name = _without_credentials(parts, cloud_sql_instance)
        self.database = parts.database or ""
        self._connector: Any = None
        options: dict[str, Any] = {"pool_pre_ping": True, "pool_size": 2, "max_overflow": 6, "poolclass": QueuePool}
        if cloud_sql_instance is None:
            self._engine = create_engine(parts, connect_args=_arguments(parts), **options)
        else:
            self._connector, creator = _cloud_sql(parts, cloud_sql_instance)
            self._engine = create_engine("postgresql+psycopg://", creator=creator, **options)

    @property
    def engine(self) -> Engine:
        """SQLAlchemy's own face of it."""
        return self._engine

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction: committed at the end of the block, undone by whatever it raises.

        Raises:
            StorageError: The database cannot be reached, or refuses.
        """
        with self.errors(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn the driver's errors inside the block into ours, naming the database and no password."""
        try:
            yield
        except ReactorError:
            raise
        except DBAPIError as error:
            raise _explained(self.name, error) from error
        except (SQLAlchemyError, OSError) as error:
            raise StorageError(f"{self.name}: {error}") from error

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()
        if self._connector is not None:
            self._connector.close()


def _read(url: str) -> URL:
    try:
        parts = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise ConfigError("EVENT_STORE_URL is no address", remedy=_EXAMPLE) from error
    if parts.drivername not in _SCHEMES:
        raise ConfigError(f"EVENT_STORE_URL begins with {parts.drivername}://, not postgresql://", remedy=_EXAMPLE)
    if not parts.database:
        raise ConfigError("EVENT_STORE_URL names no database", remedy=_EXAMPLE)
    return parts.set(drivername="postgresql+psycopg")


_EXAMPLE = "example: postgresql://user:password@localhost:5432/reactor"


def _without_credentials(parts: URL, cloud_sql_instance: str | None) -> str:
    where = cloud_sql_instance or f"{parts.host or 'localhost'}:{parts.port or 5432}"
    return f"postgresql://{where}/{parts.database}"


def _arguments(parts: URL) -> dict[str, Any]:
    """What libpq gets unless the address says otherwise."""
    defaults = {
        "connect_timeout": CONNECT_SECONDS,
        "application_name": "reactor",
        # A server whose machine vanished is noticed within a minute instead of hours.
        "keepalives_idle": 20,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 30_000,
    }
    return {name: value for name, value in defaults.items() if name not in parts.query}


def _cloud_sql(parts: URL, instance: str) -> tuple[Any, Callable[[], Any]]:
    """Google's connector, and a function that opens one connection through it."""
    if instance.count(":") != 2:
        raise ConfigError(f"CLOUD_SQL_INSTANCE={instance!r} is no instance", remedy="example: project:region:name")
    if not parts.username:
        raise ConfigError("EVENT_STORE_URL names no user", remedy="example: postgresql://user:password@/reactor")
    way = str(parts.query.get("ip_type", "PUBLIC")).upper()
    if way not in _IP_TYPES:
        raise ConfigError(f"EVENT_STORE_URL says ip_type={way}", remedy=f"one of {', '.join(_IP_TYPES)}")
    if not installed("google.cloud.sql.connector"):
        raise MissingExtra("Cloud SQL", "gcp")
    library = importlib.import_module("google.cloud.sql.connector")
    identity = parts.password is None
    # Lazy: the certificate is fetched with the first connection, not by a background task at once.
    connector = library.Connector(ip_type=way, enable_iam_auth=identity, refresh_strategy="LAZY")
    arguments: dict[str, Any] = {"user": parts.username, "db": parts.database, "application_name": "reactor"}
    if not identity:
        arguments["password"] = parts.password

    def connect() -> Any:
        return connector.connect(instance, "psycopg", **arguments)

    return connector, connect


def _explained(name: str, error: DBAPIError) -> StorageError:
    said = str(error.orig).strip().splitlines()
    what = said[0] if said else type(error.orig).__name__
    if getattr(error.orig, "sqlstate", None) == _UNDEFINED_TABLE:
        return StorageError(f"{name} has no tables for events yet", remedy="reactor events store upgrade")
    if error.connection_invalidated or getattr(error.orig, "sqlstate", None) is None:
        return StorageError(f"{name} cannot be reached: {what}", remedy="start it, or correct EVENT_STORE_URL")
    return StorageError(f"{name}: {what}")
