"""Connections to a Postgres, by its address or through Google's Cloud SQL connector."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
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
_AWAY = ("08", "57", "28", "3D")  # connection lost, server going down, sign-in refused, no such database


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
        self._cloud_sql: _CloudSql | None = None
        options: dict[str, Any] = {"pool_pre_ping": True, "pool_size": 2, "max_overflow": 6, "poolclass": QueuePool}
        if cloud_sql_instance is None:
            self._engine = create_engine(parts, connect_args=_arguments(parts), **options)
        else:
            self._cloud_sql = _CloudSql(parts, cloud_sql_instance, self.name)
            self._engine = create_engine("postgresql+psycopg://", creator=self._cloud_sql.connect, **options)

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
            raise _explained(self.name, error.orig) from error
        except psycopg.Error as error:
            raise _explained(self.name, error) from error
        except (SQLAlchemyError, OSError) as error:
            raise StorageError(f"{self.name}: {error}") from error

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()
        if self._cloud_sql is not None:
            self._cloud_sql.close()


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


class _CloudSql:
    """Opens connections through Google's connector, which is made with the first one: it looks for credentials then.

    Args:
        parts: Address with user and database.
        instance: ``project:region:name``.
        name: For messages.
    """

    def __init__(self, parts: URL, instance: str, name: str) -> None:
        if instance.count(":") < 2:
            raise ConfigError(f"CLOUD_SQL_INSTANCE={instance!r} is no instance", remedy="example: project:region:name")
        if not parts.username:
            raise ConfigError("EVENT_STORE_URL names no user", remedy="example: postgresql://user:password@/reactor")
        self._way = str(parts.query.get("ip_type", "PUBLIC")).upper()
        if self._way not in _IP_TYPES:
            raise ConfigError(f"EVENT_STORE_URL says ip_type={self._way}", remedy=f"one of {', '.join(_IP_TYPES)}")
        if not installed("google.cloud.sql.connector"):
            raise MissingExtra("Cloud SQL", "gcp")
        self._instance = instance
        self._name = name
        self._arguments = {"user": parts.username, "db": parts.database, "application_name": "reactor"}
        self._identity = parts.password is None
        if parts.password is not None:
            self._arguments["password"] = parts.password
        self._lock = threading.Lock()
        self._connector: Any = None

    def connect(self) -> Any:
        """One connection of the driver."""
        try:
            with self._lock:
                if self._connector is None:
                    library = importlib.import_module("google.cloud.sql.connector")
                    # Lazy: a certificate is fetched when one is needed, not by a task in the background.
                    self._connector = library.Connector(
                        ip_type=self._way, enable_iam_auth=self._identity, refresh_strategy="LAZY"
                    )
            return self._connector.connect(self._instance, "psycopg", **self._arguments)
        except psycopg.Error:
            raise
        except Exception as error:  # the connector passes on the errors of half a dozen libraries
            raise StorageError(
                f"{self._name} cannot be reached: {type(error).__name__}: {error}",
                remedy="check CLOUD_SQL_INSTANCE and this machine's Google credentials",
            ) from error

    def close(self) -> None:
        """Close the connector."""
        with self._lock:
            if self._connector is not None:
                self._connector.close()


def _explained(name: str, error: BaseException | None) -> StorageError:
    said = str(error).strip().splitlines()
    what = said[0] if said else type(error).__name__
    state = getattr(error, "sqlstate", None)
    if state == _UNDEFINED_TABLE:
        return StorageError(f"{name} has no tables for events yet", remedy="reactor events store upgrade")
    if state is None or state[:2] in _AWAY:
        return StorageError(f"{name} cannot be reached: {what}", remedy="start it, or correct EVENT_STORE_URL")
    return StorageError(f"{name}: {what}")
