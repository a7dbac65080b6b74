"""XQuAD-R and MLQA-R: candidates, relevant passages, names, downloads, and the published counts."""

import copy
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

from hybrid_ir.data.readers import squad
from hybrid_ir.evaluation.benchmarks.lareqa import LAREQA_PINS, PinnedFiles, load_lareqa
from hybrid_ir.evaluation.ranking.ranks import Ranking
from hybrid_ir.evaluation.results.result import split_by_setting
from hybrid_ir.sources.errors import InputError
from hybrid_ir.sources.hub import fetch as downloads
from hybrid_ir.sources.hub.fetch import UnreachableError, sha256_of
from tests.evaluation.samples import qrels_of
from tests.worlds import write_lareqa


def lareqa_file(language: str, questions: dict[str, str]) -> dict[str, Any]:
    """Two one-paragraph articles with the sentences `{language} x.`, `{language} y.`; question id -> answer word."""
    context = f"{language} x. {language} y."
    cut = len(language) + 3
    paragraphs = [
        {
            "context": context,
            "sentences": [context[:cut], context[cut + 1 :]],
            "sentence_breaks": [[0, cut], [cut + 1, len(context)]],
            "qas": [
                {"id": key, "question": f"{key} in {language}?",
                 "answers": [{"answer_start": context.index(answer), "text": answer}]}
                for key, answer in part.items()
            ],
        }
        for part in (questions, {})
    ]  # fmt: skip
    return {"data": [{"title": "t", "paragraphs": [paragraph]} for paragraph in paragraphs]}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    for language, questions in {
        "de": {"1": "x", "2": "y"},
        "en": {"1": "x", "3": "y"},
        "tr": {"2": "y", "3": "y"},
    }.items():
        (folder / f"{language}.json").write_text(json.dumps(lareqa_file(language, questions)))
    return tmp_path


def test_sentences_are_candidates_and_every_language_that_has_the_question_answers_it(root: Path) -> None:
    benchmark = load_lareqa("mine", root)
    assert benchmark.name == "mine" and benchmark.languages == ("de", "en", "tr")
    assert dict(zip(benchmark.passages.ids, benchmark.passages.texts, strict=True)) == {
        f"{lang}:{article}/0/{number}": f"{lang} {'xy'[number]}."
        for lang in ("tr", "en", "de") for article in (1, 0) for number in (1, 0)
    }  # fmt: skip
    assert qrels_of(benchmark) == {
        "de:1": ["de:0/0/0", "en:0/0/0"], "de:2": ["de:0/0/1", "tr:0/0/1"],
        "en:1": ["de:0/0/0", "en:0/0/0"], "en:3": ["en:0/0/1", "tr:0/0/1"],
        "tr:2": ["de:0/0/1", "tr:0/0/1"], "tr:3": ["en:0/0/1", "tr:0/0/1"],
    }  # fmt: skip
    fewer = load_lareqa("mine", root, languages=["tr", "de"])
    assert fewer.languages == ("tr", "de") and qrels_of(fewer)["tr:3"] == ["tr:0/0/1"]
    alone = load_lareqa("mine", root, languages=["tr"], settings=["monolingual"])
    assert alone.languages == ("tr",) and alone.settings == ("monolingual",)
    whole = load_lareqa("mine", root, candidates="paragraph")
    assert whole.passages.ids == ("tr:1/0", "tr:0/0", "en:1/0", "en:0/0", "de:1/0", "de:0/0")
    assert whole.passages.texts[-1] == "de x. de y." and qrels_of(whole)["tr:2"] == ["de:0/0", "tr:0/0"]


