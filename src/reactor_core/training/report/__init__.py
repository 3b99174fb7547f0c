"""Telling TensorBoard, Weights & Biases, trackio and MLflow how a run goes.

A run writes its own log (``loss.jsonl``, ``eval.jsonl``); each sink is a reader of it in a process of its own
(:mod:`~reactor_core.training.report.worker`), which :class:`~reactor_core.training.report.hook.ReportHook` starts. So
nothing that a sink's library does, be it an exception, a crash, a hang, threads, memory or random numbers, is done in
the process that trains; what a sink missed while it failed it reads later; and a run that is killed is told to its end.
"""

from reactor_core.utils.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, {"ReportHook": ".hook"})
