"""The reader of tables of pairs, on tiny files in the layouts of the paper's training sets."""

import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hydra.errors import InstantiationException
from hydra.utils import instantiate

from hybrid_ir.data.corpus import ParallelCorpus
from hybrid_ir.data.readers import pair_table
from tests.compose import compose_config
from tests.data.hub_layouts import TABLES


def build(choice: str, folder: Path, *overrides: str) -> ParallelCorpus:
    """The corpus of `data=choice`."""
    words = [f"data.corpora.{choice}.{word}" for word in overrides]
    cfg = compose_config("train", [f"data={choice}", f"paths.data={folder}", *words], folder)
    corpus: ParallelCorpus = instantiate(cfg.data.corpora[choice])
    return corpus


def pairs(corpus: ParallelCorpus, negatives: int = 0) -> list[tuple[Any, ...]]:
    every = list(range(len(corpus)))
    texts = corpus.fetch(every, ["en"] * len(every), ["en"] * len(every), negatives=negatives)
    columns = [texts.questions, texts.passages, *([texts.negatives] if negatives else [])]
    return list(zip(*columns, strict=True))


@pytest.mark.parametrize("choice", TABLES)
def test_a_set_of_the_paper_gives_its_pairs_and_counts_what_it_leaves_out(choice: str, tmp_path: Path) -> None:
    table = TABLES[choice]
    table.write(tmp_path)
    corpus = build(choice, tmp_path)
    assert corpus.languages == ("en",)
    assert pairs(corpus) == [(question, passage) for _, question, passages in table.good for passage in passages]
    faults = [fault for _, fault in table.odd if fault is not None]
    (note,) = corpus.notes
    assert note.startswith(f"en: {len(faults)} of {len(table.good) + len(faults)} rows dropped as invalid")
    assert all(fault in note for fault in faults), note
    with pytest.raises(InstantiationException, match=re.escape(faults[0])):
        build(choice, tmp_path, "on_invalid=error")


def test_questions_that_occur_again_share_their_answers(tmp_path: Path) -> None:
    TABLES["wikiqa"].write(tmp_path)
    groups, *_ = build("wikiqa", tmp_path).groups(range(6))
    assert groups.tolist() == [0, 0, 1, 1, 2, 2]


def test_hard_negatives_come_with_each_positive(tmp_path: Path) -> None:
    TABLES["mr_tydi"].write(tmp_path)
    found = pairs(build("mr_tydi", tmp_path), negatives=2)
    assert found[2:4] == [("When 1?", "T\nIn 1.", ["T\nNot 1."]), ("When 1?", "At 1.", ["T\nNot 1."])]


def test_the_converted_branch_of_mfaq_has_a_pair_a_row(tmp_path: Path) -> None:
    folder = tmp_path / "clips/mfaq/en_flat"
    folder.mkdir(parents=True)
    for name, question in (("mfaq-train-00000-of-00003", "a?"), ("mfaq-validation", "b?")):
        row = {"domain_id": 1, "pair_id": 0, "language": "en", "question": question, "answer": "c"}
        pq.write_table(pa.Table.from_pylist([row]), folder / f"{name}.parquet")
    corpus = build("mfaq", tmp_path, "nested=null", "files=[en_flat/*train*.parquet]")
    assert pairs(corpus) == [("a?", "c")]


@pytest.mark.parametrize(
    ("window", "answers", "starts", "expected"),
    [
        (100, ["Rome"], [], "One. Rome is old. Paris too. Rome again. End."),
        (4, ["Rome"], [], "One. Rome is old."),
        (5, ["Rome"], [], "Rome is old. Paris too."),
        (2, ["Rome"], [], "Rome is old."),
        (2, ["Rome"], [29], "Rome again."),
        (2, ["Rome"], [3, -7, 900, 29], "Rome again."),
        (2, ["Oslo", "is OLD"], [5], "Rome is old."),
        (1, ["End"], [], "End."),
    ],
)
def test_a_long_text_gives_the_sentences_around_the_answer(
    window: int, answers: list[str], starts: list[int], expected: str, tmp_path: Path
) -> None:
    row = {"q": "?!", "p": "One. Rome is old. Paris too. Rome again. End.", "a": answers, "s": [{"at": starts}]}
    (tmp_path / "me/own").mkdir(parents=True)
    (tmp_path / "me/own/x.jsonl").write_text(json.dumps(row) + "\n")
    corpus = read(tmp_path, answers="a", starts="s.at", window=window)
    assert pairs(corpus) == [("?!", expected)]


def read(root: Path, **options: Any) -> ParallelCorpus:
    given = {"repository": "me/own", "revision": "main", "files": ["*.jsonl"], "question": "q", "passage": "p"}
    return pair_table.read("x", cache_dir=str(root / "cache"), root=str(root), **given | options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"repository": "../own"}, "`repository` must be owner/name, got '../own'"),
        ({"files": ["../x.jsonl"]}, "`files` must be patterns inside the repository, got '../x.jsonl'"),
        ({"files": ["*.parquet"]}, r"me/own/\*.parquet: there is no such file"),
        ({"starts": "s"}, "`starts=s` are offsets of answers and need `answers`"),
        ({"window": 0}, "`window` must be at least 1 word, got 0"),
        ({"language": "e n"}, "language code 'e n' must be made of letters"),
        ({"nested": "q"}, r"x.jsonl:1: 'q' must be a list of rows, got '\?'"),
        ({"nested": "l"}, r"x.jsonl:1: a row in 'l' must be an object, got 3"),
        ({"where": {"q": "!"}}, "corpus x has no examples"),
        ({"repository": "me/none"}, "cannot reach the data set me/none.*no folder .*me/none"),
    ],
)
def test_what_cannot_be_read_is_refused(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    (tmp_path / "me/own").mkdir(parents=True)
    (tmp_path / "me/own/x.jsonl").write_text('{"q": "?", "p": "a", "l": [3]}\n')
    with pytest.raises(ValueError, match=message):
        read(tmp_path, on_invalid="error", **options)
