"""Compares the time of scoring with that of the bare matrix product of query and passage vectors.

Scores all 132 settings of XQuAD-R (its numbers of questions and sentences, random unit vectors, one relevant sentence
in each language) with the paper's measures, against `queries @ passages.T` in chunks into a reused buffer. Both
alternate, and the fastest run of each counts, so that other work on the machine affects both alike.

    python -m benchmarks.scoring [--dimension 384] [--threads 2] [--chunk 512] [--repeat 5] [--device cpu] [--bias]
"""

import argparse
import platform
import time
from collections.abc import Callable

import numpy as np
import torch

from hybrid_ir.evaluation.benchmarks.benchmark import Benchmark
from hybrid_ir.evaluation.evaluator import DEFAULT_MEASURES, PAPER_MEASURES, parse_measures, score
from hybrid_ir.evaluation.ranking.scoring import VectorScorer

QUESTIONS = 1190
SENTENCES = {"ar": 1222, "de": 1276, "el": 1234, "en": 1180, "es": 1215, "hi": 1244, "ru": 1219, "th": 852, "tr": 1167,
             "vi": 1209, "zh": 1196}  # fmt: skip


def xquad_r_shape() -> Benchmark:
    """A benchmark with XQuAD-R's counts and random relevant sentences."""
    random = np.random.default_rng(0)
    answers = [[f"{lang}:{random.integers(count)}" for lang, count in SENTENCES.items()] for _ in range(QUESTIONS)]
    return Benchmark.build(
        "xquad_r_shape",
        queries={lang: {f"{lang}:{i}": "question" for i in range(QUESTIONS)} for lang in SENTENCES},
        passages={lang: {f"{lang}:{i}": "sentence" for i in range(count)} for lang, count in SENTENCES.items()},
        qrels={f"{lang}:{i}": answer for lang in SENTENCES for i, answer in enumerate(answers)},
        query_groups={f"{lang}:{i}": str(i) for lang in SENTENCES for i in range(QUESTIONS)},
    )


def seconds(run: Callable[[], object], device: str) -> float:
    started = time.perf_counter()
    run()
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--dimension", type=int, default=384)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--chunk", type=int, default=512)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--bias", action="store_true", help="the default measures: also language bias of the best ten")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    benchmark = xquad_r_shape()
    sizes = len(benchmark.queries), len(benchmark.passages)
    queries, passages = (
        torch.nn.functional.normalize(torch.randn(size, options.dimension), dim=1).to(options.device) for size in sizes
    )
    buffer = torch.empty(options.chunk, sizes[1], device=options.device)

    def product() -> None:
        for chunk in queries.split(options.chunk):
            torch.mm(chunk, passages.T, out=buffer[: len(chunk)])

    measures = parse_measures(DEFAULT_MEASURES if options.bias else PAPER_MEASURES, benchmark)

    def everything() -> None:
        score(benchmark, VectorScorer(queries, passages), measures, options.chunk)

    runs = [(seconds(product, options.device), seconds(everything, options.device)) for _ in range(options.repeat + 1)]
    bare, full = (min(column) for column in zip(*runs[1:], strict=True))  # the first run warms up
    print("| machine | device | threads | product | s | all settings, s | ratio |\n|---|---|---:|---|---:|---:|---:|")
    machine = f"{platform.machine()}, torch {torch.__version__}"
    shape = " x ".join(map(str, (*sizes, options.dimension)))
    cells = (machine, options.device, options.threads, shape, f"{bare:.2f}", f"{full:.2f}", f"{full / bare:.2f}")
    print("| " + " | ".join(map(str, cells)) + " |")


if __name__ == "__main__":
    main()