def test_articles_held_out_are_those_that_the_reader_leaves_for_training(tmp_path: Path) -> None:
    folder = write_lareqa(tmp_path / "mine", paragraphs=1)
    for language in ("de", "en"):
        file = json.loads((folder / f"{language}.json").read_text())
        parts = [copy.deepcopy(file["data"][0]) for _ in range(40)]
        for number, article in enumerate(parts):
            article["paragraphs"][0]["qas"][0]["id"] = f"q{number}"
        (folder / f"{language}.json").write_text(json.dumps({"data": parts}))
    options: dict[str, Any] = {"folder": "mine", "languages": ["en"], "part": "held_out"}
    judged = load_lareqa("mine_dev", tmp_path, settings=["multilingual"], **options)
    assert judged.languages == ("en",)
    corpus = squad.read("mine", str(folder), str(tmp_path / "cache"), languages=["de"], part="train")
    asked, trained = {query.split(":")[1] for query in judged.queries.ids}, {*corpus.example_ids(range(len(corpus)))}
    assert asked and trained and not asked & trained
    assert asked | trained == {f"q{number}" for number in range(40)}
    assert len(squad.read("mine", str(folder), str(tmp_path / "cache"))) == 40


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("mine", {"languages": ["de", "fr"]}, "benchmark mine has no fr; it has de, en, tr"),
        ("mine", {"languages": []}, "benchmark mine needs at least one language, got none; it has de, en, tr"),
        ("mine", {"candidates": "word"}, "candidates must be 'sentence' or 'paragraph', not 'word'"),
        ("mine", {"folder": "absent"}, "no {language}.json in"),
        ("mine", {"languages": ["de"]}, "benchmark mine has no crosslingual setting"),
        # Another task must not pass for the official one.
        ("xquad_r", {"languages": ["tr", "de"]}, "such as name=xquad_r_de_tr"),
        ("xquad_r", {"candidates": "paragraph"}, "such as name=xquad_r_paragraph"),
        ("xquad_r", {"part": "held_out"}, "such as name=xquad_r_held_out"),
        ("xquad_r", {"folder": "mine"}, "such as name=mine"),
    ],
)
def test_wrong_choices(root: Path, name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        load_lareqa(name, root, **options)


def test_sentences_are_needed_for_sentence_candidates(root: Path) -> None:
    content = lareqa_file("en", {"1": "x"})
    del content["data"][1]["paragraphs"][0]["sentences"], content["data"][1]["paragraphs"][0]["sentence_breaks"]
    (root / "mine" / "en.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"en\.json at data\[1\]\.paragraphs\[0\]: there are no sentences"):
        load_lareqa("mine", root)
    assert len(load_lareqa("mine", root, candidates="paragraph").passages) == 6


def test_official_files_are_downloaded_once_and_checked(
    root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source, data = root / "mine", tmp_path / "data"
    pins = PinnedFiles(source.as_uri(), {language: sha256_of(source / f"{language}.json") for language in ("de", "tr")})
    nowhere = PinnedFiles((tmp_path / "nowhere").as_uri(), {"de": "0" * 64, "en": "0" * 64})
    with mock.patch.dict(LAREQA_PINS, {"official": pins, "absent": nowhere, "mine": nowhere}):
        first = load_lareqa("official", data)
        with mock.patch.object(downloads, "fetch", side_effect=AssertionError("downloaded again")):
            second = load_lareqa("official", data)
        assert first.languages == ("de", "tr") and first.fingerprint == second.fingerprint
        with pytest.raises(UnreachableError, match=r"absent/de\.json.*paths\.data=DIR"):
            load_lareqa("absent", tmp_path)
        assert "official file" not in caplog.text
        load_lareqa("mine", root)
    assert "de.json is not the official file" in caplog.text


QUESTIONS = {"ar": 517, "de": 512, "en": 1148, "es": 500, "hi": 507, "vi": 511, "zh": 504}
XQUAD_SENTENCES = {"ar": 1222, "de": 1276, "el": 1234, "en": 1180, "es": 1215, "hi": 1244, "ru": 1219, "th": 852,
                   "tr": 1167, "vi": 1209, "zh": 1196}  # fmt: skip
MLQA_SENTENCES = {"ar": 2545, "de": 2362, "en": 6264, "es": 1787, "hi": 2426, "vi": 2828, "zh": 2322}


@pytest.mark.parametrize(
    ("name", "questions", "sentences", "relevant_counts", "settings"),
    [
        ("xquad_r", dict.fromkeys(XQUAD_SENTENCES, 1190), XQUAD_SENTENCES, {11: 13_090}, (11, 110, 11)),
        # 820 questions in 4 languages, 263 in 3 and 65 in 2, each asked in as many.
        ("mlqa_r", QUESTIONS, MLQA_SENTENCES, {4: 4 * 820, 3: 3 * 263, 2: 2 * 65}, (7, 42, 7)),
    ],
)
def test_official_files_have_the_published_counts(
    shared_data: Path,
    caplog: pytest.LogCaptureFixture,
    name: str,
    questions: dict[str, int],
    sentences: dict[str, int],
    relevant_counts: dict[int, int],
    settings: tuple[int, int, int],
) -> None:
    benchmark = load_lareqa(name, shared_data)
    assert benchmark.name == name and benchmark.languages == tuple(questions)
    for side, expected in ((benchmark.queries, questions), (benchmark.passages, sentences)):
        assert np.bincount(side.languages).tolist() == list(expected.values())
    assert Counter(np.diff(benchmark.offsets).tolist()) == relevant_counts
    per_language = np.stack([np.repeat(np.arange(len(benchmark.queries)), np.diff(benchmark.offsets)),
                             benchmark.passages.languages[benchmark.relevant]])  # fmt: skip
    assert len(np.unique(per_language, axis=1).T) == len(benchmark.relevant), "one relevant sentence a language"
    ones = np.arange(1, len(benchmark.relevant) + 1)
    kinds = Counter(setting.kind for setting, _, _ in split_by_setting(benchmark, Ranking(ones, ones)))
    assert tuple(kinds.values()) == settings
    assert not caplog.records, "a file differs from its pin"
