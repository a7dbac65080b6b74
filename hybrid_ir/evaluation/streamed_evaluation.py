"""Evaluation on benchmarks that do not fit in memory: corpora are encoded to disk, then searched exactly in one pass.

Every query searches the corpus of its own language. Only the best passages of each ranking are kept, so measures need
a cut-off; other relevant passages count as not retrieved.
"""

import logging
import time
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from hybrid_ir.distributed import from_first_rank
from hybrid_ir.evaluation.benchmarks.benchmark import MONOLINGUAL
from hybrid_ir.evaluation.benchmarks.grades import grades_of
from hybrid_ir.evaluation.benchmarks.missing_passages import keep_known
from hybrid_ir.evaluation.benchmarks.streamed import StreamedBenchmark, StreamedTask
from hybrid_ir.evaluation.benchmarks.text_set import TextSet
from hybrid_ir.evaluation.measures.measures import Measure, RankMeasure
from hybrid_ir.evaluation.measures.rank_lists import NO_CUT, RankLists
from hybrid_ir.evaluation.ranking.best_lists import BestPassages
from hybrid_ir.evaluation.ranking.exact_search import search
from hybrid_ir.evaluation.ranking.scoring import embed
from hybrid_ir.evaluation.results.result import NamedPassages, Result, Setting, SettingResult
from hybrid_ir.evaluation.vectors.corpus_vectors import CorpusVectors
from hybrid_ir.evaluation.vectors.encoder import Encoder

log = logging.getLogger(__name__)


def evaluate_streamed(
    encoder: Encoder,
    benchmark: StreamedBenchmark,
    measures: Sequence[Measure],
    query_chunk: int = 512,
    device: str | torch.device | None = None,
    keep: int = 0,
) -> Result:
    """Encode the corpora that are not on disk yet, and search them; arguments as in `evaluate`.

    Raises:
        ValueError: a measure has no cut-off (before anything is encoded), a corpus has the wrong number of passages or
            lacks relevant ones, or `VectorStore.encode`, `embed` or `search` raise it.
    """
    for measure in measures:
        if measure.cutoff is None:
            raise ValueError(
                f"benchmark {benchmark.name} keeps the best of each ranking, and {measure.name} is defined over all of "
                f"it; choose a measure with a cut, such as ndcg@10 or recall@100"
            )
    depth = max(keep, *(measure.cutoff or 0 for measure in measures))
    seconds = {"embedding": 0.0, "scoring": 0.0}
    settings, kept, counts, notes = [], [], {}, list(benchmark.notes)
    for task in benchmark.tasks:
        language = task.corpus.language
        started = time.perf_counter()
        vectors = benchmark.store.encode(encoder, task.corpus)
        counts[language] = len(vectors)
        _check_size(benchmark.name, task, len(vectors))
        task_qrels, left_out = _known(benchmark, task, vectors)
        notes += [f"{language}: {note}" for note in left_out]
        texts = tuple(task.queries[query] for query in task_qrels)
        queries = TextSet(tuple(task_qrels), texts, np.zeros(len(texts), dtype=np.int64))
        embedded = embed(encoder, queries, "query")
        seconds["embedding"] += time.perf_counter() - started
        started = time.perf_counter()
        top = search(embedded if device is None else embedded.to(device), vectors.blocks(), depth, query_chunk)
        lists = rank_lists(top, list(task_qrels.values()))
        kept.append(NamedPassages(queries.ids, np.asarray(top.passages[:, :keep]), top.scores[:, :keep]))
        settings.append(
            SettingResult(
                setting=Setting(MONOLINGUAL, language, language),
                queries=queries.ids,
                query_groups=np.arange(len(queries.ids)),
                values={each: each.at_level(lists, 1) for each in measures if isinstance(each, RankMeasure)},
            )
        )
        seconds["scoring"] += time.perf_counter() - started
        log.info("%s/%s: %d queries, %d passages", benchmark.name, language, len(texts), counts[language])
    return Result(
        benchmark=benchmark.name,
        languages=benchmark.languages,
        queries={entry.setting.query_language: len(entry.queries) for entry in settings},
        passages=counts,
        fingerprint=benchmark.fingerprint,
        settings=tuple(settings),
        seconds=seconds,
        notes=tuple(notes),
        top={MONOLINGUAL: NamedPassages.join(kept)} if keep else {},
    )


def rank_lists(top: BestPassages, relevant: Sequence[Collection[str] | Mapping[str, int]]) -> RankLists:
    """Ranks of each query's relevant passages in its list; passages that are not in it rank beyond every cut-off."""
    graded = [grades_of(passages) for passages in relevant]
    counts = np.array([len(passages) for passages in graded])
    grades = np.array([grade for passages in graded for grade in passages.values()])
    query = np.repeat(np.arange(len(relevant)), counts)
    found = top.ranks(query, np.array([key.encode() for passages in graded for key in passages]))
    ranks: NDArray[np.int64] = np.where(found > 0, found, NO_CUT + 1 + np.arange(len(found)))
    order = np.lexsort((ranks, query))
    offsets = np.concatenate([[0], np.cumsum(counts)])
    return RankLists(offsets, ranks[order], grades=None if (grades == 1).all() else grades[order])


def _known(
    benchmark: StreamedBenchmark, task: StreamedTask, vectors: CorpusVectors
) -> tuple[dict[str, dict[str, int]], tuple[str, ...]]:
    """The task's qrels, restricted to passages that the corpus has."""
    wanted = np.unique(np.array([key.encode() for passages in task.qrels.values() for key in passages]))
    absent = from_first_rank(lambda: [key.decode() for key in vectors.absent(wanted).tolist()])
    name = f"{benchmark.name} ({task.corpus.language})"
    return keep_known(name, task.qrels, absent, benchmark.missing)


def _check_size(name: str, task: StreamedTask, found: int) -> None:
    if task.passages not in (None, found):
        raise ValueError(
            f"the corpus of {name} in {task.corpus.language} has {task.passages} passages, and these files have "
            f"{found}: on another pool its scores must not pass for those of {name}; give it a name of its own"
        )
