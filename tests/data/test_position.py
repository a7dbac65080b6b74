"""What a checkpoint may be resumed under."""

import json
from pathlib import Path
from typing import Any

import pytest

from hybrid_ir.data.position import position_after, texts_digest
from hybrid_ir.data.readers.parallel_jsonl import read
from hybrid_ir.sampling.plan import BatchPlan
from hybrid_ir.sampling.policy import Hybrid

from ..worlds import write_corpus

OURS = {"plan": "p", "texts": "t", "batches": 6, "world_size": 2}


def state(**changed: Any) -> dict[str, Any]:
    return OURS | {"epoch": 3, "trained": 4} | changed


@pytest.mark.parametrize(
    ("changed", "changes", "refused"),
    [
        ({}, [], None),
        ({"plan": "q"}, [], "another batch plan"),
        ({"plan": "q"}, ["optim"], "another batch plan"),
        ({"plan": "q", "texts": "u"}, ["sampler.alpha"], None),
        ({"texts": "u"}, [], r"other texts; .*resume_changes=\[data\]"),
        ({"texts": "u"}, ["data"], None),
        ({"world_size": 4}, ["data"], r"written by 4 processes, and 2 .*resume_changes=\[world_size\]"),
        ({"world_size": 4}, ["world_size"], None),
        ({"plan": "q", "batches": 9, "trained": 7}, ["data.batch_size"], "7 batches into its epoch, .* has 6"),
    ],
)
def test_changes_are_refused_or_asked_for(changed: dict[str, Any], changes: list[str], refused: str | None) -> None:
    if refused is None:
        assert position_after(state(**changed), OURS, changes) == (3, 4)
    else:
        with pytest.raises(ValueError, match=refused):
            position_after(state(**changed), OURS, changes)


def test_end_of_an_epoch_is_the_beginning_of_any_other() -> None:
    assert position_after(state(plan="q", batches=9, trained=9), OURS, ["data.batch_size"]) == (3, 0)


def test_digest_knows_the_texts(tmp_path: Path) -> None:
    """Same ids, sizes and languages, so the same plan; one translation of every example differs."""
    first = write_corpus(tmp_path / "corpus.jsonl")
    other = tmp_path / "other" / "corpus.jsonl"
    other.parent.mkdir()
    examples = [json.loads(line) for line in first.read_text(encoding="utf-8").splitlines()]
    for example in examples:
        example["passage"]["de"] += " Neu."
    other.write_text("\n".join(json.dumps(example) for example in examples), encoding="utf-8")

    def digests(path: Path) -> tuple[str, str]:
        corpus = read("world", str(path), str(path.parent / "cache"))
        coverage = corpus.coverage()
        plan = BatchPlan([coverage], Hybrid(0.5), batch_size=8, seed=0)
        return plan.fingerprint(), texts_digest(plan, [corpus], [coverage.languages])

    (plan, texts), (same_plan, other_texts) = digests(first), digests(other)
    assert plan == same_plan and texts != other_texts
    assert digests(first) == (plan, texts)
