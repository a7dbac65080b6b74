"""The presets of the paper train on files in the layouts of its sets, and say what the paper says."""

from pathlib import Path

import pytest

from hybrid_ir.config.rules.train_rules import check_train
from hybrid_ir.data.readers.mmarco import PAPER_LANGUAGES
from hybrid_ir.training.data.share_table import plan_shares
from tests.compose import compose_config
from tests.data.hub_layouts import write_paper_sets
from tests.training.conftest import Run
from tests.worlds import write_lareqa, write_squadshifts

SMALL = [
    *("model=tiny", "model.scratch.hidden_size=32", "model.scratch.heads=2", "model.scratch.vocab_size=400"),
    *("data.batch_size=4", "data.batches_per_epoch=2", "data.num_workers=0", "trainer=cpu", "trainer.max_epochs=1"),
    *("data.validation.corpora.squadshifts.sets=[new_wiki]", "logger=none", "eval=xquad_r", "eval.at_start=false"),
    *("eval.benchmarks.xquad_r.name=world", "eval.benchmarks.xquad_r.folder=world"),
]
ENGLISH = {"mfaq", "natural_questions", "newsqa", "duorc", "mr_tydi", "wikiqa"}
PRESETS = {
    "paper_labse": {"mmarco", *ENGLISH},
    "paper_xlmr": {"mmarco", *ENGLISH},
    "paper_labse_mmarco": {"mmarco"},
    "paper_literal": {"mmarco", "mr_tydi"},
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    write_paper_sets(root)
    write_squadshifts(root, {"new_wiki": 200})
    write_lareqa(root / "world")
    return root


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_trains_two_steps_on_the_sets_it_names(preset: str, world: Path, tmp_path: Path) -> None:
    cfg = compose_config("train", [f"experiment={preset}", *SMALL, f"paths.data={world}"], tmp_path)
    check_train(cfg)
    cfg.paths.cache = str(world / "cache")
    run = Run(cfg)
    shares = [share for share in plan_shares(run.datamodule.plan) if share.language is not None]
    for language in PAPER_LANGUAGES:  # alpha is 0.5
        assert sum(share.share for share in shares if share.language == language) == pytest.approx(0.5 / 7), language
    assert {corpus.name: corpus.languages for corpus in run.datamodule.corpora} == {
        name: PAPER_LANGUAGES if name == "mmarco" else ("en",) for name in PRESETS[preset]
    }
    assert [corpus.name for corpus in run.datamodule.validation_corpora] == ["squadshifts"]
    run.fit()
    assert run.trainer.global_step == 2
    assert run.trainer.callback_metrics["validation/loss"] > 0
