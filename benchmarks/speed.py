"""Compares our speed in one run: training and embedding with sentence-transformers, evaluation with torchmetrics.

    python -m benchmarks.speed --model FOLDER --data FOLDER [--steps 5] [--turns 4] [--texts 800] [--threads 2]

Data and rules are those of `benchmarks.training`, `benchmarks.embedding` and `benchmarks.against_torchmetrics`: the two
sides alternate, every ratio is of consecutive runs, and its spread is printed. It also prints the parts of a training
step, and the share of the processor's matrix-product rate that a step reaches.
"""

import argparse
import logging
import platform
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import lightning as L
import torch
import transformers
from lightning.pytorch.loggers import CSVLogger
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import against_torchmetrics, embedding, training
from benchmarks.scoring import seconds
from hybrid_ir.data.readers import cldr_facts as cldr
from hybrid_ir.data.readers import squad

PRODUCT = 2048  # rows and columns of the products that measure the processor's rate
WAITING = "waiting for the batch: plan, fetch, tokenise"


class Split(L.Callback):
    """Seconds of each part of a step, from consecutive Lightning hooks; the first step warms up."""

    def __init__(self) -> None:
        self.parts: dict[str, float] = defaultdict(float)
        self.steps = -1
        self._last = 0.0

    def _ends(self, part: str) -> None:
        now = time.perf_counter()
        if self.steps >= 0:
            self.parts[part] += now - self._last
        self._last = now

    def on_train_start(self, trainer: L.Trainer, *_: Any) -> None:
        trainer.optimizers[0].register_step_post_hook(lambda *_: self._ends("clipping and optimiser"))

    def on_train_batch_start(self, *_: Any) -> None:
        self._ends(WAITING)

    def on_before_backward(self, *_: Any) -> None:
        self._ends("forward and loss")

    def on_after_backward(self, *_: Any) -> None:
        self._ends("backward")

    def on_train_batch_end(self, *_: Any) -> None:
        self._ends("logging and the rest")
        self.steps += 1


class Timed:
    """Calls a function and sums up the time."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function, self.seconds = function, 0.0

    def __call__(self, *arguments: Any) -> Any:
        started = time.perf_counter()
        try:
            return self.function(*arguments)
        finally:
            self.seconds += time.perf_counter() - started


def matmul_rate(repeat: int = 10) -> float:
    """Floating-point operations per second of a large float32 product, the fastest of several."""
    left, right = torch.randn(2, PRODUCT, PRODUCT)
    left @ right
    return 2 * PRODUCT**3 / min(seconds(lambda: left @ right, "cpu") for _ in range(repeat))


def ratio(slow: Sequence[float], fast: Sequence[float]) -> str:
    found = sorted(s / f for s, f in zip(slow, fast, strict=True))
    return f"**{statistics.median(found):.2f}** ({found[0]:.2f} to {found[-1]:.2f})"


def step_split(ours: training.Ours, work: Path) -> tuple[dict[str, float], float]:
    """Seconds of each part of our training step, and the floating-point operations of its matrix products."""
    ours.data.tokenize = tokenize = Timed(ours.data.tokenize)
    split = Split()
    ours.train(split, logger=CSVLogger(work, name="split"))
    ours.data.tokenize = tokenize.function
    parts = {name: seconds / split.steps for name, seconds in split.parts.items()}
    parts["of the waiting: tokenising"] = tokenize.seconds / (split.steps + 1)
    with FlopCounterMode(display=False) as counter:
        ours.train()
    return parts, counter.get_total_flops() / ours.limit


def report_training(options: argparse.Namespace, work: Path) -> None:
    corpus = squad.read("pairs", options.data, str(work)) if options.data else cldr.read("pairs", str(work))
    folder = training.build_folder(options, corpus, work)
    ours = training.Ours(folder, corpus, options)
    pairs = ours.pairs()
    theirs = training.Theirs(folder, pairs, options)
    turns = [(statistics.median(ours.train()), statistics.median(theirs.train())) for _ in range(options.turns)]
    fast, slow = zip(*turns, strict=True)
    medians = [statistics.median(side) for side in (fast, slow)]
    rates = [f"{options.batch / median:.1f}" for median in medians]
    print(f"| training, pairs/s | {rates[0]} | sentence-transformers {rates[1]} | {ratio(slow, fast)} |")
    parts, operations = step_split(ours, work)
    whole = sum(seconds for name, seconds in parts.items() if not name.startswith("of "))
    rate, peak = operations / medians[0], matmul_rate()
    print(
        f"\nA step: {operations / 1e9:.0f} GFLOP in matrix products, {rate / 1e9:.0f} GFLOP/s, {rate / peak:.0%} of "
        f"the {peak / 1e9:.0f} that a product of {PRODUCT} x {PRODUCT} reaches.\n"
    )
    print("| part of a step | s | share |\n|---|---:|---:|")
    for name, part in parts.items():
        print(f"| {name} | {part:.4f} | {part / whole:.1%} |")


def report_embedding(options: argparse.Namespace, work: Path) -> None:
    name, texts = embedding.sentences(options.texts)
    both = embedding.systems(Path(options.model) if options.model else embedding.random_model(texts, work), "cpu", 32)
    for encode in both.values():
        encode(texts[:32])
    fast, slow = embedding.take_turns(both, texts, options.turns, "cpu").values()
    rates = [f"{len(texts) / statistics.median(side):.1f}" for side in (fast, slow)]
    print(f"| embedding {name}, texts/s | {rates[0]} | sentence-transformers {rates[1]} | {ratio(slow, fast)} |")


def report_evaluation(options: argparse.Namespace) -> None:
    ours, kinds = against_torchmetrics.compare(384, options.settings, options.turns)
    total = sum(kind.total for kind in kinds)
    print(f"| all 132 settings of XQuAD-R, s | {statistics.median(ours):.1f} | torchmetrics {total:.0f} (extrapolated "
          f"from {sum(kind.measured for kind in kinds)} settings) | {ratio([total] * len(ours), ours)} |")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", help="hub name or folder with mean pooling; random weights by default")
    parser.add_argument("--data", help="folder of {language}.json in SQuAD's form; the built-in corpus by default")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--length", type=int, default=96, help="tokens of a training text at most")
    parser.add_argument("--steps", type=int, default=5, help="training steps of a turn that count")
    parser.add_argument("--turns", type=int, default=4)
    parser.add_argument("--texts", type=int, default=800, help="texts to embed")
    parser.add_argument("--settings", type=int, default=2, help="settings of each kind that torchmetrics computes")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    options.workers = 0  # so that loading is part of the measured time
    torch.set_num_threads(options.threads)
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    transformers.logging.set_verbosity_error()
    print(f"{platform.machine()}, torch {torch.__version__}, {options.threads} threads\n")
    print("| what | hybrid_ir | beside it | ratio, median and range |\n|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        report_embedding(options, Path(folder))
        report_evaluation(options)
        report_training(options, Path(folder))


if __name__ == "__main__":
    main()
