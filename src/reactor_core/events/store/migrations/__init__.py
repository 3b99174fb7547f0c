"""Alembic's environment for the tables of events; :mod:`reactor_core.events.store.schema` runs it."""
