"""The training loop."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from reactor_core.cost.prices import stated_price
from reactor_core.data.chat import ChatFormat
from reactor_core.data.records import Dataset, read_dataset
from reactor_core.data.unique import REPEATS, THRESHOLD, Repeat, drop_repeats, write_repeats
from reactor_core.errors import Interrupted
from reactor_core.events.latch import Latch
from reactor_core.models.load import load_model
from reactor_core.models.store import resolve_model
from reactor_core.training.admission import admit
from reactor_core.training.card import dataset_facts, run_identity, tokenizer_hash
from reactor_core.training.checkpointer import Checkpointer, find_place, open_run_anywhere
from reactor_core.training.config import TrainingConfig
from reactor_core.training.control import RunControl, State, Switch, Wish, stand_still
from reactor_core.training.distributed.agreement import RankControl, RankHooks, RankLatch, require_same
from reactor_core.training.distributed.keeping import own_folder
from reactor_core.training.distributed.world import World, find_device, find_world
from reactor_core.training.experience import experience_dataset
from reactor_core.training.heldout import require_disjoint
from reactor_core.training.hooks import Hooks
from reactor_core.training.keeper import Place
from reactor_core.training.objective import encode_rows
from reactor_core.training.report.hook import ReportHook
from reactor_core.training.result import TrainingResult
from reactor_core.training.runs import Resume
from reactor_core.training.session import Session
from reactor_core.training.spending import BudgetHook
from reactor_core.training.start import find_start
from reactor_core.utils.clock import Clock, SystemClock, to_iso
from reactor_core.utils.environment import Environment, detect_environment, probe_machine
from reactor_core.utils.settings import Settings, load_settings

__all__ = ["Trainer", "TrainingResult"]


class Trainer:
    """Fine-tunes a causal model on a JSON Lines file.

    Args:
        config: What to train and how.
        hooks: Objects with any of ``on_start``, ``on_step``, ``on_end``, ``on_error``, ``should_stop``
            (:class:`~reactor_core.training.hooks.Hook`).
        settings: Where workspace and cache are; None reads the environment.
        clock: Source of time.
        checkpointer: Where checkpoints go beside the run's folder, such as
            :class:`~reactor_core.gcp.SpotVMCheckpointer`. None: on Compute Engine to ``GCS_CHECKPOINT_BUCKET``, if that
            is set; elsewhere they stay in the run's folder.
        environment: What this machine is; None looks at it.

    Raises:
        MissingExtra: The library of a sink in ``config.report_to`` is not installed.
    """

    def __init__(
        self,
        config: TrainingConfig,
        *,
        hooks: Sequence[Any] = (),
        settings: Settings | None = None,
        clock: Clock | None = None,
        checkpointer: Checkpointer | None = None,
        environment: Environment | None = None,
    ) -> None:
        self.config = config
        self.environment = environment
        self.settings = settings or load_settings()
        self.device = find_device()
        self.price = stated_price(self.settings.machine_price_usd_per_hour)
        limit = () if config.max_cost_usd is None else (BudgetHook(self.price, config.max_cost_usd),)
        told = (ReportHook(config.report_to, self.settings),) if config.report_to else ()
        self.hooks = Hooks((*hooks, *limit, *told))
        self.clock = clock or SystemClock()
        self.checkpointer = checkpointer
        self.control = RunControl()

    def train(self, path: Path | str | None = None, *, resume: Resume = "auto") -> TrainingResult:
        """Train, and block until the run ends.

        The whole file is read and tokenized before the first step. Ctrl-C or SIGTERM lets the part of the step end that
        is being computed, saves a checkpoint and raises Interrupted; the same call then goes on from there, with the
        next part, as it does after a crash or a kill.
        With equal processor model, torch build and thread count it ends in the same adapter as a run that was never
        touched, unless ``max_seconds`` binds, which ties the learning rate to the clock.

        Args:
            path: JSON Lines file; None takes ``config.dataset``, or else the decisions in the workspace's journal.
            resume: ``"auto"`` goes on with an unfinished run of the same options, data and base model, or starts a new
                one; True insists on going on; False starts over.

        Raises:
            ConfigError: The run does not fit into memory, or this machine is for inference only, and ``config.anyway``
                is not set; names what would fit.
            DatasetError: A line is not valid, or does not fit ``config.method``; nothing was trained.
            NothingToTrain: A row carries no loss, or there is no path and the journal holds no decision.
            UnknownModel: ``config.model_name`` means nothing.
            NonFiniteLoss: The loss broke; the optimizer had not moved.
            CheckpointInvalid: There is an unfinished run, and it belongs to something else or is damaged.
            StorageFull: No space was left; the last checkpoint is intact.
            Interrupted: Stopped by a signal or by :meth:`stop`, after a checkpoint.
            Halted: The workspace's kill switch is tripped. The step that was going on is dropped, nothing is written,
                and once the switch is reset the same call goes on from the last checkpoint.
            TrainingError: This trainer, or another process, is working on it already; or another machine has claimed
                the run in the checkpointer's bucket since.
            StorageError: The checkpointer's bucket cannot be reached when the run begins. Later on that is a warning:
                checkpoints stay on this machine until it can.
        """
        self.control.claim()
        return self._claimed(path, resume)

    async def train_async(self, path: Path | str | None = None, *, resume: Resume = "auto") -> TrainingResult:
        """:meth:`train` on a thread of its own, so that the caller's loop goes on.

        Cancelling it stops the run after the step that is going on and a checkpoint; the cancellation is raised when
        that is done, and the same call then goes on from there. Signals are the caller's: outside the main thread
        Python delivers none.
        """
        self.control.claim()  # here, so that a cancellation at once is heard
        work = asyncio.ensure_future(asyncio.to_thread(self._claimed, path, resume))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            self.control.ask(Wish.STOP)
            while not work.done():
                with contextlib.suppress(asyncio.CancelledError):  # said again: it takes as long as it takes
                    await asyncio.wait([work])
            if not work.cancelled():
                work.exception()  # known: it was stopped, or had failed or ended just before
            raise

    async def pause(self) -> bool:
        """Let the run stand still after the step that is going on and a checkpoint; returns when it does.

        Call it from a handler, another task or another thread's loop, not from a hook of the same run, which waits for
        the hook to return. Training goes on in the same bytes as if it had never paused.

        Returns:
            True; False if no run is going on, or it ended first.
        """
        self.control.ask(Wish.PAUSE)
        return await self.control.reached(State.PAUSED, State.IDLE) is State.PAUSED

    async def resume(self) -> bool:
        """Let a paused run go on; returns when it does, False if none is going on."""
        self.control.ask(Wish.RUN)
        return await self.control.reached(State.RUNNING, State.IDLE) is State.RUNNING

    async def stop(self) -> bool:
        """End the run after the part of the step that is going on and a checkpoint, as a signal does: :meth:`train`
        raises Interrupted, and the same call goes on from there.

        Returns:
            Whether a run was going on.
        """
        going_on = self.control.state is not State.IDLE
        self.control.ask(Wish.STOP)
        await self.control.reached(State.IDLE)
        return going_on

    def _claimed(self, path: Path | str | None, resume: Resume) -> TrainingResult:
        try:
            return self._train(path, resume)
        finally:
            self.control.release()

    def _train(self, path: Path | str | None, resume: Resume) -> TrainingResult:
        world = find_world(self.device)
        with world.leaving():
            return self._train_with(world, path, resume)

    def _train_with(self, world: World, path: Path | str | None, resume: Resume) -> TrainingResult:
        latch: Switch = Latch(self.settings.workspace)
        control, hooks = self.control, self.hooks
        if world.size > 1:
            latch, control, hooks = RankLatch(latch, world), RankControl(control, world), RankHooks(hooks, world)
        stand_still(latch)
        source = path or self.config.dataset
        if source is None:
            source = world.follow(str(experience_dataset(self.settings)) if world.first else None)
        dataset = read_dataset(source)
        dropped: list[Repeat] | None = None
        if self.config.near_duplicates == "drop":
            dataset, dropped = drop_repeats(dataset)
        entry = resolve_model(self.config.model_name, self.config.model_source, self.settings)
        start = find_start(self.config, self.settings)
        config = self.config if start is None else start.before_loading(self.config, entry)
        try:
            if world.size == 1:  # a plan is for one process
                admit(
                    config,
                    entry,
                    dataset,
                    start=start,
                    settings=self.settings,
                    environment=self.environment or detect_environment(probe_machine()),
                    device=self.device,
                )
            loaded = load_model(
                entry,
                device=self.device,
                quantization=config.quantization,
                double_quantization=config.double_quantization,
            )
            if start is not None:
                config = start.shape(config, loaded.model)
            chat = ChatFormat(loaded.tokenizer, config.chat_template)
            tokenizer, kept = tokenizer_hash(loaded.tokenizer), self.settings.workspace / "cache" / "tokens"
            encode = partial(
                encode_rows, chat=chat, config=config, model=loaded.model, folder=kept, tokenizer=tokenizer
            )
            documents, pairs = encode(dataset)
            held = self._held_out(dataset)
            held_rows = None if held is None else encode(held)
        except KeyboardInterrupt:
            raise Interrupted("stopped before the first step", remedy="run the same command again") from None
        template_hash = hashlib.sha256(chat.as_file().encode()).hexdigest()
        identity = run_identity(
            config.hash, dataset, entry, template_hash, tokenizer, held, None if start is None else start.sha256
        )
        require_same(world, identity)
        facts = {
            "config": config.model_dump(mode="json"),
            "dataset": dataset_facts(dataset),
            "held_out": None if held is None else dataset_facts(held),
            "near_duplicates": None if dropped is None else {"dropped": len(dropped), "similarity": THRESHOLD},
            "base": entry.card(),
            "started": to_iso(self.clock.utc_now()),
        }
        runs = self.settings.workspace / "runs"
        place = Place()
        if world.first:
            place = find_place(
                self.checkpointer,
                identity,
                self.settings,
                clock=self.clock,
                keep=self.config.keep_checkpoints,
                environment=lambda: detect_environment(probe_machine()),
            )
        folder = self.config.resolved_output()
        opened = open_run_anywhere(place, folder, runs, identity=identity, facts=facts, resume=resume)
        with own_folder(world, opened) as run:
            if dropped is not None:
                write_repeats(dropped, run.path / REPEATS)
            session = Session(
                run,
                loaded,
                chat,
                dataset,
                documents,
                pairs,
                held_rows,
                config=config,
                device=self.device,
                hooks=hooks,
                clock=self.clock,
                control=control,
                latch=latch,
                identity=identity,
                facts=facts,
                start=start,
                price=self.price,
                elsewhere=place,
                world=world,
            )
            with session.errors_reported():
                return session.run_to_end()

    def _held_out(self, trained: Dataset) -> Dataset | None:
        if self.config.eval_dataset is None:
            return None
        held = read_dataset(self.config.eval_dataset)
        require_disjoint(trained, held)
        return held
