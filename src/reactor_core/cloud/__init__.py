"""Thin clients of rented machinery: databases, later buckets and machines. No event and no model knows them."""

from typing import TYPE_CHECKING

from reactor_core.utils.lazy import attach

if TYPE_CHECKING:
    from reactor_core.cloud.postgres import Postgres as Postgres

__getattr__, __dir__, __all__ = attach(__name__, {"Postgres": ".postgres"})
