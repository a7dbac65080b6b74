"""The reader of SQuAD files, on made files and on the real XQuAD-R and MLQA-R."""

import json
from pathlib import Path
from typing import Any

import pytest

from hybrid_ir.data.readers import squad

CONTEXTS = {"en": "It rains. The sun is gone.", "de": "Es regnet. Die Sonne ist weg.", "zh": "下雨了。太阳不见了。"}
ANSWERS = {"en": "sun", "de": "Sonne", "zh": "太阳"}


def squad_file(language: str, ids: list[str]) -> str:
    context, answer = CONTEXTS[language], ANSWERS[language]
    answers = [{"answer_start": context.index(answer), "text": answer}]
    qas = [{"id": key, "question": f"{key} {language}?", "answers": answers} for key in ids]
    return json.dumps({"data": [{"title": "t", "paragraphs": [{"context": context, "qas": qas}]}]})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three languages; question 2 is missing in Chinese, question 3 exists only in German."""
    for language, ids in {"en": ["1", "2"], "de": ["1", "2", "3"], "zh": ["1"]}.items():
        (tmp_path / f"{language}.json").write_text(squad_file(language, ids), encoding="utf-8")
    return tmp_path


def test_equal_ids_are_one_example_and_the_answer_sentence_its_passage(folder: Path) -> None:
    corpus = squad.read("s", str(folder), str(folder / "cache"))
    assert corpus.example_ids(range(3)) == ["1", "2", "3"]
    coverage = corpus.coverage(["de", "en", "zh"])
    assert coverage.codes is not None
    assert coverage.patterns[coverage.codes].tolist() == [[7, 7], [3, 3], [1, 1]]
    texts = corpus.fetch([0, 0, 0, 2], ["en", "de", "zh", "de"], ["zh", "en", "de", "de"])
    assert texts.questions == ["1 en?", "1 de?", "1 zh?", "3 de?"]
    assert texts.passages == ["太阳不见了。", "The sun is gone.", "Die Sonne ist weg.", "Die Sonne ist weg."]
    assert len(set(texts.passage_groups.tolist())) == 1, "the German passage is the same"


def test_examples_are_in_the_order_of_the_languages_whatever_was_built_before(folder: Path) -> None:
    """Batches name examples by position: a build in another order would train other batches from the same seed."""
    (folder / "de.json").write_text(squad_file("de", ["3", "1"]), encoding="utf-8")
    for languages, ids in ((["en", "de"], ["1", "2", "3"]), (["de", "en"], ["3", "1", "2"]), (None, ["3", "1", "2"])):
        corpus = squad.read("s", str(folder), str(folder / "cache"), languages)
        assert corpus.example_ids(range(3)) == ids, f"{languages}; None is the order of published results"


def test_the_whole_context_can_be_the_passage_and_a_file_have_any_name(folder: Path) -> None:
    (folder / "de.json").rename(folder / "train-v1.1.json")
    files = {"de": str(folder / "train-v1.1.json")}
    corpus = squad.read("s", files, str(folder / "cache"), passage="context")
    assert corpus.languages == ("de",) and corpus.fetch([2], ["de"], ["de"]).passages == [CONTEXTS["de"]]


def test_sentences_beside_the_answer_are_negatives_the_nearest_first(tmp_path: Path) -> None:
    context = "Rain fell. The SUN hid. A sun shone. It was warm. All left. Night fell."
    question = {"id": "1", "question": "what?", "answers": [{"answer_start": context.index("sun"), "text": "sun"}]}
    breaks = [[0, 10], [11, 23], [24, 36], [37, 49], [50, 59], [60, 71]]
    paragraph: dict[str, object] = {"context": context, "qas": [question]}
    expected = ["It was warm.", "Rain fell.", "All left.", "Night fell."]
    for marks in ({}, {"sentences": [context[start:end] for start, end in breaks], "sentence_breaks": breaks}):
        (tmp_path / "en.json").write_text(json.dumps({"data": [{"paragraphs": [paragraph | marks]}]}))
        corpus = squad.read("s", str(tmp_path), str(tmp_path / "cache"), negatives="paragraph")
        texts = corpus.fetch([0], ["en"], ["en"], negatives=9)
        assert texts.passages == ["A sun shone."]
        assert texts.negatives == [expected]
        plain = squad.read("s", str(tmp_path), str(tmp_path / "cache"))
        assert plain.fetch([0], ["en"], ["en"], negatives=9).negatives == [[]]
    marked = paragraph | {"sentences": [f"mark {n}" for n in range(6)], "sentence_breaks": breaks}
    (tmp_path / "en.json").write_text(json.dumps({"data": [{"paragraphs": [marked]}]}))
    assert squad.read("s", str(tmp_path), str(tmp_path / "cache")).fetch([0], ["en"], ["en"]).passages == ["mark 2"]


def test_negatives_are_in_the_language_of_the_passage(folder: Path) -> None:
    corpus = squad.read("s", str(folder), str(folder / "cache"), negatives="paragraph")
    texts = corpus.fetch([0, 0, 2], ["en", "de", "de"], ["de", "zh", "de"], negatives=2)
    assert texts.negatives == [["Es regnet."], ["下雨了。"], ["Es regnet."]]


@pytest.mark.parametrize(
    ("path", "options", "message"),
    [
        ("", {"passage": "paragraph"}, "`passage` must be 'sentence' or 'context', got 'paragraph'"),
        ("", {"negatives": "all"}, "`negatives` must be 'paragraph', got 'all'"),
        ("", {"negatives": "paragraph", "passage": "context"}, "`negatives=paragraph` .* `passage=sentence`, got 'con"),
        ("", {"languages": ["en", "th"]}, r"/th.json: there is no such file; languages found: de, en, zh"),
        ({"de": "de.json", "en": "gone.json"}, {}, r"gone.json: there is no such file; languages found: de"),
        ("nowhere", {}, r"nowhere: there is no such folder; it must have a {language}.json"),
        ("none", {}, r"none: there is no {language}.json to read"),
    ],
)
def test_unknown_choices_and_missing_files_are_named(
    folder: Path, path: str | dict[str, str], options: dict[str, Any], message: str
) -> None:
    (folder / "none").mkdir()
    files = {key: str(folder / name) for key, name in path.items()} if isinstance(path, dict) else str(folder / path)
    with pytest.raises(ValueError, match=message):
        squad.read("s", files, str(folder / "cache"), **options)
