"""What is written is what is read: texts, languages, groups, views and splits."""

import multiprocessing
import pickle
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_ir.data.corpus import ParallelCorpus
from hybrid_ir.data.writer import build_corpus
from hybrid_ir.sampling.policy import Single
from hybrid_ir.sources.records import Example, ParallelText
from hybrid_ir.training.data.batch_config import BatchConfig
from hybrid_ir.training.data.datamodule import HybridDataModule
from tests.data.examples import LANGUAGES, corpus_of, example, examples, read_all
from tests.training.test_collator import read_back, tokenize


def every_pair(records: Sequence[Example]) -> list[tuple[int, str, str]]:
    """(row, question language, passage language) of all pairs that the examples offer."""
    return [
        (row, question, passage)
        for row, record in enumerate(records)
        for question in record.question.text
        for passage in record.passage.text
    ]


def naive_groups(texts: Sequence[ParallelText]) -> list[set[int]]:
    """Sets of positions linked by an equal text in some language."""
    groups: list[tuple[set[int], set[tuple[str, str]]]] = []
    for position, item in enumerate(texts):
        members, contents = {position}, {(language, text.strip()) for language, text in item.text.items()}
        for group in [group for group in groups if group[1] & contents]:
            groups.remove(group)
            members, contents = members | group[0], contents | group[1]
        groups.append((members, contents))
    return [members for members, _ in groups]


def partition(numbers: Sequence[int]) -> set[frozenset[int]]:
    """The positions that carry equal numbers."""
    return {frozenset(np.flatnonzero(np.asarray(numbers) == number).tolist()) for number in set(numbers)}


