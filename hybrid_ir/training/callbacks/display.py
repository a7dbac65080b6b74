"""Displays of training progress: a live bar in a terminal, and occasional plain lines anywhere else."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

UNKNOWN = "-"


@dataclass(frozen=True)
class Standing:
    """The state of training after a batch, for display.

    Attributes:
        epoch: number of the epoch, from 1.
        epochs: number of epochs of the run; None if its length is not set in epochs.
        step: optimiser steps taken.
        steps: optimiser steps of the whole run.
        loss: loss of the last batch, on the first rank.
        kind: kind of the last batch.
        pairs_per_second: over all ranks; None before the second batch.
        seconds_left: remaining training time without evaluations; None if unknown.
    """

    epoch: int
    epochs: int | None
    step: int
    steps: int
    loss: float
    kind: str
    pairs_per_second: float | None
    seconds_left: float | None

    @property
    def words(self) -> dict[str, str]:
        """The parts of the text that both displays show."""
        rate = UNKNOWN if self.pairs_per_second is None else f"{self.pairs_per_second:.0f}"
        left = UNKNOWN if self.seconds_left is None else str(timedelta(seconds=round(self.seconds_left)))
        return {
            "epoch": f"epoch {self.epoch}" if self.epochs is None else f"epoch {self.epoch}/{self.epochs}",
            "step": f"step {self.step}/{self.steps}",
            "loss": f"loss {self.loss:.3f}",
            "kind": self.kind,
            "rate": f"{rate} pairs/s",
            "left": f"{left} left",
        }


class Display(Protocol):
    """Shows a run's progress."""

    def due(self) -> bool:
        """Whether an update is due. Updates are rare, because reading the loss makes a GPU wait."""
        ...

    def show(self, standing: Standing) -> None: ...

    def evaluating(self, benchmark: str, step: int) -> None:
        """Show that training has paused for an evaluation."""
        ...

    def clear(self) -> None:
        """Free the terminal for other output until the next call."""
        ...


class LiveBar:
    """A progress bar on one line, redrawn in place and removed when training is over.

    Args:
        console: the terminal.
        seconds: time between two updates.
        clock: returns the time in seconds.
    """

    def __init__(self, console: Console, seconds: float = 0.2, clock: Callable[[], float] = time.monotonic) -> None:
        self.console, self.seconds, self.clock = console, seconds, clock
        self._bar: Progress | None = None
        self._evaluation: Progress | None = None
        self._next = 0.0

    def due(self) -> bool:
        return self.clock() >= self._next

    def show(self, standing: Standing) -> None:
        self._next = self.clock() + self.seconds
        words: dict[str, Any] = standing.words
        if self._bar is None:
            self.clear()
            parts = [TextColumn(f"{{task.fields[{name}]}}") for name in ("step", "loss", "kind", "rate", "left")]
            columns = (SpinnerColumn(), TextColumn("{task.fields[epoch]}"), BarColumn(bar_width=None), *parts)
            self._bar = Progress(*columns, console=self.console, transient=True, expand=True)
            self._bar.add_task("", total=standing.steps, **words)
            self._bar.start()
        (task,) = self._bar.task_ids
        self._bar.update(task, completed=standing.step, **words)

    def evaluating(self, benchmark: str, step: int) -> None:
        self.clear()
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        self._evaluation = Progress(*columns, console=self.console, transient=True)
        self._evaluation.add_task(f"step {step}: evaluating on {benchmark}", total=None)
        self._evaluation.start()

    def clear(self) -> None:
        for shown in (self._bar, self._evaluation):
            if shown is not None:
                shown.stop()
        self._bar = self._evaluation = None


class PlainLines:
    """Plain lines of text some seconds apart, for log files and pipes.

    Args:
        console: where to write.
        seconds: time between two lines.
        clock: returns the time in seconds.
    """

    def __init__(self, console: Console, seconds: float = 30.0, clock: Callable[[], float] = time.monotonic) -> None:
        self.console, self.seconds, self.clock = console, seconds, clock
        self._next = 0.0

    def due(self) -> bool:
        return self.clock() >= self._next

    def show(self, standing: Standing) -> None:
        self._next = self.clock() + self.seconds
        self._write("  ".join(standing.words.values()))

    def evaluating(self, benchmark: str, step: int) -> None:
        self._write(f"step {step}: evaluating on {benchmark}")

    def clear(self) -> None:
        """Nothing to clear: plain lines stay."""

    def _write(self, line: str) -> None:
        print(line, file=self.console.file, flush=True)  # the console would wrap it


def display_for(console: Console) -> Display:
    """A live bar if the console is a terminal that can draw one, plain lines otherwise."""
    return LiveBar(console) if console.is_interactive else PlainLines(console)
