"""What cannot work is refused before training, with words that say what to do."""

import json
from pathlib import Path

import pytest

from hybrid_ir.launch.cli import explain
from tests.evaluation.benchmarks.miracl_files import write_miracl
from tests.training.conftest import Configure, Run
from tests.worlds import write_lareqa


def refusal(configure: Configure, *overrides: str) -> str:
    """The message that the user sees; fails if training starts."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the kind of error is what `explain` decides on
        Run(configure(*overrides))
    message = explain(caught.value)
    assert message is not None, "a user's fault ended in a traceback"
    return message


@pytest.mark.parametrize(
    ("overrides", "parts"),
    [
        (["data.languages=[de,xx]"], ["xx", "de, en, es"]),
        (["sampler.alpha=1.5"], ["`sampler.alpha` must be in [0, 1], got 1.5"]),
        (["sampler=cross", "data.languages=[en]"], ["cross", "no example", "crosslingual"]),
        (["data.batch_size=49"], ["batch of 49", "48 examples", "lower data.batch_size"]),
        (["model=labse"], ["cannot reach the backbone sentence-transformers/LaBSE", "experiment=quickstart"]),
        (["data=squad_xtreme"], ["cannot reach", "xquad_xtreme", "experiment=quickstart"]),
        (
            ["eval.benchmarks.xquad_r.name=xquad_r", "eval.benchmarks.xquad_r.folder=xquad_r"],
            ["cannot reach", "ar.json"],
        ),
        (["eval.benchmarks.xquad_r.folder=none"], ["no {language}.json", "none", "paths.data"]),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_impossible_runs(configure: Configure, overrides: list[str], parts: list[str]) -> None:
    message = refusal(configure, *overrides)
    assert all(part in message for part in parts), message


def test_a_corpus_too_large_for_every_epoch(configure: Configure, tmp_path: Path) -> None:
    write_miracl(tmp_path / "data" / "large", ["sw"])
    where = ["name=large", "folder=large", "languages=[sw]"]
    overrides = [
        f"+eval.benchmarks.large.{item}" for item in [*where, f"root={tmp_path / 'data'}", f"store={tmp_path}"]
    ]
    target = "+eval.benchmarks.large._target_=hybrid_ir.evaluation.benchmarks.miracl.load_miracl"
    message = refusal(configure, target, *overrides, "+eval.benchmarks.large.measures={monolingual:[ndcg@10]}")
    assert "large is too large to encode after every epoch" in message and "eval=miracl_sample" in message


def test_broken_files_are_named_with_the_position_in_them(configure: Configure, tmp_path: Path) -> None:
    folder, corpus = write_lareqa(tmp_path / "squad"), tmp_path / "corpus.jsonl"
    squad = ("data=squad", f"data.corpora.squad.path={folder}")
    message = refusal(configure, *squad, "data.corpora.squad.languages=[de,en,fr]")
    assert "fr.json" in message and str(folder) in message

    content = json.loads((folder / "en.json").read_text(encoding="utf-8"))
    content["data"][0]["paragraphs"][2]["qas"][0]["answers"][0]["answer_start"] = 999
    (folder / "en.json").write_text(json.dumps(content), encoding="utf-8")
    message = refusal(configure, *squad)
    assert all(part in message for part in ("en.json", "data[0].paragraphs[2].qas[0]", "999")), message

    lines = corpus.read_text(encoding="utf-8").splitlines()
    lines[6] = lines[6][:-1]
    corpus.write_text("\n".join(lines), encoding="utf-8")
    assert f"{corpus}:7" in refusal(configure)