@given(records=examples(), count=st.integers(0, 5), order=st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_what_is_written_is_what_is_fetched(records: list[Example], count: int, order: Random) -> None:
    pairs = every_pair(records)
    order.shuffle(pairs)
    rows, question_languages, passage_languages = (list(column) for column in zip(*pairs, strict=True))
    with corpus_of(records) as corpus:
        texts = corpus.fetch(rows, question_languages, passage_languages, count)
        assert corpus.example_ids(rows) == [records[row].id for row in rows]
        assert corpus.records(rows) == [records[row] for row in rows]
        stored = corpus.contents("passage")
        for language in corpus.languages:
            here = np.flatnonzero(stored.presence(language))
            assert stored.texts_in(language, here) == [text.text[language] for text in stored.texts(here)]
        assert corpus.languages == tuple(sorted({code for record in records for code in _codes(record)}))
    for position, (row, question, passage) in enumerate(pairs):
        record = records[row]
        assert texts.questions[position] == record.question.text[question]
        assert texts.passages[position] == record.passage.text[passage]
        available = [negative.text[passage] for negative in record.negatives if passage in negative.text]
        assert texts.negatives[position] == available[:count]
        assert len(texts.negative_groups[position]) == len(texts.negatives[position])


@given(records=examples())
@settings(max_examples=20, deadline=None)
def test_groups_are_those_of_a_naive_union_find(records: list[Example]) -> None:
    with corpus_of(records) as corpus:
        rows = range(len(records))
        questions = [min(record.question.text) for record in records]
        passages = [min(record.passage.text) for record in records]
        fetched = corpus.fetch(rows, questions, passages, negatives=4)
        apart = corpus._tables.passages.column("group").tolist()
    assert fetched.question_groups.dtype == fetched.passage_groups.dtype == np.int64
    assert partition(fetched.question_groups) == {*map(frozenset, naive_groups([r.question for r in records]))}
    stored = {text.id: text for record in records for text in (record.passage, *record.negatives)}
    assert partition(apart) == {*map(frozenset, naive_groups([*stored.values()]))}
    group_of = dict(zip(stored, apart, strict=True))
    assert fetched.passage_groups.tolist() == [group_of[record.passage.id] for record in records]
    for record, language, groups in zip(records, passages, fetched.negative_groups, strict=True):
        assert list(groups) == [group_of[text.id] for text in record.negatives if language in text.text]


@given(records=examples(), languages=st.permutations(LANGUAGES), width=st.integers(1, 4))
@settings(max_examples=20, deadline=None)
def test_coverage_is_that_of_a_naive_count(records: list[Example], languages: list[str], width: int) -> None:
    with corpus_of(records) as corpus:
        wanted = [language for language in languages if language in corpus.languages][:width]
        rows = list(range(0, len(records), 2))
        for view, kept in ((corpus, records), (corpus.select(rows), [records[row] for row in rows])):
            for chosen in (None, wanted):
                coverage = view.coverage(chosen)
                expected = corpus.languages if chosen is None else tuple(chosen)
                assert (coverage.corpus, coverage.languages, coverage.size) == ("random", expected, len(kept))
                codes = np.zeros(len(kept), dtype=np.uint8) if coverage.codes is None else coverage.codes
                assert coverage.patterns[codes].tolist() == [
                    [_mask(record.question, expected), _mask(record.passage, expected)] for record in kept
                ]
                assert len(np.unique(coverage.patterns, axis=0)) == len(coverage.patterns)
                assert (coverage.codes is None) == (len(coverage.patterns) == 1)


def test_coverage_numbers_many_patterns_in_more_than_one_byte(tmp_path: Path) -> None:
    languages, masks = [f"l{number}" for number in range(9)], range(1, 2**9)
    passages = [{code: f"p{mask}" for bit, code in enumerate(languages) if mask >> bit & 1} for mask in masks]
    records = [example(str(row), {"en": f"q{row}"}, passage) for row, passage in enumerate(passages)]
    coverage = build_corpus("c", records, tmp_path, "build").coverage(languages)
    assert coverage.codes is not None and coverage.codes.dtype == np.uint16
    assert coverage.patterns[coverage.codes].tolist() == [[0, mask] for mask in masks]


@given(records=examples(min_size=2, max_size=20), data=st.data(), seed=st.integers(0, 5))
@settings(max_examples=20, deadline=None)
def test_a_split_never_separates_what_belongs_together(records: list[Example], data: st.DataObject, seed: int) -> None:
    count = data.draw(st.integers(1, len(records) - 1))
    with corpus_of(records) as corpus:
        sizes = [len(group) for group in _linked(records)]
        if min(sizes) > count:
            with pytest.raises(ValueError, match="cannot be split"):
                corpus.holdout(count, seed)
            return
        train, held_out = corpus.holdout(count, seed)
        ids = [train.example_ids(range(len(train))), held_out.example_ids(range(len(held_out)))]
        assert ids[1] == (again := corpus.holdout(count, seed)[1]).example_ids(range(len(again)))
    order = [record.id for record in records]
    assert 0 < len(ids[1]) <= count
    assert sorted(ids[0] + ids[1], key=order.index) == order
    assert all(part == sorted(part, key=order.index) for part in ids)
    numbers = {order.index(key) for key in ids[1]}
    assert all(group <= numbers or not group & numbers for group in _linked(records))
    left = count - len(numbers)
    assert all(len(group) > left for group in _linked(records) if not group & numbers), "a group that fits was left out"


def numbered(size: int, folder: Path) -> ParallelCorpus:
    records = [example(str(n), {"en": f"q{n}"}, {"de": f"p{n}"}) for n in range(size)]
    return build_corpus("c", records, folder, "build")


def test_a_split_of_separate_examples_has_the_size_that_was_asked_for(tmp_path: Path) -> None:
    corpus = numbered(50, tmp_path)
    train, held_out = corpus.holdout(20, seed=1)
    assert (len(train), len(held_out)) == (30, 20)
    assert held_out.example_ids(range(20)) != corpus.holdout(20, seed=2)[1].example_ids(range(20))
    inner = train.holdout(10, seed=1)
    assert [len(part) for part in inner] == [20, 10]
    assert set(inner[1].example_ids(range(10))) <= set(train.example_ids(range(30)))
    assert [len(part) for part in corpus.holdout(0, seed=1)] == [50, 0]


def test_a_view_reads_the_rows_it_was_made_of(tmp_path: Path) -> None:
    view = numbered(10, tmp_path).select([7, 3, 9]).select([2, 0])
    assert len(view) == 2 and view.example_ids([0, 1]) == ["9", "7"]
    assert view.fetch([1], ["en"], ["de"]).questions == ["q7"]


@pytest.mark.parametrize(
    ("ask", "error", "message"),
    [
        (lambda corpus: corpus.fetch([0], ["de"], ["de"]), AssertionError, "has no text in de"),
        (lambda corpus: corpus.fetch([0], ["en"], ["en"]), AssertionError, "has no text in en"),
        (lambda corpus: corpus.select([1, 0]).example_ids([2]), AssertionError, "rows outside corpus c of 2 examples"),
        (
            lambda corpus: corpus.coverage(["en", "fr", "sw"]),
            ValueError,
            "no text in fr, sw; its .* de, en",
        ),
        (lambda corpus: corpus.coverage(["en", "en"]), ValueError, "cannot list a language twice"),
        (lambda corpus: corpus.holdout(3, seed=1), ValueError, "cannot hold out 3 of the 3 examples of corpus c"),
    ],
)
def test_what_a_corpus_lacks_is_refused(
    tmp_path: Path, ask: Callable[[ParallelCorpus], object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        ask(numbered(3, tmp_path))


def test_the_texts_of_a_view_are_those_of_its_examples(tmp_path: Path) -> None:
    """A vocabulary that is learned from them sees nothing of an example that was dropped as a leak."""
    shared = {"en": "p0", "de": "P0"}
    records = [
        example("0", {"en": "q0"}, shared, {"en": "n0"}),
        example("1", {"en": "q1"}, {"en": "p1"}, {"en": "n1", "de": "N1"}),
        example("2", {"de": "Q2"}, shared),
    ]
    corpus = build_corpus("c", records, tmp_path, "build")
    assert sorted(corpus.texts()) == ["N1", "P0", "Q2", "n0", "n1", "p0", "p1", "q0", "q1"]
    assert sorted(corpus.select([2, 1]).texts()) == ["N1", "P0", "Q2", "n1", "p0", "p1", "q1"]
    assert list(corpus.select([0]).texts()) == list(corpus.select([0, 2, 1]).select([0]).texts()) != []


NEGATIVES = ({"de": "n1"}, {"de": "n2", "en": "N2"}, {"es": "n3"}, {"de": "n4", "es": "N4"})


@pytest.mark.parametrize(
    ("languages", "count", "expected"),
    [
        (None, 4, ["N2"]),
        (["en"], 4, ["N2"]),
        (["de", "en", "es"], 4, ["n1", "N2", "n3", "n4"]),
        (["es", "de"], 4, ["n1", "N2", "n3", "N4"]),
        (["de", "en", "es"], 2, ["n1", "N2"]),
    ],
)
def test_negatives_come_in_the_languages_that_are_asked_for(
    tmp_path: Path, languages: list[str] | None, count: int, expected: list[str]
) -> None:
    corpus = build_corpus("c", [example("1", {"en": "q"}, {"de": "P", "en": "p"}, *NEGATIVES)], tmp_path, "build")
    texts = corpus.fetch([0], ["en"], ["en"], count, languages)
    assert texts.negatives == [expected] and len(texts.negative_groups[0]) == len(expected)


def test_batches_take_negatives_in_any_language_trained_on(tmp_path: Path) -> None:
    records = [example(str(row), {"en": f"q{row}"}, {"en": f"p{row}"}, *NEGATIVES) for row in range(4)]
    corpus = build_corpus("c", records, tmp_path, "build")
    for chosen, negative in ((None, "n1"), (["en", "es"], "N2")):
        config = BatchConfig(4, chosen, negatives=1, negative_languages="any", num_workers=0)
        module = HybridDataModule([corpus], Single("monolingual", "english", ("en",)), tokenize, config, seed=0)
        (batch,) = module.train_dataloader()
        assert read_back(batch.tokens)[8:] == [f"p{negative}"] * 4
    with pytest.raises(ValueError, match=r"data\.negative_languages is 'all'"):
        BatchConfig(negative_languages="all")


def test_worker_processes_read_what_the_parent_reads(tmp_path: Path) -> None:
    """Texts stay on disk: a corpus pickles as paths, mapped or not."""
    records = [example(str(n), {"en": f"q{n}"}, {"de": f"p{n}" * 500}, {"de": f"n{n}"}) for n in range(50)]
    corpus = build_corpus("c", records, tmp_path, "build").select(range(10, 40))
    pickled = [pickle.dumps(one) for one in (corpus, corpus.unmapped())]
    assert max(map(len, pickled)) < 20_000
    with multiprocessing.get_context("fork").Pool(1) as pool:
        there = pool.apply_async(read_all, (corpus,)).get(timeout=600)
    for texts in (there, *map(read_all, map(pickle.loads, pickled))):
        assert texts.questions == [f"q{n}" for n in range(10, 40)]
        assert texts.negatives == [[f"n{n}"] for n in range(10, 40)]


def test_a_folder_that_holds_no_corpus_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not a parallel corpus: cannot read its manifest"):
        ParallelCorpus.load(tmp_path)
    build_corpus("c", [example("1", {"en": "q"}, {"de": "p"})], tmp_path, "build")
    (tmp_path / "c-build" / "passages.arrow").write_bytes(b"")
    with pytest.raises(ValueError, match=r"passages.arrow is missing or damaged .* delete its folder"):
        ParallelCorpus.load(tmp_path / "c-build")
    manifest = tmp_path / "c-build" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"schema": 3', '"schema": 0'))
    with pytest.raises(ValueError, match="written with schema 0, this version reads 3; delete the folder"):
        ParallelCorpus.load(tmp_path / "c-build")


def _codes(record: Example) -> set[str]:
    texts = (record.question, record.passage, *record.negatives)
    return {language for text in texts for language in text.text}


def _mask(text: ParallelText, languages: Sequence[str]) -> int:
    return sum(1 << bit for bit, language in enumerate(languages) if language in text.text)


def _linked(records: Sequence[Example]) -> list[set[int]]:
    """Examples linked by question or passage groups; hard negatives may bridge passages, as they are stored alike."""
    stored = list({text.id: text for record in records for text in (record.passage, *record.negatives)}.values())
    passage_group = {stored[row].id: number for number, group in enumerate(naive_groups(stored)) for row in group}
    question_group = {row: n for n, group in enumerate(naive_groups([r.question for r in records])) for row in group}
    both = [
        ParallelText(str(row), {"q": str(question_group[row]), "p": str(passage_group[record.passage.id])})
        for row, record in enumerate(records)
    ]
    return naive_groups(both)
