"""Times searches in an index: encoding and search separately, for single questions and in batches.

The passages are synthetic, and their vectors are clustered, so that an approximate search finds neighbourhoods, which
independent random vectors do not have. The index is made and searched by the code of the commands. Times are medians
over questions, in wall and in CPU time: on a busy machine, wall time includes other work. `--encoder FOLDER` also times
the encoding of a question with a real model.

    python -m benchmarks.search_corpus FOLDER [--passages 100000] [--width 384] [--threads 1] [--encoder DIR] [--faiss]
"""

import argparse
import json
import platform
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor

from hybrid_ir.encoder.build import build_encoder
from hybrid_ir.encoder.model_config import ModelConfig
from hybrid_ir.search.index.approximate import FaissConfig, build_approximate
from hybrid_ir.search.index.build_index import IndexOptions, build_index
from hybrid_ir.search.index.index_folder import Index
from hybrid_ir.search.index.reference import Reference
from hybrid_ir.search.searcher import Searcher

LANGUAGES = ("de", "en", "es", "fr", "sw")
CENTRES, SPREAD = 2000, 0.7
QUESTION = "What is the name of the river that flows through the old town of the city?"


class Made:
    """An encoder with random clustered vectors: a centre and a deviation from it, both derived from the text."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.centres = self._unit(torch.randn(CENTRES, width, generator=torch.Generator().manual_seed(0)))

    def encode(self, texts: Sequence[str], kind: str) -> Tensor:
        seeds = [zlib.crc32(f"{kind} {text}".encode()) for text in texts]
        noise = torch.randn(len(texts), self.width, generator=torch.Generator().manual_seed(seeds[0]))
        return self._unit(self.centres[[seed % CENTRES for seed in seeds]] + SPREAD * self._unit(noise))

    def describe(self) -> dict[str, object]:
        return {"encoder": "made up", "width": self.width, "spread": SPREAD}

    def _unit(self, vectors: Tensor) -> Tensor:
        return torch.nn.functional.normalize(vectors, dim=1)


def made_index(folder: Path, passages: int, width: int, dtype: str) -> Index:
    """The index, made unless it exists from an earlier run."""
    corpus, encoder = folder / f"{passages}.jsonl", Made(width)
    if not corpus.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with corpus.open("w") as file:
            for number in range(passages):
                language = LANGUAGES[number % len(LANGUAGES)]
                row = {"id": f"{language}:{number}", "text": f"passage {number}", "language": language}
                file.write(json.dumps(row) + "\n")
    reference = Reference("model", {"name_or_path": "made up"}, encoder.describe())
    return build_index(folder / f"{passages}x{width}-{dtype}", [corpus], encoder, reference, IndexOptions(dtype=dtype))


def milliseconds(run: Callable[[int], object], times: int, share: int = 1) -> tuple[float, float]:
    """Median wall and CPU time of a call, after one warm-up call; each call gets another number."""
    run(0)
    taken = []
    for number in range(1, times + 1):
        started = time.perf_counter(), time.process_time()
        run(number)
        taken.append((time.perf_counter() - started[0], time.process_time() - started[1]))
    clock, processor = zip(*taken, strict=True)
    return 1000 * median(clock) / share, 1000 * median(processor) / share


def resident() -> int:
    """Private memory of this process in MiB, without mapped files (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("RssAnon"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="for the index: passages x width x bytes; kept")
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--width", type=int, default=384)
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--questions", type=int, default=50)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--encoder", help="a model's folder, whose encoding of a question is timed")
    parser.add_argument("--faiss", action="store_true", help="also measure backend=faiss")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    made_index(options.folder, options.passages, options.width, options.dtype)
    index = Index(options.folder / f"{options.passages}x{options.width}-{options.dtype}")
    encoder = Made(options.width)
    exact = Searcher(index, encoder)
    questions = encoder.encode([f"question {number}" for number in range(256)], "query")

    def one(searcher: Searcher, **pool: Any) -> tuple[float, float]:
        def ask(number: int) -> object:
            return searcher.rank(questions[number % 256][None], options.k, **pool)

        return milliseconds(ask, options.questions)

    def first(_: int) -> object:
        return Searcher(Index(index.folder), encoder).rank(questions[:1], options.k)

    rows = {"opening the index and a first question": milliseconds(first, 5), "one question": one(exact)}
    rows["one question, `language=de`"] = one(exact, languages=["de"])
    for rule in ("centroid", "round_robin"):
        rows[f"one question, `balance={rule}`"] = one(exact, balance=rule)
    rows["256 questions at once, each"] = milliseconds(lambda _: exact.rank(questions, options.k), 3, share=256)
    memory = resident()
    if options.faiss:
        facts = build_approximate(index, FaissConfig())
        (kind,) = {entry["kind"] for entry in facts["languages"].values()}
        name = f"one question, `backend=faiss` ({kind}), recall@{facts['recall_at']} {facts['recall']:.3f}"
        rows[name] = one(Searcher(index, encoder, "faiss"))
    if options.encoder:
        config = ModelConfig(name_or_path=options.encoder, query_prefix="query: ", passage_prefix="passage: ")
        model = build_encoder(config, tuple, options.folder)
        rows["encoding one question"] = milliseconds(lambda n: model.encode([f"{QUESTION} {n}"], "query"), 20)
    machine = f"{platform.machine()}, torch {torch.__version__}, {options.threads} thread(s)"
    print(f"{machine}, {options.passages} x {options.width} in {options.dtype}, k = {options.k}")
    print(f"memory of the process after the exact searches, mapped files apart: {memory} MiB\n")
    print("| what | ms by the clock | ms of the processor |\n|---|---:|---:|")
    print("\n".join(f"| {name} | {clock:.1f} | {processor:.1f} |" for name, (clock, processor) in rows.items()))


if __name__ == "__main__":
    main()
