"""All 132 settings of XQuAD-R by our engine, and the same measures by torchmetrics, setting by setting.

Both start from the same random unit vectors (the counts of XQuAD-R) and end with mAP and recall of every setting.
torchmetrics has no rank distance; ours is counted into our time. torchmetrics is measured on a part of the settings of
each kind, in full for these, and multiplied by their number: settings of a kind differ by a few passages only.

    python -m benchmarks.against_torchmetrics [--settings 2] [--threads 1] [--dimension 384]
"""

import argparse
import platform
import time
from collections import Counter
from dataclasses import dataclass

import torch
from torch import Tensor
from torchmetrics.retrieval import RetrievalMAP, RetrievalRecall

from benchmarks.scoring import seconds, xquad_r_shape
from hybrid_ir.evaluation.benchmarks.benchmark import Benchmark
from hybrid_ir.evaluation.evaluator import PAPER_MEASURES, parse_measures, score
from hybrid_ir.evaluation.ranking.scoring import VectorScorer
from hybrid_ir.evaluation.results.result import ALL, SettingResult


def by_torchmetrics(benchmark: Benchmark, queries: Tensor, passages: Tensor, entry: SettingResult) -> list[float]:
    """Mean average precision and recall of one setting."""
    asked = torch.from_numpy(benchmark.queries.languages == benchmark.languages.index(entry.setting.query_language))
    pool = torch.ones(len(benchmark.passages), dtype=torch.bool)
    if entry.setting.pool != ALL:
        pool = torch.from_numpy(benchmark.passages.languages == benchmark.languages.index(entry.setting.pool))
    preds = (queries[asked] @ passages[pool].T + 1) / 2  # torchmetrics finds nothing with a score of zero or less
    target = torch.zeros(len(queries), len(benchmark.passages), dtype=torch.bool)
    counts = torch.from_numpy(benchmark.offsets).diff()
    target[torch.arange(len(queries)).repeat_interleave(counts), torch.from_numpy(benchmark.relevant)] = True
    target = target[asked][:, pool]
    indexes = torch.arange(len(preds))[:, None].expand_as(preds)
    cutoff = next(measure.cutoff for measure in entry.values if measure.kind == "recall")
    values = []
    for metric in (RetrievalMAP(), RetrievalRecall(top_k=cutoff)):
        metric.update(preds, target, indexes)
        values.append(float(metric.compute()))
    return values


@dataclass(frozen=True)
class Kind:
    """Settings of one kind under torchmetrics.

    Attributes:
        name: of the kind.
        count: of its settings.
        measured: how many of them were computed.
        seconds: a setting took.
    """

    name: str
    count: int
    measured: int
    seconds: float

    @property
    def total(self) -> float:
        """Seconds that all of them would take."""
        return self.seconds * self.count


def compare(dimension: int, settings: int, repeat: int = 3) -> tuple[list[float], list[Kind]]:
    """Seconds that all settings take here, of each repetition, and those of torchmetrics by kind of setting."""
    torch.manual_seed(0)
    benchmark = xquad_r_shape()
    queries, passages = (
        torch.nn.functional.normalize(torch.randn(len(side), dimension), dim=1)
        for side in (benchmark.queries, benchmark.passages)
    )
    measures = parse_measures(PAPER_MEASURES, benchmark)

    def everything() -> None:
        score(benchmark, VectorScorer(queries, passages), measures)

    ours = [seconds(everything, "cpu") for _ in range(repeat)]
    entries, _ = score(benchmark, VectorScorer(queries, passages), measures)
    kinds = []
    for kind, count in Counter(entry.setting.kind for entry in entries).items():
        some = [entry for entry in entries if entry.setting.kind == kind][:settings]
        started = time.perf_counter()
        found = [by_torchmetrics(benchmark, queries, passages, entry) for entry in some]
        kinds.append(Kind(kind, count, len(some), (time.perf_counter() - started) / len(some)))
        for entry, values in zip(some, found, strict=True):
            expected = [v.mean() for measure, v in entry.values.items() if not measure.compares_languages]
            assert torch.allclose(torch.tensor(values).double(), torch.tensor(expected).double(), atol=1e-5), entry
    return ours, kinds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--dimension", type=int, default=384)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--settings", type=int, default=2, help="settings of each kind that torchmetrics computes")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    repetitions, kinds = compare(options.dimension, options.settings)
    print("| kind | settings | measured | s a setting, torchmetrics | s all |\n|---|---:|---:|---:|---:|")
    for kind in kinds:
        print(f"| {kind.name} | {kind.count} | {kind.measured} | {kind.seconds:.2f} | {kind.total:.1f} |")
    ours, total = min(repetitions), sum(kind.total for kind in kinds)
    machine = f"{platform.machine()}, torch {torch.__version__}, {options.threads} threads"
    print(f"\n{machine}: ours {ours:.2f} s, torchmetrics {total:.1f} s (extrapolated), ratio 1/{total / ours:.0f}")


if __name__ == "__main__":
    main()
