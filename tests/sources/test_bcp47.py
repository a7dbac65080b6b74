"""Language codes have one spelling everywhere: in data, benchmarks, indexes and the configuration."""

import json
from pathlib import Path

import pytest

from hybrid_ir.config.language_codes import normalise_languages
from hybrid_ir.data.check.inspection import inspect
from hybrid_ir.data.readers import parallel_jsonl, squad
from hybrid_ir.evaluation.benchmarks.folder import load_folder
from hybrid_ir.search.index.texts import Texts
from hybrid_ir.sources.bcp47 import canonical
from hybrid_ir.sources.errors import InputError, choose_languages
from tests.compose import compose_config

NOTE = "'PT_br' and 'pt-BR' are one language and are read as pt-BR"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("EN", "en"), ("pt_br", "pt-BR"), ("ZH_hans_cn", "zh-Hans-CN"), ("es-419", "es-419"), ("sr-LATN", "sr-Latn"),
        ("de-x-GB", "de-x-gb"), ("SL-rozaj", "sl-rozaj"), ("und", "und"), ("en_US_u_CA_Gregory", "en-US-u-ca-gregory"),
    ],
)  # fmt: skip
def test_bcp_47_spelling(given: str, expected: str) -> None:
    assert canonical(given) == expected == canonical(expected)


def write(path: Path, *records: object) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def test_data_merges_spellings_and_says_so(tmp_path: Path) -> None:
    rows = [
        {"id": "1", "question": {"PT_br": "Onde?"}, "passage": {"pt-BR": "Ali."}},
        {"id": "2", "question": {"pt-BR": "Quem?"}, "passage": {"pt-BR": "Ela."}, "negatives": [{"PT_br": "Ele."}]},
    ]
    file = write(tmp_path / "pairs.jsonl", *rows)
    corpus = parallel_jsonl.read("c", str(file), str(tmp_path / "cache"))
    assert corpus.languages == ("pt-BR",) and corpus.notes == (NOTE,)
    report = inspect(file)
    assert report.profile.languages == ["pt-BR"] and report.profile.pairs["crosslingual"] == 0
    assert f"note: {NOTE}" in report.lines() and report.facts()["notes"] == [NOTE]
    twice = write(tmp_path / "twice.jsonl", {"id": "1", "question": {"EN": "a", "en": "b"}, "passage": {"en": "c"}})
    with pytest.raises(InputError, match=r"twice.jsonl:1: in 'question', 'EN' and 'en' are the same language, en"):
        parallel_jsonl.read("c", str(twice), str(tmp_path / "cache"))


def test_benchmarks_and_indexes_merge_spellings(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path / "queries.jsonl", {"id": "q", "language": "PT_br", "text": "Onde?"})
    passages = [{"id": str(n), "language": code, "text": "Ali."} for n, code in enumerate(["pt-BR", "PT_br"])]
    corpus = write(tmp_path / "passages.jsonl", *passages)
    (tmp_path / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq\t1\t1\n")
    for languages in (None, ["pt_BR"]):
        benchmark = load_folder("b", tmp_path, languages, settings=["monolingual"])
        assert benchmark.languages == ("pt-BR",) and NOTE in benchmark.notes
    texts = Texts(tmp_path / "texts")
    texts.write([corpus], "EN", 8)
    assert texts.counts == {"pt-BR": 2} and "'PT_br' and 'pt-BR' are one language" in caplog.text


def test_files_named_after_languages(tmp_path: Path) -> None:
    answer = {"text": "Ali", "answer_start": 0}
    paragraph = {"context": "Ali.", "qas": [{"id": "1", "question": "Onde?", "answers": [answer]}]}
    text = json.dumps({"data": [{"title": "t", "paragraphs": [paragraph]}]})
    (tmp_path / "pt_br.json").write_text(text)
    (tmp_path / "._pt_br.json").write_bytes(b"\0\5\x16\7")  # macOS writes these next to files on other disks
    for languages in (None, ["pt-BR"], ["PT_BR"]):
        assert squad.read("s", str(tmp_path), str(tmp_path / "cache"), languages).languages == ("pt-BR",)
    assert inspect(tmp_path).profile.languages == ["pt-BR"] and not inspect(tmp_path).faults
    (tmp_path / "pt-BR.json").write_text(text)
    with pytest.raises(InputError, match="'pt-BR' and 'pt_br' are the same language"):
        squad.read("s", str(tmp_path), str(tmp_path / "cache"))
    assert inspect(tmp_path).faults == 1


def test_the_configuration_is_in_one_spelling(tmp_path: Path) -> None:
    words = [
        "sampler.languages=[EN,zh_hans,en]",
        "+sampler.weights.question={DE:2.0}",
        "loss=lakda",
        "loss.reference=EN",
    ]
    cfg = compose_config("train", [*words, "eval=folder", "eval.benchmarks.folder.language=pt_br"], tmp_path)
    normalise_languages(cfg)
    assert cfg.sampler.languages == ["en", "zh-Hans"] and cfg.loss.reference == "en"
    assert cfg.sampler.weights.question == {"de": 2.0} and cfg.eval.benchmarks.folder.language == "pt-BR"
    cfg.sampler.weights.question = {"EN": 1.0, "en": 2.0}
    with pytest.raises(ValueError, match="'EN' and 'en' are the same language"):
        normalise_languages(cfg)


def test_a_source_keeps_its_own_spelling_of_a_requested_language() -> None:
    assert choose_languages("s", ["ZH-hans", "en"], ["en", "zh_Hans"]) == ["zh_Hans", "en"]
