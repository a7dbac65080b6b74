"""`python -m hybrid_ir check check=...`: what it finds, and that training agrees with it."""

import json
import re
import runpy
import sys
from pathlib import Path

import pytest

from hybrid_ir.data.check.inspection import SHOWN, inspect
from hybrid_ir.data.check.profile import token_counter
from hybrid_ir.data.readers import parallel_jsonl, squad
from tests.data.malformed import ERRORS, FINE, WARNINGS, Case, line
from tests.worlds import write_corpus, write_lareqa

DOCS = Path(__file__).resolve().parents[2] / "docs" / "data.md"


def write(case: Case, folder: Path) -> Path:
    path = folder / case.name
    path.write_bytes(case.content)
    return path


@pytest.mark.parametrize("case", ERRORS, ids=lambda case: case.fault)
def test_errors_are_what_training_refuses(case: Case, tmp_path: Path) -> None:
    path = write(case, tmp_path)
    report = inspect(path)
    assert case.message in report.errors[0] and report.faults >= 1
    assert report.lines()[-1].endswith("training refuses this file")
    with pytest.raises(ValueError) as refused:  # noqa: PT011
        parallel_jsonl.read("own", str(path), str(tmp_path))
    if "languages; at most" not in case.message:
        assert str(refused.value) == report.errors[0]


@pytest.mark.parametrize("case", [*WARNINGS, *FINE], ids=lambda case: case.fault)
def test_warnings_are_what_training_takes(case: Case, tmp_path: Path) -> None:
    path = write(case, tmp_path)
    report = inspect(path)
    assert not report.errors and len(parallel_jsonl.read("own", str(path), str(tmp_path))) == report.profile.examples
    warned = [text.removeprefix("warning: ") for text in report.lines() if text.startswith("warning: ")]
    if case.message:
        assert len(warned) == 1 and warned[0].startswith(case.message)
    else:
        assert not warned


def test_the_documentation_lists_them() -> None:
    text = DOCS.read_text(encoding="utf-8")
    rows = [f"| {case.fault} | `{case.message}` |" for case in WARNINGS]
    assert [row for row in rows if row not in text] == []
    listed = re.sub(r"\s+", " ", text)
    assert [case.fault for case in [*ERRORS, *FINE] if case.fault not in listed] == []


def test_the_check_goes_on_after_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(line() + b"{}\n" * (SHOWN + 3) + line(id="2"))
    report = inspect(path)
    assert report.faults == SHOWN + 3 and len(report.errors) == SHOWN and report.profile.examples == 2
    assert "error: and 3 more" in report.lines()
    assert inspect(tmp_path / "none.jsonl").errors == [f"{tmp_path}/none.jsonl: there is no such file"]


def test_profile_counts_what_batches_may_hold(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    negatives = [{"en": "There."}]
    path.write_bytes(line(negatives=negatives) + line(id="2", question={"tr": "Nerede?"}))
    facts = inspect(path).facts()
    assert facts["examples"] == 2 and facts["negatives"] == 1
    assert facts["pairs"] == {"monolingual": 2, "crosslingual": 4}
    assert facts["repeated"] == {"question": 0, "passage": 2}
    assert facts["languages"]["de"] == {
        "question": {"texts": 1, "mean": 3.0, "longest": 3},
        "passage": {"texts": 2, "mean": 5.0, "longest": 5},
    }
    assert list(facts["languages"]["tr"]) == ["question"] and facts["unit"] == "characters"
    facts = inspect(path, lambda text: len(text.split("e")), "tokens").facts()
    assert facts["unit"] == "tokens" and facts["languages"]["tr"]["question"]["longest"] == 4
    with pytest.raises(ValueError, match="cannot load a tokenizer from"):
        token_counter(str(tmp_path))


def test_folders_of_the_squad_family(tmp_path: Path) -> None:
    folder = write_lareqa(tmp_path / "squad")
    report = inspect(folder)
    assert not report.errors and report.profile.examples == 5 and report.profile.languages == ["de", "en"]
    assert len(squad.read("own", str(folder), str(tmp_path))) == 5


@pytest.mark.parametrize(
    ("file", "change", "message", "refusal"),
    [
        ("de.json", ('"question"', '"frage"'), "'question' is missing", "'question' is missing"),
        ("en us.json", None, "en us.json: language code 'en us' must be made of", "language code 'en us' must be"),
        ("de.json", None, "squad: there are no examples", "corpus own has no examples"),
        ("de.txt", None, "squad: there is no {language}.json in the folder", "there is no {language}.json to read"),
    ],
)
def test_folders_that_training_refuses(
    tmp_path: Path, file: str, change: tuple[str, str] | None, message: str, refusal: str
) -> None:
    folder = write_lareqa(tmp_path / "squad", ("de",))
    whole = (folder / "de.json").rename(folder / file).read_text(encoding="utf-8")
    (folder / file).write_text(whole.replace(*change, 1) if change else '{"data": []}', encoding="utf-8")
    report = inspect(folder)
    assert report.faults == 1 and message in report.errors[0] and not report.profile.languages
    assert report.lines()[-1] == "1 errors: training refuses this file"
    with pytest.raises(ValueError, match=re.escape(refusal)):
        squad.read("own", str(folder), str(tmp_path))


def command(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["hybrid_ir.data", *words])
    try:
        runpy.run_module("hybrid_ir.data", run_name="__main__")
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    good = write_corpus(tmp_path / "good.jsonl")
    assert command(monkeypatch, f"check={good}", "json=true") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["examples"] == 48 and facts["errors"] == [] and facts["path"] == str(good)
    good.write_bytes(good.read_bytes() + b"{}\n")
    assert command(monkeypatch, f"check={good}") == 1
    shown = capsys.readouterr().out
    assert "48 examples in 3 languages" in shown and "good.jsonl:49: the example lacks the key 'id'" in shown
    assert command(monkeypatch) == 1 and "no value for check" in capsys.readouterr().err
    assert command(monkeypatch, "jsn=true") == 1 and "Did you mean 'json'?" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["good.jsonl"], "it leaves nothing behind"
