"""Making an index: the same bytes by any road, faults before the first encoding, and no mixing of what does not fit."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hybrid_ir.search.index import texts as texts_module
from hybrid_ir.search.index.index_folder import Index
from hybrid_ir.sources.errors import InputError
from tests.evaluation.samples import HashEncoder
from tests.processes import run_processes
from tests.search.corpora import LANGUAGES, content, make, rows, write_jsonl, write_parquet


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return write_jsonl(tmp_path / "corpus.jsonl", rows())


def test_an_index_says_what_it_holds(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = HashEncoder()
    index = make(tmp_path / "index", corpus, encoder=encoder)
    facts = index.facts
    assert facts["languages"] == {"de": 16, "en": 16, "sw": 15} and facts["passages"] == 47
    assert (facts["width"], facts["dtype"], facts["block_size"]) == (16, "float32", 10)
    assert facts["encoder"]["description"] == HashEncoder().describe() and len(facts["corpus"]) == 64
    assert facts["longest"] == pytest.approx(1)
    assert [(block.language, block.passages) for block in index.texts.blocks] == [
        ("de", 10), ("en", 10), ("sw", 10), ("de", 6), ("en", 6), ("sw", 5)
    ]  # fmt: skip
    for language in LANGUAGES:
        blocks = index.blocks([language])
        passages = [row for row in rows() if row["language"] == language]
        assert {key.decode() for block in blocks for key in block.ids} == {row["id"] for row in passages}
        mean = torch.cat([block.vectors for block in blocks]).double().mean(dim=0)
        torch.testing.assert_close(index.centroids[language].double(), mean, atol=1e-7, rtol=0)
    asked = {text for kind, texts in encoder.asked for text in texts if kind == "passage"}
    assert asked == {f"{row['title']}\n{row['text']}" if "title" in row else row["text"] for row in rows()}
    found = index.lookup(np.array([b"p5", b"p6"]), index.languages)
    assert (found[b"p5"].title, found[b"p5"].text, found[b"p5"].language) == ("Title 5", "passage 5", "sw")
    assert (found[b"p6"].title, found[b"p6"].text) == ("", "passage 6")
    for one, other in zip(
        make(tmp_path / "half", corpus, dtype="float16").blocks(LANGUAGES), index.blocks(LANGUAGES), strict=True
    ):
        assert torch.equal(one.vectors, other.vectors.half())
    monkeypatch.setattr(texts_module, "_digest", lambda key: len(key))  # ids that share their digest are told apart
    monkeypatch.setattr(texts_module, "BUFFER", 60)  # a full buffer is written early
    small = make(tmp_path / "small", corpus)
    sizes = [block.passages for block in small.texts.blocks]
    assert max(sizes) < 7 and sum(sizes) == 47 and small.facts["languages"] == facts["languages"]


def share_and_fail(rank: int, world_size: int, corpus: Path, bad: Path, expected: dict[str, bytes]) -> None:
    folder, encoder = corpus.parent / "two", HashEncoder()
    index = make(folder, corpus, encoder=encoder)
    assert len(encoder.asked) == 3 and len(index.blocks(LANGUAGES)) == 3
    assert content(folder) == expected
    with pytest.raises(ValueError, match=r"bad.jsonl:2: the text is int, not a string"):
        make(folder.with_name("none"), bad)


def test_processes_share_the_encoding_and_its_faults(corpus: Path, tmp_path: Path) -> None:
    expected = content(make(tmp_path / "one", corpus).folder)
    bad = write_jsonl(tmp_path / "bad.jsonl", [{"id": "1", "text": "a"}, {"id": "2", "text": 3}])
    run_processes(share_and_fail, 2, tmp_path, corpus, bad, expected)


def test_nothing_is_encoded_of_a_corpus_with_a_bad_row(tmp_path: Path) -> None:
    one = write_jsonl(tmp_path / "a.jsonl", rows(40))
    two = write_jsonl(tmp_path / "b.jsonl", [{"id": "x", "text": "a"}, {"id": "p7", "text": "again"}])
    encoder = HashEncoder()
    message = rf"b\.jsonl:2: id 'p7' was used before, in {re.escape(str(one))}:8; ids name a passage over all files"
    with pytest.raises(InputError, match=message):
        make(tmp_path / "index", one, two, encoder=encoder)
    with pytest.raises(ValueError, match=r"no passages in .*empty\.jsonl"):
        make(tmp_path / "other", write_jsonl(tmp_path / "empty.jsonl", []), encoder=encoder)
    assert not encoder.asked


def test_a_title_without_a_text_is_the_text_and_empty_passages_are_left_out(tmp_path: Path) -> None:
    titles = ["Ulm", "", "", "Bonn"]
    passages = [
        {"id": str(number), "title": title, "text": text}
        for number, (title, text) in enumerate(zip(titles, ["", " ", None, "A city."], strict=True), start=1)
    ]
    files = write_jsonl(tmp_path / "a.jsonl", passages), write_parquet(tmp_path / "a.parquet", passages)
    for number, file in enumerate(files):
        index = make(tmp_path / f"index{number}", file)
        rows = index.lookup(np.array([b"1", b"4"]), index.languages)
        assert index.facts["passages"] == 2 and {row.text for row in rows.values()} == {"Ulm", "A city."}
        assert "keep_empty" not in json.loads(
            (index.folder / "plan.json").read_text()
        )  # so that older indexes still fit
        assert make(tmp_path / f"kept{number}", file, keep_empty=True).facts["passages"] == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({}, "the corpus has changed since"),
        ({"encoder": HashEncoder(8)}, "it was made with another encoder"),
        ({"dtype": "float16"}, "dtype=... was another"),
        ({"block_size": 9}, "block_size=... was another"),
        ({"language": "de"}, "language=... was another"),
    ],
)
@pytest.mark.parametrize("half", [False, True])
def test_what_does_not_fit_to_an_index_is_refused(
    change: dict[str, Any], message: str, half: bool, corpus: Path, tmp_path: Path
) -> None:
    index = make(tmp_path / "index", corpus)
    if half:
        (index.folder / "index.json").unlink()
    if not change:
        write_jsonl(corpus, rows(46))
    before, options = content(index.folder), {"encoder": HashEncoder(), **change}
    with pytest.raises(InputError, match=r"index: there is an index here, .*Choose another folder") as caught:
        make(index.folder, corpus, **options)
    assert message in str(caught.value) and content(index.folder) == before and not options["encoder"].asked


def test_a_folder_with_other_files_is_left_alone(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    with pytest.raises(ValueError, match="holds other files and not an index"):
        make(tmp_path / "mine", corpus)
    assert make(tmp_path / "mine" / "new", corpus)


def use(folder: Path) -> None:
    index = Index(folder)
    index.blocks(LANGUAGES)
    index.lookup(np.array([row["id"].encode() for row in rows()]), LANGUAGES)
    assert index.centroids


@pytest.mark.parametrize(
    ("name", "damaged", "gone"),
    [
        ("texts/000001.arrow", "this block of passages is damaged", "this block of passages is missing"),
        ("texts/manifest.json", "missing or damaged", "missing or damaged"),
        ("vectors/*/000002.block", "missing or damaged .*delete it", "missing or damaged .*delete it"),
        ("centroids.safetensors", "missing or damaged; delete it", "missing or damaged; delete it"),
        ("index.json", "damaged .*delete it", "this index is half-built"),
    ],
)
def test_damage_is_named_and_mended_by_the_same_command(
    name: str, damaged: str, gone: str, corpus: Path, tmp_path: Path
) -> None:
    folder = make(tmp_path / "index", corpus).folder
    whole = content(folder)
    (path,) = folder.glob(name)
    for message, missing in ((damaged, False), (gone, True)):
        path.write_bytes(path.read_bytes()[:-9] + b"damaged!!")
        if missing:
            path.unlink()
        with pytest.raises(InputError, match=message):
            use(folder)
        if "delete it" in message:
            path.unlink(missing_ok=True)
        make(folder, corpus)
        assert content(folder) == whole
        use(folder)


def test_no_index_and_one_of_another_version_are_refused(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere: there is no index; make one with python -m hybrid_ir index"):
        Index(tmp_path / "nowhere")
    folder = make(tmp_path / "index", corpus).folder
    facts = json.loads((folder / "index.json").read_text())
    (folder / "index.json").write_text(json.dumps(facts | {"version": 99}))
    with pytest.raises(InputError, match="an index of version 99; this code reads version 1"):
        Index(folder)
