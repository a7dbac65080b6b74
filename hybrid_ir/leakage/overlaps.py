"""What was found in a corpus: counts, examples, and a file that is found again as long as both sides stay the same."""

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
from hybrid_ir.data.store.storage import alone
from hybrid_ir.leakage import near_copies, sketches
from hybrid_ir.leakage.evaluation_texts import EvaluationText, digest
from hybrid_ir.leakage.near_copies import Overlaps, find_copies
from hybrid_ir.leakage.sketch_index import SIMILAR, TextIndex
from hybrid_ir.sources.atomic import replacing

log = logging.getLogger(__name__)

VERSION = 1  # raise it when another text would be found
PARAMETERS = (
    *(
        VERSION,
        near_copies.NEAR,
        near_copies.WITNESSES,
        SIMILAR,
        near_copies.FILLER,
        near_copies.NEEDED,
        near_copies.MOSTLY,
    ),
    *(sketches.BANDS, sketches.ROWS, sketches.LEAST),
)
SIDES: tuple[Side, ...] = get_args(Side)
EXACT, NEAR = "exact", "near"


@dataclass(frozen=True)
class Overlap:
    """A text of a training corpus that is a copy of an evaluation text.

    Attributes:
        corpus: name of the corpus.
        side: `question` or `passage`, of both texts.
        kind: `exact` (equal in normal form) or `near`.
        row: of the text in the corpus' `contents(side)`.
        text: of the corpus.
        language: that the corpus gives for it.
        benchmark: name of the benchmark.
        key: id of the evaluation text.
        evaluation_text: as the benchmark has it.
        evaluation_language: that the benchmark gives for it.
        answers: whether it is a passage that is relevant to a query.
        similarity: Jaccard index of their n-grams.
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
        where = f"{self.corpus}, {self.language}"
        if self.kind == EXACT:
            return f"{self.text!r} ({where}) is {self.benchmark}'s {self.key}"
        return f"{self.text!r} ({where}) is nearly {self.benchmark}'s {self.key}, {self.evaluation_text!r}"


def counts(overlaps: Iterable[Overlap]) -> list[dict[str, str | int]]:
    """How many texts overlap, by corpus, benchmark, language of the evaluation text, side and kind.

    Each entry has `training`, the distinct texts of the corpus, and `evaluation`, those of the benchmark; for passages
    also `answers`, those of the latter that are relevant to a query.
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
    """Everything in a corpus that is a copy of an evaluation text: a pure function of both.

    The verdict is kept in `cache_dir` under a digest of the corpus, the evaluation texts and the rules of comparison.
    Of processes that ask at the same time, one compares and the others wait and read.
    """
    path = Path(cache_dir) / "leakage" / f"{corpus.name}-{_mark(corpus, texts)}.json"
    if not path.is_file():
        with alone(path):
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


def _described(corpus: ParallelCorpus, side: Side, index: TextIndex, found: Overlaps) -> list[Overlap]:
    """One overlap for each copy and each benchmark and language that has its text."""
    contents, overlaps = corpus.contents(side), []
    rows = zip(found.languages.tolist(), found.rows.tolist(), found.entries.tolist(), found.exact.tolist(),
               found.similarities.tolist(), strict=True)  # fmt: skip
    for number, row, entry, exact, similarity in rows:
        language = corpus.languages[number]
        (text,) = contents.texts_in(language, np.array([row]))
        first = {(member.benchmark, member.language): member for member in reversed(index.members[entry])}
        for member in reversed(first.values()):
            kind = EXACT if exact else NEAR
            own = corpus.name, side, kind, row, text, language
            other = member.benchmark, member.key, member.text, member.language, member.answers
            overlaps.append(Overlap(*own, *other, round(similarity, 4)))
    return overlaps


def _mark(corpus: ParallelCorpus, texts: Mapping[Side, Sequence[EvaluationText]]) -> str:
    folder = corpus.contents("question").files[0].parent.name  # ends in a digest of the corpus' source
    facts = [PARAMETERS, folder, corpora_fingerprint([corpus]), *(digest(texts[side]) for side in SIDES)]
    return hashlib.blake2b(json.dumps(facts).encode(), digest_size=8).hexdigest()


def _write(path: Path, overlaps: Sequence[Overlap]) -> None:
    with replacing(path) as draft:
        draft.write_text(json.dumps([astuple(overlap) for overlap in overlaps], ensure_ascii=False), encoding="utf-8")


def record(overlaps: Sequence[Overlap]) -> list[dict[str, object]]:
    """The overlaps as plain mappings."""
    return [asdict(overlap) for overlap in overlaps]
