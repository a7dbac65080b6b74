"""The reader of translate-train, on tiny tables laid out as on the hub."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hybrid_ir.data.readers import squad_xtreme

CONTEXTS = {"en": "It rains. The sun is gone.", "de": "Es regnet. Die Sonne ist weg.", "th": "ฝนตก ดวงอาทิตย์หายไป"}
ANSWERS = {"en": "sun", "de": "Sonne", "th": "ดวงอาทิตย์"}
ANSWER = pa.struct([("text", pa.list_(pa.string())), ("answer_start", pa.list_(pa.int32()))])
TEXTS = [(name, pa.string()) for name in ("id", "title", "context", "question")]
SCHEMA = pa.schema([*TEXTS, ("answers", ANSWER)])


def row(language: str, key: str, start: int | None = None, **changes: Any) -> dict[str, Any]:
    context, answer = CONTEXTS[language], ANSWERS[language]
    offset = context.index(answer) if start is None else start
    answers = {"text": [answer], "answer_start": [offset]}
    plain = {"id": key, "title": "t", "context": context, "question": f"{key} {language}?", "answers": answers}
    return plain | changes


def write_table(path: Path, rows: Sequence[dict[str, Any]], columns: Sequence[str] = SCHEMA.names) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(rows), schema=SCHEMA).select(list(columns)), path)


def translation(root: Path, language: str) -> Path:
    return root / "juletxara" / "xquad_xtreme" / language / "xquad_xtreme-translate_train.parquet"


def write_tables(root: Path) -> Path:
    """English and German with the same two questions, Thai with one of them; English in two parts."""
    english = root / "rajpurkar" / "squad" / "plain_text"
    write_table(english / "train-00000-of-00002.parquet", [row("en", "1")])
    write_table(english / "train-00001-of-00002.parquet", [row("en", "2")])
    write_table(english / "validation-00000-of-00001.parquet", [row("en", "9")])
    write_table(translation(root, "de"), [row("de", "2"), row("de", "1")])
    write_table(translation(root, "de").with_name("xquad_xtreme-test.parquet"), [row("de", "9")])
    write_table(translation(root, "th"), [row("th", "1")])
    return root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_tables(tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"languages": ["de", "sw", "fr"]}, "squad_xtreme has no fr, sw; it has ar, de, el, en, es, hi, ru, th, tr"),
        ({"languages": []}, "squad_xtreme needs at least one language, got none; it has ar"),
        ({"on_invalid": "skip"}, "`on_invalid` must be 'error' or 'drop', got 'skip'"),
        ({"passage": "page"}, "`passage` must be 'sentence' or 'context', got 'page'"),
        ({"root": "nowhere"}, r"juletxara/xquad_xtreme \(revision [0-9a-f]{40}\).*no folder nowhere/.*HF_HOME=DIR"),
    ],
)
def test_unknown_choices_are_refused_with_those_there_are(root: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read(root, **options)


def test_the_later_layout_of_the_converted_branch_is_read_too(root: Path) -> None:
    old = translation(root, "de")
    old.with_name("translate_train").mkdir()
    old.rename(old.parent / "translate_train" / "0000.parquet")
    write_table(old.parent / "translate_dev" / "0000.parquet", [row("de", "9")])
    whole = read(root, ["de"], passage="context")
    assert len(whole) == 2 and whole.fetch([0], ["de"], ["de"]).passages == [CONTEXTS["de"]]


def read(root: Path, /, languages: Sequence[str] = ("de", "en", "th"), **options: Any) -> squad_xtreme.ParallelCorpus:
    return squad_xtreme.read("x", str(root / "cache"), languages, **{"root": str(root), **options})


def test_training_tables_are_joined_by_id(root: Path) -> None:
    corpus = read(root)
    assert sorted(corpus.example_ids([0, 1])) == ["1", "2"]
    one = corpus.example_ids([0, 1]).index("1")
    texts = corpus.fetch([one, one, 1 - one], ["en", "th", "de"], ["th", "de", "en"])
    assert texts.questions == ["1 en?", "1 th?", "2 de?"]
    assert texts.passages == [CONTEXTS["th"], "Die Sonne ist weg.", "The sun is gone."]
    assert corpus.notes == ()


def test_rows_that_translation_broke_are_dropped_and_reported_or_stop_the_build(root: Path) -> None:
    none = {"text": [], "answer_start": []}
    broken = [row("de", "2", start=3), row("de", "3", start=500)]
    changes: list[dict[str, Any]] = [{"question": " "}, {"context": None}, {"answers": none}]
    broken += [row("de", str(number), **change) for number, change in enumerate(changes, 4)]
    write_table(translation(root, "de"), [row("de", "1"), *broken])
    corpus = read(root, ["en", "de"])
    assert sorted(corpus.example_ids(range(len(corpus)))) == ["1", "2"]
    german = corpus.coverage(["de"])
    assert german.codes is not None
    present = dict(zip(corpus.example_ids([0, 1]), german.patterns[german.codes].tolist(), strict=True))
    assert present == {"1": [1, 1], "2": [0, 0]}
    (note,) = corpus.notes
    assert note.startswith("de: 5 of 6 rows dropped as invalid, such as: ")
    assert "translate_train.parquet at row 1" in note and "row 3" in note and "row 4" not in note
    assert read(root, ["en", "de"]).notes == (note,), "they are kept with the build"
    write_table(translation(root, "de"), broken)
    with pytest.raises(ValueError, match=r"corpus x has no examples. de: 5 of 5 rows dropped as invalid, such as"):
        read(root, ["de"])
