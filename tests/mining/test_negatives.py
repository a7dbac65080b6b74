"""Mined negatives against a loop that follows the definition, and against planted traps."""

import math
import tempfile
from collections import Counter
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_ir.data.corpus import ParallelCorpus
from hybrid_ir.data.writer import build_corpus
from hybrid_ir.evaluation.baselines.bm25 import BM25
from hybrid_ir.evaluation.vectors.corpus_vectors import VectorStore
from hybrid_ir.mining.negatives import Mined, MiningConfig, mine
from hybrid_ir.sources.records import Example, ParallelText
from tests.data.examples import corpus_of, example, examples
from tests.evaluation.samples import HashEncoder
from tests.processes import run_processes

CPU = torch.device("cpu")


def mined(
    system: object, corpus: ParallelCorpus, folder: str | Path, block_size: int = 8192, **options: object
) -> Mined:
    config = MiningConfig(**options)
    return mine(system, corpus, config, VectorStore(Path(folder), "float32", block_size), 256, CPU)


class Planted:
    """Scores by hand: a question is (1, 0), a passage (score, ...) by the number that its text ends with."""

    def encode(self, texts: list[str], kind: str) -> torch.Tensor:
        scores = [1.0 if kind == "query" else float(text.split()[-1]) for text in texts]
        return torch.tensor([[score, 0.0] for score in scores])

    def describe(self) -> dict[str, str]:
        return {"encoder": "planted"}


@pytest.fixture
def trap(tmp_path: Path) -> ParallelCorpus:
    """The first question's answer scores 0.8; everything else is what a search finds around it."""
    asked = ParallelText("asked", {"de": "Frage", "en": "question"})
    records = [
        Example("own", asked, ParallelText("own", {"de": "eigen 0.7", "en": "own 0.8"})),
        example("near", {"en": "other a"}, {"en": "near 0.79"}),
        example("above", {"en": "other b"}, {"en": "above 0.9"}),
        Example("same question", asked, ParallelText("second answer", {"en": "second answer 0.75"})),
        Example("copy", ParallelText("q", {"en": "other c"}), ParallelText("copy", {"en": " own 0.8"})),
        Example("twin", ParallelText("r", {"en": "other f"}), ParallelText("twin", {"en": "hard 0.7"})),
        example("hard", {"en": "other d"}, {"de": "schwer 0.6", "en": "hard 0.7"}),
        example("easy", {"en": "other e"}, {"en": "easy 0.1"}),
    ]
    return build_corpus("trap", records, tmp_path, "mark", group_by_text=False)


def of_first(result: Mined, corpus: ParallelCorpus) -> list[str]:
    contents = corpus.contents("passage")
    return [contents.texts_in(code, [row])[0] for _, code, row in result.passages[0]]


def test_planted_negative_is_taken_and_planted_answers_are_not(trap: ParallelCorpus, tmp_path: Path) -> None:
    found = mined(Planted(), trap, tmp_path / "store", count=2)
    assert of_first(found, trap) == ["hard 0.7", "schwer 0.6", "easy 0.1"]  # each language on its own, the best first
    loose = mined(Planted(), trap, tmp_path / "store", count=3, max_score_ratio=None)
    assert of_first(loose, trap) == ["above 0.9", "near 0.79", "hard 0.7", "schwer 0.6"]
    late = mined(Planted(), trap, tmp_path / "store", count=2, skip=3, max_score_ratio=None)
    assert of_first(late, trap) == ["hard 0.7", "easy 0.1"]  # above, near and twin are passed over
    anywhere = mined(Planted(), trap, tmp_path / "store", count=9, languages="any")
    assert of_first(anywhere, trap) == ["hard 0.7", "easy 0.1"]  # a content once, in the language that is nearest


def test_what_is_left_out_is_counted(trap: ParallelCorpus, tmp_path: Path) -> None:
    view = trap.select([0])
    counts = mined(Planted(), view, tmp_path / "store", count=3).counts
    # German: own, hard. English: above, own, copy, near, second answer (to no example of the view), hard, twin, easy.
    assert counts == Counter(answer=2, identical=1, too_close=2, duplicate=1, taken=4, missing=2)


