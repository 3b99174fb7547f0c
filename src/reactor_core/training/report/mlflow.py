"""MLflow: a run in a tracking store, which is a SQLite file of the workspace unless another is asked for."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

from reactor_core.training.report.points import Point
from reactor_core.training.report.sink import Ending, Target
from reactor_core.utils.extras import require

__all__ = ["MlflowSink"]

_FEATURE = "report_to='mlflow'"
_TAG = "reactor.run_id"
_BATCH = 1000  # metrics that the server takes in one call
_LONGEST = 6000  # characters of a parameter's value
_STATES = {"finished": "FINISHED", "interrupted": "KILLED", "failed": "FAILED", "killed": "KILLED"}


class MlflowSink:
    """Metrics, configuration as parameters, hashes and places as tags, card and curves as artefacts.

    The store itself says which steps it has, so none is told twice. Steps that are trained again after a kill keep
    their first values there.

    Args:
        target: The run; its ``place`` is a tracking URI.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._entities = require("mlflow.entities", feature=_FEATURE, extra="report")
        tracking = require("mlflow.tracking", feature=_FEATURE, extra="report")
        self._uri = target.place or f"sqlite:///{(target.workspace / 'mlflow.db').resolve()}"
        self._client = tracking.MlflowClient(tracking_uri=self._uri)
        self._run = ""
        self._experiment = ""
        self._step = 0

    @property
    def where(self) -> str:
        """Tracking URI, without a password, and the run's id in it."""
        scheme, mark, rest = self._uri.partition("://")
        return f"{scheme}{mark}{rest.rpartition('@')[2]} run {self._run}"

    def open(self) -> int:
        """Find the run by its tag, or create it."""
        client, target = self._client, self._target
        self._experiment = self._open_experiment()
        found = client.search_runs([self._experiment], f"tags.`{_TAG}` = '{target.run_id}'", max_results=1)
        if found:
            self._run = found[0].info.run_id
            client.update_run(self._run, status="RUNNING")
            self._step = max((m.step for m in client.get_metric_history(self._run, "train/loss")), default=0)
            return self._step
        facts = target.facts
        tags = {_TAG: target.run_id, "reactor.folder": str(target.folder)}
        tags |= {f"reactor.{name.replace(' ', '_')}": value for name, value in facts.get("identity", {}).items()}
        self._run = client.create_run(self._experiment, run_name=target.run_id, tags=tags).info.run_id
        options = [
            self._entities.Param(name, (value if isinstance(value, str) else json.dumps(value))[:_LONGEST])
            for name, value in facts.get("config", {}).items()
        ]
        client.log_batch(self._run, params=options)
        return 0

    def write(self, points: Sequence[Point]) -> None:
        """Whole steps in each call, so that a step that is there is there completely."""
        now = int(time.time() * 1000)
        for group in _groups(points):
            metrics = [self._entities.Metric(k, v, now, p.step) for p in group for k, v in p.values.items()]
            self._client.log_batch(self._run, metrics=metrics)
            self._step = group[-1].step

    def flush(self) -> int:
        """Nothing waits: a call that returned has been stored."""
        return self._step

    def finish(self, ending: Ending) -> None:
        """Upload card and curves, and set the run's status."""
        if ending.card:
            adapter = str(ending.card.get("metrics", {}).get("adapter_dir", ""))
            self._client.set_tag(self._run, "reactor.adapter", adapter)
        for file in ending.files:
            self._client.log_artifact(self._run, str(file))
        self._client.set_terminated(self._run, _STATES[ending.state])

    def state(self) -> dict[str, Any]:
        """The run's id in MLflow."""
        return {"step": self._step, "mlflow_run": self._run}

    def _open_experiment(self) -> str:
        found = self._client.get_experiment_by_name(self._target.project)
        if found is not None:
            return str(found.experiment_id)
        # Without a server of its own MLflow would put artefacts below the folder that the program happens to run in.
        local = None if self._target.place else (self._target.workspace / "mlartifacts").resolve().as_uri()
        return str(self._client.create_experiment(self._target.project, artifact_location=local))


def _groups(points: Sequence[Point]) -> Iterator[list[Point]]:
    group: list[Point] = []
    size = 0
    for point in points:
        if group and size + len(point.values) > _BATCH:
            yield group
            group, size = [], 0
        group.append(point)
        size += len(point.values)
    if group:
        yield group
