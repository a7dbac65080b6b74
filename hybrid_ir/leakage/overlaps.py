"""Overlaps between a training corpus and the evaluation texts, cached until either side changes."""

import hashlib
import json
import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import get_args

import numpy as np

from hybrid_ir.data.corpus import ParallelCorpus, Side
from hybrid_ir.data.fingerprint import corpora_fingerprint
from hybrid_ir.leakage import near_copies, sketches
from hybrid_ir.leakage.evaluation_texts import SIMILAR, EvaluationText, TextIndex, texts_fingerprint
from hybrid_ir.leakage.near_copies import Copies, find_copies
from hybrid_ir.sources.atomic import replacing
from hybrid_ir.sources.file_lock import exclusive

log = logging.getLogger(__name__)

VERSION = 1  # raise it if other texts are found
PARAMETERS = (
    *(VERSION, near_copies.NEAR, near_copies.WITNESSES, SIMILAR),
    *(near_copies.FILLER, near_copies.NEEDED, near_copies.MOSTLY),
    *(sketches.BANDS, sketches.ROWS, sketches.LEAST),
)
SIDES: tuple[Side, ...] = get_args(Side)
EXACT, NEAR = "exact", "near"


@dataclass(frozen=True)
class Overlap:
    """A text of a training corpus that is a copy of an evaluation text.

    Attributes:
        corpus: name of the corpus.
        side: `question` or `passage`, for both texts.
        kind: `exact` (equal normal forms) or `near`.
        row: row of the corpus text in `contents(side)`.
        text: text in the corpus.
        language: its language in the corpus.
        benchmark: name of the benchmark.
        key: id of the evaluation text.
        evaluation_text: text in the benchmark.
        evaluation_language: its language in the benchmark.
        answers: whether the evaluation text is a passage that is relevant to a query.
        similarity: Jaccard index of the n-grams of both texts.
    """

    corpus: str
    side: Side
    kind: str
    row: int
    text: str
    language: str
    benchmark: str
    key: str
    evaluation_text: str
    evaluation_language: str
    answers: bool
    similarity: float

    def __str__(self) -> str:
        source = f"{self.corpus}, {self.language}"
        if self.kind == EXACT:
            return f"{self.text!r} ({source}) is {self.benchmark}'s {self.key}"
        return f"{self.text!r} ({source}) is nearly {self.benchmark}'s {self.key}, {self.evaluation_text!r}"


def counts(overlaps: Iterable[Overlap]) -> list[dict[str, str | int]]:
    """Numbers of overlapping texts by corpus, benchmark, language of the evaluation text, side and kind.

    Each entry counts `training`, the distinct texts of the corpus; `evaluation`, the distinct texts of the benchmark;
    and `answers`, those of the latter that are passages relevant to a query.
    """
    groups: defaultdict[tuple[str, ...], list[Overlap]] = defaultdict(list)
    for overlap in overlaps:
        key = (overlap.corpus, overlap.benchmark, overlap.evaluation_language, overlap.side, overlap.kind)
        groups[key].append(overlap)
    return [
        dict(zip(("corpus", "benchmark", "language", "side", "kind"), key, strict=True))
        | {
            "training": len({(overlap.language, overlap.row) for overlap in found}),
            "evaluation": len({overlap.key for overlap in found}),
            "answers": len({overlap.key for overlap in found if overlap.answers}),
        }
        for key, found in sorted(groups.items())
    ]


def overlaps_of(
    corpus: ParallelCorpus, texts: Mapping[Side, Sequence[EvaluationText]], cache_dir: str | Path
) -> list[Overlap]:
    """All texts of a corpus that are copies of evaluation texts. A pure function of corpus and evaluation texts.

    The result is cached in `cache_dir` under a fingerprint of the corpus, the evaluation texts and the rules of
    comparison. If several processes need it at once, one compares while the others wait and read its result.
    """
    path = Path(cache_dir) / "leakage" / f"{corpus.name}-{_fingerprint(corpus, texts)}.json"
    if not path.is_file():
        with exclusive(path):
            if not path.is_file():
                _write(path, _compare(corpus, texts))
    return [Overlap(*entry) for entry in json.loads(path.read_text(encoding="utf-8"))]


def _compare(corpus: ParallelCorpus, texts: Mapping[Side, Sequence[EvaluationText]]) -> list[Overlap]:
    overlaps: list[Overlap] = []
    for side in SIDES:
        if texts[side]:
            started = time.perf_counter()
            index = TextIndex(texts[side])
            overlaps += _described(corpus, side, index, find_copies(corpus.contents(side), index))
            seconds = time.perf_counter() - started
            log.info("compared the %ss of %s with %d others in %.1f s", side, corpus.name, len(index), seconds)
    return overlaps


def _described(corpus: ParallelCorpus, side: Side, index: TextIndex, found: Copies) -> list[Overlap]:
    """One overlap for each copy and each benchmark and language with that evaluation text."""
    contents, overlaps = corpus.contents(side), []
    rows = zip(found.languages.tolist(), found.rows.tolist(), found.entries.tolist(), found.exact.tolist(),
               found.similarities.tolist(), strict=True)  # fmt: skip
    for number, row, entry, exact, similarity in rows:
        language = corpus.languages[number]
        (text,) = contents.texts_in(language, np.array([row]))
        first = {(member.benchmark, member.language): member for member in reversed(index.members[entry])}
        for member in reversed(first.values()):
            kind = EXACT if exact else NEAR
            ours = corpus.name, side, kind, row, text, language
            theirs = member.benchmark, member.key, member.text, member.language, member.answers
            overlaps.append(Overlap(*ours, *theirs, round(similarity, 4)))
    return overlaps


def _fingerprint(corpus: ParallelCorpus, texts: Mapping[Side, Sequence[EvaluationText]]) -> str:
    folder = corpus.contents("question").files[0].parent.name  # ends in the fingerprint of the build
    facts = [PARAMETERS, folder, corpora_fingerprint([corpus]), *(texts_fingerprint(texts[side]) for side in SIDES)]
    return hashlib.blake2b(json.dumps(facts).encode(), digest_size=8).hexdigest()


def _write(path: Path, overlaps: Sequence[Overlap]) -> None:
    with replacing(path) as draft:
        draft.write_text(json.dumps([astuple(overlap) for overlap in overlaps], ensure_ascii=False), encoding="utf-8")


def record(overlaps: Sequence[Overlap]) -> list[dict[str, object]]:
    """The overlaps as plain dictionaries, for JSON."""
    return [asdict(overlap) for overlap in overlaps]
