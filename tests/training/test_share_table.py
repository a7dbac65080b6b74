"""The shares that a training configuration plans: the check's report, the log, and the weights of corpora."""

import json
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hybrid_ir import assembly
from hybrid_ir.commands import check
from hybrid_ir.config.rules.resume_rules import check_resume
from hybrid_ir.config.rules.train_rules import check_train
from hybrid_ir.sampling.plan import BatchPlan
from hybrid_ir.sampling.policy import Hybrid
from hybrid_ir.training.data.share_table import share_lines
from tests.compose import compose_config
from tests.sampling.coverages import parallel
from tests.training.conftest import Configure
from tests.worlds import write_corpus

TABLE = """\
corpus    total  monolingual  crosslingual     de     en
both      75.00        25.00         50.00  12.50  12.50
english   25.00        25.00          0.00   0.00  25.00
tiny       0.00         0.00          0.00   0.00   0.00
all      100.00        50.00         50.00  12.50  37.50"""


def test_the_table_has_a_line_for_each_corpus() -> None:
    """Also for one that fills no batch."""
    corpora = [parallel(60, "both", ("de", "en")), parallel(60, "english", ("en",)), parallel(5, "tiny", ("fr",))]
    assert share_lines(BatchPlan(corpora, Hybrid(0.5), 10, 0)) == TABLE.splitlines()


def own(folder: Path) -> list[str]:
    """Overrides for two corpora, of which one counts as four."""
    fields = [f"path: {write_corpus(folder / 'corpus.jsonl')}", f"cache_dir: {folder}"]
    fields += ["_target_: hybrid_ir.data.readers.parallel_jsonl.read"]
    corpora = [f"+data.corpora.{name}={{name: {name}, {', '.join(fields)}}}" for name in ("one", "four")]
    return ["data=[]", *corpora, "data.weights={four: 192}", "data.batch_size=8"]


def test_the_check_of_a_configuration_reports_its_shares(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cfg = compose_config("check", [*own(tmp_path), "sampler=cross", "json=true"], tmp_path)
    check.check_check(cfg)
    check.check_plan(cfg)
    facts = json.loads(capsys.readouterr().out)
    assert (facts["batches"], facts["batch_size"]) == (12, 8), "an epoch still visits every example once"
    shares = [{"kind": "crosslingual", "corpus": name, "language": None} for name in ("one", "four")]
    assert facts["shares"] == [shares[0] | {"share": 0.2}, shares[1] | {"share": 0.8}]
    cfg.json = False
    check.check_plan(cfg)
    assert "12 batches of 8 in an epoch" in (shown := capsys.readouterr().out) and "four     80.00" in shown


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ([], "no value for check; give a file"),
        (["check=x.jsonl", "data=cldr", "tokenizer=x"], "^data has no effect here; give it without check=..., "),
        (["tokenizer=x", "data=cldr"], "^tokenizer has no effect here; give it with check=..."),
        (["data=[]"], "no training corpus"),
        (["data=cldr", "sampler.draw=language"], "sampler.draw is 'language'; did you mean 'language_first'"),
        (["data=[cldr,mmarco]", "data.weights={cldr: 2, mmacro: 2}"], "data.weights names mmacro; did you mean mmarco"),
        (["data=cldr", "data.weights={cldr: 0}"], r"data.weights.cldr is 0.0; .* leave it out of data="),
        (["data=cldr", "data.weights={cldr: nan}"], "data.weights.cldr is nan; it must be a finite number above 0"),
    ],
)
def test_what_cannot_be_planned_is_refused(overrides: list[str], message: str, tmp_path: Path) -> None:
    cfg = compose_config("check", overrides, tmp_path)
    with pytest.raises(ValueError, match=message):
        check.check_check(cfg)


def test_training_logs_shares_of_several_languages(configure: Configure, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    cfg = configure("sampler.alpha=1", "sampler.draw=language_first")
    check_train(cfg)
    corpora: list[Any] = assembly.build_corpora(cfg)
    plan = assembly.build_datamodule(cfg, corpora, None).plan
    assert "\n".join(share_lines(plan)) in caplog.text and plan.policy.draw == "language_first"
    caplog.clear()
    assembly.build_datamodule(configure("sampler=mono", "data.languages=[de]"), corpora, None)
    assert "expected shares" not in caplog.text
    encoder: Any = SimpleNamespace(tokenizer=len)
    assert assembly.build_datamodule(cfg, corpora, encoder).tokenize is len


def test_an_old_checkpoint_was_drawn_corpus_first(configure: Configure) -> None:
    before: dict[str, Any] = assembly.plain(configure())
    del before["sampler"]["draw"], before["data"]["weights"]
    check_resume(configure(), before)
    with pytest.raises(ValueError, match=r"sampler.draw=language_first \(was corpus_first\)"):
        check_resume(configure("sampler.draw=language_first"), before)
