"""Planted copies are found, in every language and form; clean rows are not accused."""

import random
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from unittest.mock import patch

import pytest

from hybrid_ir.data.corpus import ParallelCorpus
from hybrid_ir.data.writer import build_corpus
from hybrid_ir.leakage import near_copies as search
from hybrid_ir.leakage.evaluation_texts import EvaluationText, TextIndex
from hybrid_ir.leakage.near_copies import find_copies
from hybrid_ir.sources.cldr.entities import LANGUAGES
from hybrid_ir.sources.records import Example, ParallelText
from tests.leakage.texts import EXACT, NEAR, queries, sentences

CLEAN = 10_000  # rows


def corpus_of(questions: Iterable[tuple[str, str]], folder: Path) -> ParallelCorpus:
    """One example for each (language, question)."""
    passage = ParallelText("p", {"en": "passage"})
    examples = [
        Example(str(n), ParallelText(str(n), {lang: text}), passage) for n, (lang, text) in enumerate(questions)
    ]
    return build_corpus("made", examples, folder, "build", group_by_text=False)


def found(corpus: ParallelCorpus, index: TextIndex) -> dict[int, list[tuple[str, bool]]]:
    """Row -> keys of the evaluation texts that it is a copy of, and whether an exact one."""
    copies, keys = find_copies(corpus.contents("question"), index), defaultdict(list)
    for row, entry, exact in zip(copies.rows.tolist(), copies.entries.tolist(), copies.exact.tolist(), strict=True):
        keys[row] += [(member.key, exact) for member in index.members[entry]]
    return dict(keys)


def test_planted_copies_are_found_and_clean_rows_are_not(tmp_path: Path) -> None:
    """20 kinds of copies in each of 11 languages among 10,000 other rows of the same words."""
    rng, members = random.Random(1), queries()
    texts = {member.key: member.text for member in members}
    planted = [
        (language, kind, f"{language}:{number}")
        for language in LANGUAGES
        for number, kind in enumerate([*EXACT, *NEAR])
    ]
    edits = {**EXACT, **NEAR}
    rows = [(language, edits[kind](texts[key], rng)) for language, kind, key in planted]
    share = CLEAN // len(LANGUAGES) + 1
    clean = [(language, text) for language in LANGUAGES for text in sentences(language, share, seed=2)][:CLEAN]
    keys = found(corpus_of([*rows, *clean], tmp_path), TextIndex(members))
    assert len(planted) == 20 * 11 and len(clean) == CLEAN
    assert keys == {row: [(key, kind in EXACT)] for row, (_, kind, key) in enumerate(planted)}


def test_batches_and_memory_do_not_change_what_is_found(tmp_path: Path) -> None:
    rng, members = random.Random(2), queries(count=4)
    copies = [
        (member.language, edit(member.text, rng)) for member in members for edit in [*EXACT.values(), *NEAR.values()]
    ]
    corpus, index = corpus_of(copies, tmp_path), TextIndex(members)
    whole = found(corpus, index)
    assert len(whole) > 0.98 * len(copies)
    with patch.multiple(search, _CHARACTERS=200, _PRUNED=10, _SUSPECTS=2):
        assert found(corpus, index) == whole


FORMULA = "In which year did the republic of {} join the European Union?"
FILLERS = ["Denmark", "Latvia", "Poland", "Austria", "Finland", "Hungary"]


WON = "Which team won the national championship in 198{}?"
MOUNTAIN = "世界上最高的山是哪一座"
DENMARK, *OTHERS = [FORMULA.format(name) for name in FILLERS]
SPELT = DENMARK.replace("year", "yaer")


@pytest.mark.parametrize(
    ("language", "asked", "templated", "rows", "expected"),
    [
        ("en", WON.format(3), False, [WON.format(3).replace("won", "has won"), WON.format(4)], {0: False}),
        ("zh", MOUNTAIN, False, [f"{MOUNTAIN}？"], {0: True}),
        ("en", DENMARK, False, [*OTHERS, SPELT], {5: False}),
        ("en", DENMARK, False, OTHERS[:1], {0: False}),
        ("en", DENMARK, True, [DENMARK.upper(), SPELT], {0: True}),
    ],
    ids=["numbers are content", "another language code", "a formula", "too few for a formula", "a declared template"],
)
def test_what_is_a_copy(
    tmp_path: Path, language: str, asked: str, templated: bool, rows: list[str], expected: dict[int, bool]
) -> None:
    index = TextIndex([EvaluationText("b", language, "1", asked, templated=templated)])
    code = {"zh": "zh-Hans"}.get(language, language)
    copies = found(corpus_of([(code, text) for text in rows], tmp_path), index)
    assert copies == {row: [("1", exact)] for row, exact in expected.items()}
