"""Validation corpora: the same batches for every arm, and refused where their loss would say nothing."""

from pathlib import Path

import pytest

from hybrid_ir import assembly
from hybrid_ir.sampling.translations import NONE
from tests.training.conftest import Configure, Run
from tests.worlds import write_squadshifts

SHIFTS = ("data/validation=squadshifts", "data.validation.corpora.squadshifts.sets=[reddit]")


def batches(configure: Configure, *overrides: str) -> list[tuple]:
    cfg = configure(*overrides)
    validation = assembly.build_validation(cfg)
    assert validation is not None
    plan = validation.plan(cfg.data.batch_size, NONE).epoch(0)
    return [
        (batch.kind, batch.language, *validation.corpora[batch.corpus].example_ids(batch.examples)) for batch in plan
    ]


def test_all_arms_are_validated_on_the_same_batches(configure: Configure, tmp_path: Path) -> None:
    write_squadshifts(tmp_path / "data", {"reddit": 100})
    expected = batches(configure, *SHIFTS, "sampler=mono")
    assert [batch[:2] for batch in expected] == [("monolingual", "en")] * 2
    assert len({key for batch in expected for key in batch[2:]}) == 2 * 8
    for arm in (["sampler=cross", "seed=7"], ["sampler=hybrid", "sampler.alpha=0.1", "data.languages=[de,es]"]):
        assert batches(configure, *SHIFTS, *arm) == expected


def test_corpora_in_several_languages_have_batches_of_any_kind(configure: Configure, tmp_path: Path) -> None:
    own = ("data/validation=parallel_jsonl", f"data.validation.corpora.parallel_jsonl.path={tmp_path / 'corpus.jsonl'}")
    assert {batch[0] for batch in batches(configure, *own, "sampler=cross")} == {"monolingual"}
    found = batches(configure, *own, "sampler=mono", "sampler@data.validation.sampler=cross")
    assert [batch[:2] for batch in found] == [("crosslingual", None)] * 6


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["loss.negatives=hard", "data.negatives=1"], "hard negatives alone, and squadshifts has none; mine some"),
        (["loss=pooled"], "data.validation does not fit this run: the loss compares translations, but .* squadshifts"),
        (["data.batch_size=24"], "data.validation does not fit this run: .*lower data.batch_size"),
    ],
)
def test_a_corpus_whose_loss_would_say_nothing_is_refused(
    configure: Configure, tmp_path: Path, overrides: list[str], message: str
) -> None:
    write_squadshifts(tmp_path / "data", {"reddit": 100})
    with pytest.raises(ValueError, match=message):
        Run(configure(*SHIFTS, *overrides))
