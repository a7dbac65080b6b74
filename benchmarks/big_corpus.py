"""Start-up time, memory and batch time of a corpus of mMARCO's size: 40 million examples in seven languages.

Writes synthetic corpora in the project's format, with mMARCO's proportions of queries, passages and triples; then
starts a fresh process on each, which opens the corpus, plans an epoch and draws batches. The start is timed in wall
and CPU time, batches in CPU time, which excludes other work on the machine. One passage in eight lacks a language, so
the corpus is not fully parallel. Texts are short (about 30 bytes), since costs depend on their number.

    python -m benchmarks.big_corpus --folder /tmp/big [--examples 1000000 40000000] [--keep]
"""

import argparse
import mmap
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import islice, repeat
from pathlib import Path

import numpy as np
import pyarrow as pa

from hybrid_ir.data.corpus import ParallelCorpus
from hybrid_ir.data.store import storage
from hybrid_ir.data.writer import publish_corpus
from hybrid_ir.encoder.build import build_encoder
from hybrid_ir.encoder.model_config import ModelConfig, ScratchConfig
from hybrid_ir.sampling.plan import BatchPlan
from hybrid_ir.sampling.policy import Hybrid
from hybrid_ir.training.data.collator import PlannedBatches, Tokenize

LANGUAGES = ("ar", "de", "en", "es", "hi", "ru", "zh")
MMARCO = 39_780_811  # triples; there are 808,731 queries and 8,841,823 passages
BATCH, WARM_UP, DRAWN, TOKENISED = 1024, 20, 1000, 10
PARTIAL = 8  # one passage in so many lacks a language


