"""A made-up sweep: planted vectors in place of trained ones, in the folders that training writes."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor

from hybrid_ir.evaluation.benchmarks.benchmark import Benchmark
from hybrid_ir.evaluation.evaluator import DEFAULT_MEASURES, evaluate
from hybrid_ir.evaluation.results.history import RunHistory
from hybrid_ir.evaluation.results.result import Result
from tests.evaluation.samples import LANGUAGES, HashEncoder, parallel_benchmark

QUESTIONS = 20

WriteRun = Callable[..., Path]


class NoisyEncoder(HashEncoder):
    """Vectors of `parallel_benchmark` that know content and language, with noise that a seed decides."""

    def __init__(self, seed: int, language: float) -> None:
        super().__init__(len(LANGUAGES) + QUESTIONS)
        self.seed, self.language = seed, language

    def encode(self, texts: Sequence[str], kind: str) -> Tensor:
        vectors = 0.8 * super().encode(texts, f"{kind} {self.seed}")
        for row, text in enumerate(texts):
            _, language, number = text.split()
            vectors[row, LANGUAGES.index(language)] += self.language
            vectors[row, len(LANGUAGES) + int(number)] += 0.6
        return vectors


WHOLE = parallel_benchmark(QUESTIONS)
RESULTS: dict[tuple[int, float, str, str], Result] = {}  # many tests write the same runs


def evaluated(seed: int, language: float, benchmark: Benchmark) -> Result:
    key = (seed, language, benchmark.name, benchmark.fingerprint)
    if key not in RESULTS:
        RESULTS[key] = evaluate(NoisyEncoder(seed, language), benchmark, DEFAULT_MEASURES)
    return RESULTS[key]


@pytest.fixture
def write_run(tmp_path: Path) -> WriteRun:
    """`write_run("sweep/0", alpha=0.5, seed=1)` writes the folder of a run of two epochs and returns it."""
    return run_writer(tmp_path)


@pytest.fixture(scope="session")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three values of alpha with two seeds each; not to be written into."""
    place = tmp_path_factory.mktemp("made-up")
    write = run_writer(place)
    for number, (alpha, seed) in enumerate((alpha, seed) for alpha in (0.0, 0.5, 1.0) for seed in (1, 2)):
        write(f"sweep/{number}", alpha, seed)
    return place / "sweep"


def run_writer(place: Path) -> WriteRun:
    """Writes runs into folders below `place`."""

    def write(
        name: str,
        alpha: float = 0.5,
        seed: int = 1,
        sampler: str = "hybrid",
        backbone: str = "tiny",
        benchmark: Benchmark | None = None,
        epochs: tuple[int, ...] = (0, 1, 2),
        trained_on: tuple[str, ...] = ("de", "en"),
        config: dict[str, Any] | None = None,
    ) -> Path:
        folder = place / name
        chosen: dict[str, Any] = {"name": sampler}
        if sampler == "hybrid":
            chosen["alpha"] = alpha
        provenance = {
            "command": ["train.py", f"sampler={sampler}", f"seed={seed}"],
            "commit": "0123456789abcdef+", "python": "3.11.7", "libraries": {"torch": "2.13.0"},
            "machine": {"cores": 2, "platform": "Linux", "gpu": None},
            "corpora": {"facts": {"languages": list(trained_on), "examples": 1200}} if trained_on else {},
            "config": {
                "name": name,
                "seed": seed,
                "model": {"name": backbone},
                "sampler": chosen,
                "data": {"batch_size": 8, "corpora": {"facts": {"cache_dir": str(place / "cache")}}},
                "optim": {"learning_rate": 0.001}, "loss": {"temperature": 0.05},
                "paths": {"run": str(folder), "cache": str(place / "cache")},
                "trainer": {"max_epochs": 2, "default_root_dir": str(folder)},
            }
            | (config or {}),
        }  # fmt: skip
        history = RunHistory(folder, provenance)
        for epoch in epochs:
            history.add(10 * epoch, epoch, [evaluated(seed, 0.9 * alpha + 0.3 * (2 - epoch), benchmark or WHOLE)])
        return folder

    return write
