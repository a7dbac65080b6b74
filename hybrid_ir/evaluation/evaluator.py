"""Evaluates a retrieval system on a benchmark in all its settings.

Each distinct text is embedded once, and one pass over the scores serves all settings.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hybrid_ir.evaluation.benchmarks.benchmark import CROSSLINGUAL, MONOLINGUAL, MULTILINGUAL, SETTINGS, Benchmark
from hybrid_ir.evaluation.benchmarks.evaluation_set import EvaluationSet, Measures
from hybrid_ir.evaluation.benchmarks.streamed import StreamedBenchmark
from hybrid_ir.evaluation.benchmarks.text_set import TextSet
from hybrid_ir.evaluation.measures.measures import Measure, Needs, RankMeasure, TopMeasure
from hybrid_ir.evaluation.ranking.best_lists import NO_PASSAGE, BestPassages
from hybrid_ir.evaluation.ranking.ranks import rank_relevant
from hybrid_ir.evaluation.ranking.scoring import Retriever, Scorer, VectorScorer, embed
from hybrid_ir.evaluation.results.result import NamedPassages, Result, SettingResult, split_by_setting
from hybrid_ir.evaluation.streamed_evaluation import evaluate_streamed
from hybrid_ir.evaluation.vectors.encoder import Encoder, as_encoder
from hybrid_ir.sources.errors import nearest

log = logging.getLogger(__name__)

# The measures of Elmahdy et al. (arXiv:2408.10536) and LAReQA, by kind of setting.
PAPER_MEASURES: Measures = {
    MONOLINGUAL: ("map", "recall@1"),
    CROSSLINGUAL: ("map", "recall@1"),
    MULTILINGUAL: ("map", "recall@10", "rank_distance"),
}


# The default measures: the paper's, and two more measures of language bias.
DEFAULT_MEASURES: Mapping[str, Sequence[str]] = {
    **PAPER_MEASURES,
    MULTILINGUAL: (*PAPER_MEASURES[MULTILINGUAL], "own_language_advantage@10", "rank_correlation@10"),
}


def evaluate(
    system: Encoder | Retriever | Callable[..., Any],
    benchmark: EvaluationSet,
    measures: Measures = PAPER_MEASURES,
    query_chunk: int = 512,
    device: str | torch.device | None = None,
    keep: int = 0,
) -> Result:
    """Evaluate an encoder, or another retrieval system, in all settings of a benchmark.

    Under `torch.distributed`, all ranks must call this; they share the work and return the same metrics.

    Args:
        system: an encoder, or another system that scores passages; also a function of texts, or an object with
            `encode`, such as a SentenceTransformer (see `as_encoder`).
        benchmark: the benchmark; one that does not fit in memory is encoded to disk and searched from there.
        measures: names of the measures for each kind of setting, for a benchmark that defines none itself.
        query_chunk: see `rank_relevant`; affects memory, never results.
        device: where scores of vectors are computed; by default the device of the encoder's vectors.
        keep: number of best passages of each query to keep in the result, from the pool of all languages and from the
            pool of the query's language, if the benchmark has these settings.

    Raises:
        ValueError: a measure is unknown or undefined in its setting (before anything is embedded), or `embed`,
            `VectorScorer`, `rank_relevant` or `evaluate_streamed` raise it.
    """
    parsed = parse_measures(benchmark.measures or measures, benchmark)
    if isinstance(benchmark, StreamedBenchmark):
        if isinstance(system, Retriever):
            raise ValueError(
                f"benchmark {benchmark.name} is searched from disk by vectors only; evaluate other systems on a pool "
                "that fits in memory (eval=miracl_sample), or by their runs (run=FILE qrels=FILE)"
            )
        return evaluate_streamed(as_encoder(system), benchmark, parsed[MONOLINGUAL], query_chunk, device, keep)
    assert isinstance(benchmark, Benchmark)
    started = time.perf_counter()
    scorer = (
        system.scorer(benchmark) if isinstance(system, Retriever) else _embedded(as_encoder(system), benchmark, device)
    )
    indexed = time.perf_counter()
    settings, top = score(benchmark, scorer, parsed, query_chunk, keep)
    return Result(
        benchmark=benchmark.name,
        languages=benchmark.languages,
        queries=_counts(benchmark, benchmark.queries),
        passages=_counts(benchmark, benchmark.passages),
        fingerprint=benchmark.fingerprint,
        settings=settings,
        seconds={"embedding": indexed - started, "scoring": time.perf_counter() - indexed},
        notes=benchmark.notes,
        top=top,
    )


def score(
    benchmark: Benchmark,
    scorer: Scorer,
    measures: Mapping[str, Sequence[Measure]],
    query_chunk: int = 512,
    keep: int = 0,
) -> tuple[tuple[SettingResult, ...], Mapping[str, NamedPassages]]:
    """Evaluate a scorer: values of every query in every setting, and the best passages to keep.

    Args:
        benchmark: the benchmark.
        scorer: scores its queries and passages.
        measures: the measures by kind of setting, from `parse_measures`.
        query_chunk: see `rank_relevant`.
        keep: see `evaluate`.
    """
    kept = {pool: keep for pool in (MONOLINGUAL, MULTILINGUAL) if keep and pool in benchmark.settings}
    of_top = [measure for measure in measures.get(MULTILINGUAL, ()) if isinstance(measure, TopMeasure)]
    needed = {MULTILINGUAL: max([keep, *(measure.cutoff or 0 for measure in of_top)])} if of_top else {}
    ranking = rank_relevant(benchmark, scorer, query_chunk, kept | needed)
    by_query: dict[Measure, NDArray[np.float64]] = {
        measure: _of_top(measure, benchmark, ranking.top[MULTILINGUAL]) for measure in of_top
    }
    settings = []
    for setting, positions, lists in split_by_setting(benchmark, ranking):
        values = {
            measure: measure.at_level(lists, benchmark.relevance_level)
            if isinstance(measure, RankMeasure)
            else by_query[measure][positions]
            for measure in measures[setting.kind]
        }
        settings.append(
            SettingResult(
                setting=setting,
                queries=tuple(benchmark.queries.ids[position] for position in positions),
                query_groups=benchmark.query_groups[positions],
                values={measure: found for measure, found in values.items() if not np.isnan(found).all()},
            )
        )
    return tuple(settings), {pool: _named(benchmark, ranking.top[pool].first(keep)) for pool in kept}


def parse_measures(names: Measures, benchmark: EvaluationSet) -> dict[str, tuple[Measure, ...]]:
    """Measures by kind of setting, for the settings of the benchmark; names of other settings are ignored.

    `language_share@10` stands for the shares of all the benchmark's languages. Measures that compare a query with its
    translations, or relevant passages of different languages, are left out with a warning if the benchmark has none.

    Raises:
        ValueError: a measure or setting is unknown, a setting of the benchmark has no measure, a measure of language
            bias is given for a setting other than `multilingual`, or the benchmark lacks the language of a share.
    """
    for kind in names:
        if kind not in SETTINGS:
            near = nearest(kind, SETTINGS, cutoff=0.0)
            raise ValueError(f"measures: unknown setting {kind!r}; did you mean {near!r}?")
    parsed = {kind: tuple(Measure.parse(name) for name in dict.fromkeys(names.get(kind, ()))) for kind in SETTINGS}
    for kind in benchmark.settings:
        if not parsed[kind]:
            raise ValueError(
                f"benchmark {benchmark.name} is evaluated in the {kind} setting, but no measure is given for it"
            )
    for kind in (MONOLINGUAL, CROSSLINGUAL):
        for measure in parsed[kind]:
            if measure.compares_languages:
                raise ValueError(f"{measure.name} compares languages: it is defined only in the {MULTILINGUAL} setting")
    return {
        kind: tuple(part for measure in parsed[kind] for part in _for_benchmark(measure, benchmark))
        for kind in benchmark.settings
    }


GROUP_HINT = "queries of a folder of your own that are translations of each other have the same `group`"


def _for_benchmark(measure: Measure, benchmark: EvaluationSet) -> list[Measure]:
    absent = {
        f"no query has a translation ({GROUP_HINT})": Needs.TRANSLATIONS in measure.needs
        and not benchmark.has_translations,
        "no query has relevant passages both in its own and in another language": (
            Needs.PARALLEL_PASSAGES in measure.needs and not benchmark.has_parallel_passages
        ),
        "its best passages are not kept": Needs.TOP in measure.needs and not benchmark.in_memory,
    }
    for why, is_absent in absent.items():
        if is_absent:
            log.warning("%s is not measured on %s: %s", measure.name, benchmark.name, why)
            return []
    if measure.language is not None and measure.language not in benchmark.languages:
        raise ValueError(
            f"{measure.name}: benchmark {benchmark.name} has no {measure.language}, only "
            f"{', '.join(benchmark.languages)}"
        )
    return measure.of_languages(benchmark.languages)


def _of_top(measure: TopMeasure, benchmark: Benchmark, best: BestPassages) -> NDArray[np.float64]:
    shortest = len(benchmark.passages) - (benchmark.ignored is not None)
    lists = best.passages[:, : min(measure.cutoff or 0, shortest)]
    assert (lists != NO_PASSAGE).all()
    return measure(benchmark, lists)


def _embedded(encoder: Encoder, benchmark: Benchmark, device: str | torch.device | None) -> VectorScorer:
    queries = embed(encoder, benchmark.queries, "query")
    passages = embed(encoder, benchmark.passages, "passage")
    return VectorScorer(queries.to(device or queries.device), passages.to(device or passages.device))


def _named(benchmark: Benchmark, best: BestPassages) -> NamedPassages:
    ids = np.array([key.encode() for key in benchmark.passages.ids])
    return NamedPassages(
        queries=benchmark.queries.ids,
        passages=np.where(best.passages == NO_PASSAGE, b"", ids[best.passages]),
        scores=best.scores,
    )


def _counts(benchmark: Benchmark, texts: TextSet) -> dict[str, int]:
    counts = np.bincount(texts.languages, minlength=len(benchmark.languages))
    return {language: int(count) for language, count in zip(benchmark.languages, counts, strict=True)}
