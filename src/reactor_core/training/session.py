"""One process's work on one run: the steps, and what is written about them."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from reactor_core.cost.prices import MachinePrice
from reactor_core.data.chat import ChatFormat
from reactor_core.data.loader import num_steps, rows_of_step
from reactor_core.data.packing import Document
from reactor_core.data.pairs import Pair
from reactor_core.data.records import Dataset
from reactor_core.errors import Interrupted
from reactor_core.models.load import LoadedModel
from reactor_core.training.card import CARD, describe_environment
from reactor_core.training.certificate import Certifier
from reactor_core.training.checkpoint import Progress, latest_checkpoint, read_beside, read_partial, restore
from reactor_core.training.config import TrainingConfig
from reactor_core.training.control import REQUEST, RunControl, State, Switch, Wish, stand_still
from reactor_core.training.course import Course
from reactor_core.training.curves import LossLog, plot_curves
from reactor_core.training.distributed.keeping import RankKeeper
from reactor_core.training.distributed.state import Mirror, give_out, give_tensor, share_training
from reactor_core.training.distributed.world import World
from reactor_core.training.export import export
from reactor_core.training.heldout import HeldOut
from reactor_core.training.hooks import CheckpointInfo, Hooks, RunInfo, StepInfo
from reactor_core.training.interval import Interval
from reactor_core.training.isolation import require_isolation
from reactor_core.training.keeper import Keeper, Place, StepLeft
from reactor_core.training.lineage import lineage_facts, write_lineage
from reactor_core.training.memory import peak_memory, reset_peak_memory
from reactor_core.training.objective import make_objective
from reactor_core.training.optim import clip_gradients
from reactor_core.training.prepare import fast_form, prepare
from reactor_core.training.result import TrainingResult, final_loss
from reactor_core.training.runs import Run
from reactor_core.training.spending import cost_facts, note_redone, redone
from reactor_core.training.start import Start
from reactor_core.training.step import drops_at_random
from reactor_core.utils.clock import Clock, to_iso
from reactor_core.utils.files import atomic_dir, atomic_write, sha256_file, sweep_unfinished

__all__ = ["Session"]


class Session:
    """One process's work on one run."""

    def __init__(
        self,
        run: Run,
        loaded: LoadedModel,
        chat: ChatFormat,
        dataset: Dataset,
        documents: Sequence[Document],
        pairs: Sequence[Pair] | None,
        held: tuple[Sequence[Document], Sequence[Pair] | None] | None,
        *,
        config: TrainingConfig,
        device: torch.device,
        hooks: Hooks,
        clock: Clock,
        control: RunControl,
        latch: Switch,
        identity: dict[str, str],
        facts: dict[str, Any],
        start: Start | None = None,
        price: MachinePrice | None = None,
        elsewhere: Place | None = None,
        world: World | None = None,
    ) -> None:
        self.config, self.device = config, device
        self.hooks, self.clock, self.control, self.latch = hooks, clock, control, latch
        self.run, self.loaded, self.chat, self.dataset = run, loaded, chat, dataset
        self.identity, self.facts, self.price = identity, facts, price
        self.start, self.world = start, world or World()
        model = self.model = loaded.model
        self.parameters, self.optimizer = prepare(model, config, start)
        self.share_prefixes = not drops_at_random(model)
        sweep_unfinished(run.path)
        checkpoint = latest_checkpoint(run.checkpoints) if run.resumed else None
        beside = {} if checkpoint is None else read_beside(checkpoint)
        self.objective = make_objective(
            model,
            documents,
            pairs,
            config,
            share_prefixes=self.share_prefixes,
            device=device,
            reference=give_tensor(self.world, beside.get("reference")),
            world=self.world,
        )
        self.groups = self.objective.groups
        held_objective = None
        if held is not None:
            held_objective = make_objective(
                model, *held, config, share_prefixes=self.share_prefixes, device=device, world=self.world
            )
        self.num_rows = len(dataset.rows)
        self.course = Course.of(config, self.num_rows)
        self.progress, partial = Progress(), None
        if checkpoint is not None:
            self.progress = restore(checkpoint, parameters=self.parameters, optimizer=self.optimizer, identity=identity)
            partial = read_partial(checkpoint, self.parameters) if self.world.size == 1 else None
        self._share()
        self.resumed_from = self.progress.step
        self.objective.fast = self.fast = fast_form(model, self.objective.documents, config)
        if self.fast is None:
            require_isolation(model, self.objective.documents)
        self.certifier = Certifier(
            model,
            self.objective,
            documents if pairs is None else pairs,
            config=config,
            parameters=self.parameters,
            folder=run.path,
            drops=not self.share_prefixes,
        )
        state = self.mirror or self  # what is saved
        self.held: HeldOut | None = None
        if held_objective is not None:
            held_objective.fast = self.fast
            self.held = HeldOut(
                held_objective,
                config,
                folder=run.path,
                parameters=state.parameters,
                settle=lambda: self.keeper.settle(self.progress),
                steps_per_epoch=num_steps(self.num_rows, config.batch_size),
                step=self.progress.step if self.progress.measured_step is None else self.progress.measured_step,
            )
        write_lineage(run.path, dataset, self.groups)
        note_redone(run.path, run.path / "loss.jsonl", step=self.progress.step)
        self.log = LossLog(run.path / "loss.jsonl", keep_steps=self.progress.step)
        keeper = Keeper(
            run,
            parameters=state.parameters,
            optimizer=state.optimizer,
            identity=identity,
            progress=self.progress,
            interval=Interval(
                None if config.save_seconds == "auto" else config.save_seconds,
                between_failures=config.hours_between_failures * 3600,
                size=3 * sum(value.nbytes for value in self.parameters.values()),  # with AdamW's two moments
            ),
            keep=config.keep_checkpoints,
            clock=clock,
            elsewhere=elsewhere,
            partial=partial,
            beside=self.objective.beside,
            told=self._tell_saved,
        )
        self.keeper: Keeper | RankKeeper = keeper
        if self.world.size > 1:
            self.keeper = RankKeeper(keeper, self.world, self.parameters.values(), self.mirror)

    def _share(self) -> None:
        """Bring several processes to one state, and let each keep its share of the model."""
        self.mirror: Mirror | None = None
        self.progress = give_out(self.world, self.progress, self.parameters, self.optimizer)
        if self.world.size > 1 and self.config.shard:
            self.parameters, self.optimizer, self.mirror = share_training(
                self.model, self.config, self.parameters, self.optimizer, world=self.world, device=self.device
            )

    @contextmanager
    def errors_reported(self) -> Iterator[None]:
        """Tell the hooks about whatever ends the run early."""
        try:
            yield
        except BaseException as error:
            self.hooks.on_error(error)
            raise

    def run_to_end(self) -> TrainingResult:
        """Train until something ends the run, then write what it came to."""
        reset_peak_memory()
        self.hooks.on_start(
            RunInfo(
                run_id=self.run.run_id,
                run_dir=self.run.path,
                model=self.loaded.entry.name,
                rows=self.num_rows,
                total_steps=self.course.total_steps,
                step=self.progress.step,
                max_seconds=self.config.max_seconds,
                dataset_hash=self.dataset.sha256,
                elapsed=self.progress.elapsed,
            )
        )
        self.control.begin(self.run.path, self.progress.step)
        try:
            with (
                self.keeper.watching() as stopped,
                self.control.hastening(self.keeper.give_notice),
                torch.random.fork_rng(enabled=not self.share_prefixes),
            ):
                reason = self._loop(stopped)
        except KeyboardInterrupt:
            raise self._interrupted("a second Ctrl-C", self.resumed_from) from None
        finally:
            self.control.end(self.progress.step)
        self.keeper.save(self.progress)
        summary = self._finish(reason).summary() if self.world.first else None
        result = TrainingResult.from_summary(self.world.follow(summary))
        self.hooks.on_end(result)
        return result

    def _interrupted(self, what: str, step: int, *, also: str = "") -> Interrupted:
        remedy = f"run the same command again: it goes on from the last checkpoint in {self.run.path} (step {step})"
        error = Interrupted(f"training stopped by {what}{also}", remedy=remedy)
        error.by = what
        return error

    def _loop(self, stopped: Callable[[], str | None]) -> str:
        progress = self.progress
        while True:
            progress.elapsed, progress.last_step_seconds = self.world.follow(
                (progress.elapsed, progress.last_step_seconds)
            )
            if (reason := self.course.ended(progress) or self._look()) is not None:
                self._look(ended=True)
                return reason
            self._obey(stopped)
            try:
                self.train_step()
            except StepLeft:
                continue  # the reason to stop is still there, and is obeyed
            if (reason := self.hooks.should_stop()) is not None:
                self._look(ended=True)
                return reason
            self.keeper.tick(self.progress)

    def _look(self, *, ended: bool = False) -> str | None:
        """Measure the held-out rows if it is time; a reason to end the run if it gets no better."""
        held = self.held
        if held is None:
            return None
        if held.due(self.progress, ended=ended):
            info = held.measure(self.progress)
            self.progress.elapsed += info.seconds
            if info.best and self.config.keep_best:
                self.keeper.save(self.progress)  # so that a checkpoint never speaks of weights that were swept
                with self.keeper.moving(self.progress):
                    held.sweep(self.progress)
            self.hooks.on_eval(info)
        return "early_stopping" if held.exhausted(self.progress) else None

    def _obey(self, stopped: Callable[[], str | None]) -> None:
        """Do what is wanted between two steps: pause until that changes, or stop after a checkpoint."""
        wish = self.control.wish()
        if wish is Wish.PAUSE and stopped() is None:
            self.keeper.save_news(self.progress)  # a machine may be taken away while nothing is done on it
            self.hooks.on_pause(self.progress.step)
            self.control.move(State.PAUSED, self.progress.step)
            while wish is Wish.PAUSE and stopped() is None:
                wish = self.control.wait()
                stand_still(self.latch)
            if wish is Wish.RUN and stopped() is None:
                self.hooks.on_resume(self.progress.step)
                self.control.move(State.RUNNING, self.progress.step)
        if (reason := stopped() or (REQUEST if wish is Wish.STOP else None)) is not None:
            raise self._interrupted(reason, self.progress.step, also=self.keeper.rest(self.progress))

    def train_step(self) -> None:
        """One optimizer step: gradient of the mean loss, finite check, clip, move."""
        config, progress = self.config, self.progress
        begun = self.clock.monotonic()
        rows = rows_of_step(
            progress.step,
            self.num_rows,
            batch_size=config.batch_size,
            seed=config.seed,
            shuffle=config.shuffle,
            groups=self.groups,
        )
        share, rate = self.course.share(progress), self.course.learning_rate(progress)
        self.optimizer.zero_grad(set_to_none=True)
        seed = (config.seed * 1_000_003 + progress.step) * 1_000_003
        accumulator = self.keeper.accumulator
        outcome = self.objective.accumulate(rows, seed=seed, meter=accumulator)
        loss = outcome.loss
        aside = self.certifier.check(rows, loss=loss, step=progress.step + 1, seed=seed)  # no part of the step's time
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        stand_still(self.latch)  # the step is dropped
        with self.keeper.moving(progress):
            parameters = list(self.parameters.values())
            norm = clip_gradients(parameters, config.max_grad_norm, loss=loss, step=progress.step + 1)
            self.optimizer.step()
            accumulator.clear()
            seconds = self.clock.monotonic() - begun - aside + accumulator.earlier
            progress.step += 1
            progress.tokens += outcome.tokens
            progress.tokens_computed += outcome.computed
            progress.rows += len(rows)
            progress.elapsed += seconds + aside
            progress.last_step_seconds = seconds
            progress.first_loss = loss if progress.first_loss is None else progress.first_loss
            progress.last_loss = loss
            info = StepInfo(
                step=progress.step,
                epoch=progress.rows / self.num_rows,
                progress=min(1.0, max(share, self.course.share(progress))),
                loss=loss,
                learning_rate=rate,
                grad_norm=norm,
                tokens=outcome.tokens,
                tokens_computed=outcome.computed,
                seconds=seconds,
                elapsed=progress.elapsed,
                metrics=outcome.metrics,
            )
            self.log.append(info)
        self.hooks.on_step(info)

    def _tell_saved(self, step: int, seconds: float) -> None:
        self.hooks.on_checkpoint(CheckpointInfo(step, seconds, self.keeper.interval.seconds))

    def _finish(self, reason: str) -> TrainingResult:
        """Write the adapter, the curve and, last, the card that makes the run a finished one."""
        if self.held is not None:
            self.held.take_best(self.progress)
        peak = peak_memory()
        progress, run = self.progress, self.run
        cost = cost_facts(self.price, seconds=progress.elapsed, tokens=progress.tokens, again=redone(run.path))
        picture = run.path / "loss.png"
        unit = "nats per completion token" if self.config.method == "sft" else f"{self.config.dpo_loss} loss of a pair"
        held_log = None if self.held is None else self.held.log
        title = f"{self.loaded.entry.name}, {run.run_id}"
        plot_curves(self.log.path, picture, title=title, loss_label=unit, held_out=held_log)
        output = run.path / ("adapter" if self.config.use_lora else "model")
        assert progress.first_loss is not None
        result = TrainingResult(
            run_id=run.run_id,
            run_dir=run.path,
            adapter_dir=output,
            steps=progress.step,
            rows_trained=progress.rows,
            tokens_trained=progress.tokens,
            tokens_computed=progress.tokens_computed,
            tokens_per_second=progress.tokens / progress.elapsed,
            seconds=progress.elapsed,
            peak_memory_bytes=peak,
            first_loss=progress.first_loss,
            final_loss=final_loss(self.log.path),
            dataset_hash=self.dataset.sha256,
            card_path=run.path / CARD,
            loss_path=self.log.path,
            plot_path=picture,
            stopped=reason,
            resumed_from=self.resumed_from,
            eval_loss=progress.best_loss,
            best_step=progress.best_step or None,
            cost_nano_usd=cost["nano_usd"],
            certified=(self.certifier.facts or {}).get("holds"),
        )
        with atomic_dir(output) as temporary:
            export(
                self.loaded if self.mirror is None else self.mirror.as_loaded(self.loaded),
                self.chat,
                self.config,
                temporary,
            )
            hashes = {file.name: sha256_file(file) for file in sorted(temporary.iterdir())}
            card = {
                "run_id": run.run_id,
                **self.facts,
                "identity": self.identity,
                "environment": describe_environment(self.device),
                "metrics": result.summary(),
                "files": hashes,
                **self.hooks.card_facts(),
                "chat_template": self.chat.name,
                "cost": cost,
                "certificate": self.certifier.facts,
                "checkpoints": self.keeper.facts(),
                "lineage": lineage_facts(run.path),
                "processes": self.world.size,
                "path": "fast" if self.fast is not None else "generic",
                "finished": to_iso(self.clock.utc_now()),
                "parent": None if self.start is None else self.start.facts(),
            }
            text = json.dumps(card, indent=2, sort_keys=True) + "\n"
            atomic_write(temporary / CARD, text)
        atomic_write(result.card_path, text)
        if (fault := self.keeper.finish(progress, output)) is not None:
            warnings.warn(fault, stacklevel=2)
        shutil.rmtree(run.checkpoints)  # a finished run is not resumed
        for kept in run.path.glob("best-*"):
            shutil.rmtree(kept)
        return result
