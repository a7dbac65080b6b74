"""What a checkpoint may be resumed under."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hybrid_ir.data.corpus import ParallelCorpus
from hybrid_ir.data.fingerprint import corpora_fingerprint
from hybrid_ir.data.readers.parallel_jsonl import read
from hybrid_ir.training.compatibility import position_after
from tests.worlds import write_corpus

OURS = {"plan": "p", "corpora": "t", "batches": 6, "world_size": 2}


def state(**changed: Any) -> dict[str, Any]:
    return OURS | {"epoch": 3, "trained": 4} | changed


@pytest.mark.parametrize(
    ("changed", "changes", "expected"),
    [
        ({}, [], (3, 4)),
        ({"plan": "q"}, [], "another batch plan"),
        ({"plan": "q"}, ["optim"], "another batch plan"),
        ({"plan": "q"}, ["trainer.precision"], "another batch plan"),
        ({"plan": "q"}, ["trainer.max_epochs"], (3, 4)),
        ({"plan": "q"}, ["trainer"], (3, 4)),
        ({"plan": "q"}, ["sampler.alpha"], (3, 4)),
        ({"validation": "u"}, ["data.corpora"], r"validation corpora are not .*resume_changes=\[data.validation\]"),
        ({"validation": "u"}, ["data.validation"], (3, 4)),
        ({"corpora": "u"}, [], r"corpora are not the checkpoint's: .*resume_changes=\[data.corpora\]"),
        ({"plan": "q", "corpora": "u"}, ["seed", "sampler", "trainer", "data.batch_size"], "corpora are not"),
        ({"corpora": "u"}, ["data"], (3, 4)),
        ({"corpora": "u"}, ["data.corpora.mine.path"], (3, 4)),
        ({"world_size": 4}, ["data"], r"written by 4 processes, and this run has 2.*resume_changes=\[world_size\]"),
        ({"world_size": 4}, ["world_size"], (3, 4)),
        ({"plan": "q", "batches": 9, "trained": 7}, ["data.batch_size"], "7 batches into its epoch, .* has 6"),
        ({"plan": "q", "batches": 9, "trained": 9}, ["data.batch_size"], (3, 0)),  # the end of an epoch fits any plan
    ],
)
def test_changes_are_refused_or_asked_for(changed: dict[str, Any], changes: list[str], expected: Any) -> None:
    if isinstance(expected, tuple):
        assert position_after(state(**changed), OURS, changes) == expected
    else:
        with pytest.raises(ValueError, match=expected):
            position_after(state(**changed), OURS, changes)


def changed_corpus(folder: Path, change: Callable[[dict[str, Any]], None]) -> ParallelCorpus:
    folder.mkdir(exist_ok=True)
    path = write_corpus(folder / "corpus.jsonl")
    examples = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for example in examples:
        change(example)
    path.write_text("\n".join(json.dumps(example) for example in examples), encoding="utf-8")
    return read("world", str(path), str(folder / "cache"))


def other_text(example: dict[str, Any]) -> None:
    example["passage"]["de"] += " Neu."


def other_negative(example: dict[str, Any]) -> None:
    example["negatives"][0]["de"] += " Neu."


def same(example: dict[str, Any]) -> None:
    pass


@pytest.mark.parametrize("change", [same, other_text, other_negative])
def test_fingerprint_knows_texts_and_hard_negatives_whatever_the_plan(
    tmp_path: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    """Same ids, sizes and languages, so the same plan; every example differs in one language."""
    ours, theirs = (changed_corpus(tmp_path / folder, made) for folder, made in (("a", same), ("b", change)))
    assert (corpora_fingerprint([ours]) == corpora_fingerprint([theirs])) == (change is same)


def test_fingerprint_knows_what_counts_as_the_same_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A group can change by an example that is not sampled."""
    corpus = changed_corpus(tmp_path, same)
    questions, passages, negatives = corpus.groups([0, 1, 2])
    assert passages[0] == passages[1] != passages[2]
    fetched = corpus.fetch([0, 1, 2], ["de"] * 3, ["en"] * 3, negatives=1)
    assert questions.tolist() == fetched.question_groups.tolist()
    assert passages.tolist() == fetched.passage_groups.tolist()
    assert [[group] for group in negatives.tolist()] == fetched.negative_groups

    found = set()
    for shift in (0, 1):
        monkeypatch.setattr(corpus, "groups", lambda rows, shift=shift: (questions, passages + shift, negatives))
        found.add(corpora_fingerprint([corpus]))
    assert len(found) == 2


def test_fingerprint_knows_which_examples_are_left_out(tmp_path: Path) -> None:
    """The leakage guard leaves out as many under another benchmark, and none that is sampled is another."""
    corpus = read("world", str(write_corpus(tmp_path / "corpus.jsonl", size=300)), str(tmp_path / "cache"))
    views = [corpus.select(np.delete(np.arange(300), dropped)) for dropped in (100, 101, 101)]
    found = [corpora_fingerprint([view]) for view in views]
    assert found[0] != found[1] == found[2]
