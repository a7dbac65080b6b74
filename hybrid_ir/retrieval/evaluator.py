"""The evaluator: any encoder, any benchmark, all settings from one embedding of each text and one pass over scores."""

import time
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

import numpy as np
import torch
from torch import Tensor

from hybrid_ir.retrieval.benchmark import CROSSLINGUAL, MONOLINGUAL, MULTILINGUAL, SETTINGS, Benchmark, TextSet
from hybrid_ir.retrieval.embedding import embed
from hybrid_ir.retrieval.encoder import Encoder
from hybrid_ir.retrieval.measures import Measure
from hybrid_ir.retrieval.ranking import rank_relevant
from hybrid_ir.retrieval.result import Result, SettingResult
from hybrid_ir.retrieval.settings import judge

# The measures of Elmahdy et al. (arXiv:2408.10536) and LAReQA, by kind of setting.
PAPER_MEASURES: Mapping[str, Sequence[str]] = {
    MONOLINGUAL: ("map", "recall@1"),
    CROSSLINGUAL: ("map", "recall@1"),
    MULTILINGUAL: ("map", "recall@10", "rank_distance"),
}


def evaluate(
    encoder: Encoder,
    benchmark: Benchmark,
    measures: Mapping[str, Sequence[str]] = PAPER_MEASURES,
    query_chunk: int = 512,
    device: str | torch.device | None = None,
) -> Result:
    """Evaluate an encoder in all settings of a benchmark.

    Under `torch.distributed` the ranks share texts and scores and all return the same metrics; all must call this.

    Args:
        encoder: what embeds the texts.
        benchmark: what is searched.
        measures: names of the measures of each kind of setting.
        query_chunk: see `rank_relevant`; memory, never results.
        device: where scores are computed; by default where the encoder leaves its vectors.

    Raises:
        ValueError: a measure is unknown or makes no sense in its setting (before anything is embedded), or what
            `embed`, `rank_relevant` and `judge` raise.
    """
    parsed = parse_measures(measures, benchmark)
    started = time.perf_counter()
    queries = embed(encoder, benchmark.queries, "query")
    passages = embed(encoder, benchmark.passages, "passage")
    embedded = time.perf_counter()
    if device is not None:
        queries, passages = queries.to(device), passages.to(device)
    settings = score(benchmark, queries, passages, parsed, query_chunk)
    return Result(
        benchmark=benchmark.name,
        languages=benchmark.languages,
        queries=_counts(benchmark, benchmark.queries),
        passages=_counts(benchmark, benchmark.passages),
        fingerprint=benchmark.fingerprint,
        settings=settings,
        seconds={"embedding": embedded - started, "scoring": time.perf_counter() - embedded},
    )


def score(
    benchmark: Benchmark,
    queries: Tensor,
    passages: Tensor,
    measures: Mapping[str, Sequence[Measure]],
    query_chunk: int = 512,
) -> tuple[SettingResult, ...]:
    """Everything after embedding: values of every query in every setting.

    Args:
        benchmark: what is searched.
        queries: float32 (Q, D), rows as in `benchmark.queries`.
        passages: float32 (P, D), rows as in `benchmark.passages`.
        measures: as from `parse_measures`.
        query_chunk: see `rank_relevant`.
    """
    ranks = rank_relevant(benchmark, queries, passages, query_chunk)
    return tuple(
        SettingResult(
            setting=setting,
            queries=tuple(benchmark.queries.ids[position] for position in positions),
            topics=benchmark.topics[positions],
            values={measure: measure(lists) for measure in measures[setting.kind]},
        )
        for setting, positions, lists in judge(benchmark, ranks)
    )


def parse_measures(names: Mapping[str, Sequence[str]], benchmark: Benchmark) -> dict[str, tuple[Measure, ...]]:
    """The measures of each kind of setting that the benchmark is judged in; those of other kinds are not needed.

    Raises:
        ValueError: an unknown measure or setting, a setting of the benchmark without a measure, or a measure of
            language bias outside the pool of all languages.
    """
    for kind in names:
        if kind not in SETTINGS:
            nearest = get_close_matches(kind, SETTINGS, n=1, cutoff=0.0)[0]
            raise ValueError(f"measures: unknown setting {kind!r}; did you mean {nearest!r}?")
    parsed = {kind: tuple(Measure.parse(name) for name in dict.fromkeys(names.get(kind, ()))) for kind in SETTINGS}
    for kind in benchmark.settings:
        if not parsed[kind]:
            raise ValueError(
                f"benchmark {benchmark.name} is judged in the {kind} setting, but no measure is given for it"
            )
    for kind in (MONOLINGUAL, CROSSLINGUAL):
        for measure in parsed[kind]:
            if measure.compares_languages:
                raise ValueError(
                    f"{measure.name} compares languages: it is defined in the {MULTILINGUAL} setting alone"
                )
    return {kind: parsed[kind] for kind in benchmark.settings}


def _counts(benchmark: Benchmark, texts: TextSet) -> dict[str, int]:
    counts = np.bincount(texts.languages, minlength=len(benchmark.languages))
    return {language: int(count) for language, count in zip(benchmark.languages, counts, strict=True)}