def naive(system: object, records: list[Example], corpus: ParallelCorpus, config: MiningConfig) -> list[list[tuple]]:
    """The definition, question by question, with the corpus' own grouping."""
    passages = corpus.contents("passage")
    every = passages.texts(range(len(passages)))
    groups, questions = passages.groups.tolist(), corpus.contents("question").groups.tolist()
    asked, own = corpus.content_rows("question").tolist(), corpus.content_rows("passage").tolist()
    vectors = {
        (code, row): system.encode([text], "passage")[0]
        for row, each in enumerate(every) for code, text in each.text.items()
    }  # fmt: skip
    result = []
    for number, record in enumerate(records):
        answers = {groups[own[i]] for i in range(len(records)) if questions[asked[i]] == questions[asked[number]]}
        texts = {text.strip() for text in record.passage.text.values()}
        if config.languages == "any":
            requests = [(sorted(record.question.text), sorted({code for text in every for code in text.text}))]
        else:
            first = min(record.question.text)
            requests = [([code if code in record.question.text else first], [code]) for code in record.passage.text]
        chosen = []
        for askers, pools in requests:
            union = []
            for asker in askers:
                query = system.encode([record.question.text[asker]], "query")[0]
                scored = [
                    (float(query @ vectors[code, row]), code, row)
                    for code in pools for row, text in enumerate(every) if code in text.text
                ]  # fmt: skip
                mine_scores = {code: score for score, code, row in scored if row == own[number]}
                best = sorted(scored, key=lambda entry: (-entry[0], *_descending(entry, pools)))[: config.depth]
                others = [
                    entry for entry in best
                    if groups[entry[2]] not in answers and every[entry[2]].text[entry[1]].strip() not in texts
                ]  # fmt: skip
                for score, code, row in others[config.skip :]:
                    anchor = mine_scores.get(code, max(mine_scores.values()))
                    limit = math.inf if config.max_score_ratio is None else anchor - 0.1 * abs(anchor)
                    if score <= limit:
                        union.append((score, code, row))
            seen_groups, seen_texts, taken = set(), set(), []
            for score, code, row in sorted(union, key=lambda entry: (-entry[0], *_descending(entry, pools))):
                text = every[row].text[code].strip()
                if groups[row] not in seen_groups and text not in seen_texts and len(taken) < config.count:
                    seen_groups.add(groups[row])
                    seen_texts.add(text)
                    taken.append((score, code, row))
            chosen += taken
        result.append(chosen)
    return result


def _descending(entry: tuple[float, str, int], pools: list[str]) -> tuple[int, int]:
    return -pools.index(entry[1]), -entry[2]


@given(
    records=examples(min_size=2),
    languages=st.sampled_from(["passage", "any"]),
    count=st.integers(1, 4),
    depth=st.integers(3, 30),
    skip=st.integers(0, 2),
    ratio=st.sampled_from([None, 0.9]),
    block_size=st.integers(1, 9),
)
@settings(max_examples=12, deadline=None)
def test_mining_is_the_definition(
    records: list[Example], languages: str, count: int, depth: int, skip: int, ratio: float | None, block_size: int
) -> None:
    options = {"languages": languages, "count": count, "depth": depth, "skip": skip, "max_score_ratio": ratio}
    encoder = HashEncoder()
    with corpus_of(records) as corpus, tempfile.TemporaryDirectory() as folder:
        found = mined(encoder, corpus, folder, block_size, **options)
        expected = naive(encoder, records, corpus, MiningConfig(**options))
        for passages, wanted in zip(found.passages, expected, strict=True):
            by_language = [sorted(entries, key=lambda entry: entry[1:]) for entries in (passages, wanted)]
            assert [entry[1:] for entry in by_language[0]] == [entry[1:] for entry in by_language[1]]
            scores = [[entry[0] for entry in entries] for entries in by_language]
            assert scores[0] == pytest.approx(scores[1], abs=1e-5)
            assert [entry[0] for entry in passages] == sorted((entry[0] for entry in passages), reverse=True)


def test_a_baseline_mines_words_in_common(tmp_path: Path) -> None:
    records = [
        example("1", {"en": "where is ulm"}, {"en": "ulm is on the danube"}),
        example("2", {"en": "where is bonn"}, {"en": "bonn is on the rhine"}),
        example("3", {"en": "what is yen"}, {"en": "money of japan"}),
    ]
    corpus = build_corpus("towns", records, tmp_path, "mark")
    found = mined(BM25(), corpus, tmp_path / "store", count=5, max_score_ratio=None)
    contents = corpus.contents("passage")
    taken = [[contents.texts_in(code, [row])[0] for _, code, row in passages] for passages in found.passages]
    assert taken[0] == ["bonn is on the rhine"]  # shares a word; money of japan does not
    assert not (tmp_path / "store").exists()


def _worker(rank: int, world_size: int, folder: str, size: int) -> None:
    records = [example(str(i), {"de": f"f {i}", "en": f"q {i}"}, {"de": f"a {i}", "en": f"p {i}"}) for i in range(size)]
    corpus = build_corpus("shared", records, Path(folder) / "corpus", "mark")
    result = mined(HashEncoder(), corpus, Path(folder) / f"store-{world_size}", 4, count=3, languages="any")
    torch.save((result.passages, dict(result.counts)), Path(folder) / f"{world_size}-{rank}.pt")


def test_processes_find_what_one_finds(tmp_path: Path) -> None:
    _worker(0, 1, str(tmp_path), 30)
    run_processes(_worker, 2, tmp_path, str(tmp_path), 30)
    one, *two = (torch.load(tmp_path / f"{name}.pt") for name in ("1-0", "2-0", "2-1"))
    assert two == [one, one]