def write_texts(path: Path, count: int, prefix: str, partial: bool) -> None:
    schema = storage.text_schema(LANGUAGES)
    with pa.ipc.new_stream(str(path), schema) as sink:
        for start in range(0, count, storage.BATCH_ROWS):
            rows = np.arange(start, min(start + storage.BATCH_ROWS, count))
            absent = (rows % PARTIAL == 0) & partial
            columns = []
            for bit, language in enumerate(LANGUAGES):
                texts = [f"{prefix} {language} {row} some words follow" for row in rows.tolist()]
                lacks = absent & (rows // PARTIAL % len(LANGUAGES) == bit)
                columns.append(pa.array(texts, pa.string(), mask=lacks))
            ids = pa.array(map(str, rows.tolist()), pa.string())
            sink.write_batch(pa.record_batch([ids, pa.array(rows), *columns], schema=schema))


def write_examples(path: Path, count: int, questions: int, passages: int) -> None:
    rng = np.random.default_rng(0)
    with pa.ipc.new_stream(str(path), storage.EXAMPLE_SCHEMA) as sink:
        for start in range(0, count, storage.BATCH_ROWS):
            rows = np.arange(start, min(start + storage.BATCH_ROWS, count))
            ids = pa.array(map(str, rows.tolist()), pa.string())
            question = pa.array((rows * questions // count).astype(np.int32))
            passage, negative = (pa.array(rng.integers(0, passages, len(rows), dtype=np.int32)) for _ in range(2))
            negatives = pa.ListArray.from_arrays(np.arange(len(rows) + 1, dtype=np.int32), negative)
            sink.write_batch(pa.record_batch([ids, question, passage, negatives], schema=storage.EXAMPLE_SCHEMA))


def build(folder: Path, examples: int) -> Path:
    """Write a corpus with this number of examples, in mMARCO's proportions; returns its folder."""
    questions, passages = (max(1, round(total * examples / MMARCO)) for total in (808_731, 8_841_823))

    def write(target: Path) -> None:
        write_texts(target / storage.QUESTIONS, questions, "question", partial=False)
        write_texts(target / storage.PASSAGES, passages, "passage", partial=True)
        write_examples(target / storage.EXAMPLES, examples, questions, passages)
        storage.Manifest("big", LANGUAGES).write(target)

    publish_corpus("big", folder, str(examples), write)
    return folder / f"big-{examples}"


def resident() -> dict[str, float]:
    """Memory of this process in MB: private memory, and mapped files, which processes share in the kernel's cache."""
    lines = (line.split() for line in Path("/proc/self/status").read_text().splitlines())
    return {line[0][:-1]: int(line[1]) / 1024 for line in lines if line[0] in ("RssAnon:", "RssFile:")}


def measure(path: Path, mapped: bool) -> None:
    """Print one row of the table, from a fresh process."""
    imported = resident()
    begun, busy = time.perf_counter(), time.process_time()
    corpus = ParallelCorpus.load(path)
    if not mapped:
        corpus = corpus.unmapped()
    plan = BatchPlan([corpus.coverage()], Hybrid(0.5), BATCH, seed=0)
    plan.fingerprint()
    epoch = plan.epoch(0)
    epoch[0]
    started = f"{time.perf_counter() - begun:.1f} ({time.process_time() - busy:.1f})"
    at_start = resident()

    steps = np.random.default_rng(0).integers(0, len(epoch), WARM_UP + DRAWN)
    times = []
    for step in steps.tolist():
        begun = time.process_time()
        batch = epoch[step]
        planned = time.process_time()
        languages = [
            [LANGUAGES[code] for code in codes] for codes in (batch.question_languages, batch.passage_languages)
        ]
        texts = corpus.fetch(batch.examples, *languages)
        times.append((planned - begun, time.process_time() - begun))
    assert len(texts.passages) == BATCH and all(texts.passages)
    alone, whole = (np.median(column) * 1e3 for column in zip(*times[WARM_UP:], strict=True))
    at_end = resident()

    dataset = PlannedBatches([corpus], [LANGUAGES], tokenizer(corpus, path.parent))
    begun = time.process_time()
    for step in steps[:TOKENISED].tolist():
        dataset[epoch[step]]
    tokenised = (time.process_time() - begun) / TOKENISED * 1e3
    cells = [
        f"{len(corpus):,}",
        "mapped" if mapped else "calls",
        started,
        f"{alone:.1f}",
        f"{whole:.1f}",
        f"{tokenised:.0f}",
    ]
    memory = [f"{state['RssAnon']:.0f} + {state['RssFile']:.0f}" for state in (imported, at_start, at_end)]
    print("| " + " | ".join([*cells, *memory]) + " |", flush=True)


def price_of_a_read(file: Path) -> None:
    """Print the time of a random read in a large file, with system calls and with a mapping that is dropped."""
    size = file.stat().st_size // 8 - 1
    rng = np.random.default_rng(0)
    descriptor = os.open(file, os.O_RDONLY)
    mapped = mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
    numbers = np.frombuffer(mapped, dtype=np.int64, count=size)

    def call(places: np.ndarray) -> None:
        list(map(os.pread, repeat(descriptor), repeat(8), (places * 8).tolist()))

    def touch_and_drop(places: np.ndarray) -> None:
        numbers[places]
        mapped.madvise(mmap.MADV_DONTNEED)

    def microseconds(read: Callable[[np.ndarray], None]) -> float:
        times = []
        for _ in range(WARM_UP + 100):
            places = np.sort(rng.integers(0, size, BATCH))
            begun = time.process_time()
            read(places)
            times.append((time.process_time() - begun) / BATCH * 1e6)
        return float(np.median(times[WARM_UP:]))

    print(f"<!-- a random read: pread {microseconds(call):.1f} us, ", end="")
    print(f"mapped and dropped {microseconds(touch_and_drop):.1f} us -->", flush=True)


def tokenizer(corpus: ParallelCorpus, cache: Path) -> Tokenize:
    """A tokenizer with a vocabulary learned from a sample of the corpus."""
    config = ModelConfig("tiny", scratch=ScratchConfig(), max_query_length=64, max_passage_length=128)
    return build_encoder(config, lambda: islice(corpus.texts(), 20_000), cache).tokenizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--folder", type=Path, required=True, help="for the corpora: about 100 bytes an example")
    parser.add_argument("--examples", type=int, nargs="+", default=[1_000_000, 40_000_000])
    parser.add_argument("--keep", action="store_true", help="leave the corpora there for another run")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--unmapped", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure, not options.unmapped)
        return
    print(f"{platform.machine()}, {len(LANGUAGES)} languages, batch {BATCH}, hybrid 0.5")
    heads = (
        "examples",
        "texts read by",
        "start, s (of it at work)",
        "plan, ms",
        "plan + fetch, ms",
        "with tokens, ms",
        "imports, MB",
        "started, MB",
    )
    print("| " + " | ".join([*heads, f"after {DRAWN} batches, MB"]) + " |")
    print("|" + "---:|" * (len(heads) + 1), flush=True)
    for examples in options.examples:
        begun = time.perf_counter()
        path = build(options.folder, examples)
        built = time.perf_counter() - begun
        command = [
            sys.executable,
            "-m",
            "benchmarks.big_corpus",
            "--folder",
            str(options.folder),
            "--measure",
            str(path),
        ]
        subprocess.run(command, check=True)
        subprocess.run([*command, "--unmapped"], check=True)
        price_of_a_read(path / storage.PASSAGES)
        size = sum(file.stat().st_size for file in path.iterdir()) / 2**30
        print(f"<!-- {examples:,}: written and indexed in {built:.0f} s, {size:.1f} GiB -->", flush=True)
        if not options.keep:
            shutil.rmtree(path)


if __name__ == "__main__":
    main()
