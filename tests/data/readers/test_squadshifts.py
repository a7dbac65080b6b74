"""The reader of SQuADShifts: the published files, a local copy, and what is not there."""

import json
from pathlib import Path

import numpy as np
import pytest

from hybrid_ir.data.readers import squadshifts
from hybrid_ir.sources.hub.fetch import UnreachableError, sha256_of
from tests.worlds import statement, write_squadshifts


def test_published_files_are_the_pinned_ones_and_questions_of_a_paragraph_share_it(
    shared_data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    if not (folder := shared_data / "squadshifts").is_dir():
        pytest.skip("no SQuADShifts in the development data")
    for name, checksum in squadshifts.SHA256.items():
        assert checksum is None or sha256_of(folder / f"{name}_v1.0.json") == checksum
    corpus = squadshifts.read("s", str(tmp_path), str(shared_data), ["new_wiki"])
    assert (len(corpus), corpus.languages, caplog.text) == (7938, ("en",), "")
    articles = json.loads((folder / "new_wiki_v1.0.json").read_text())["data"]
    contexts = [part["context"] for article in articles for part in article["paragraphs"] for _ in part["qas"]]
    found = corpus.fetch(range(7938), ["en"] * 7938, ["en"] * 7938)
    assert found.passages == contexts
    assert len(np.unique(found.passage_groups)) == len(set(contexts)) < 1600


def test_sets_are_joined_in_order_and_files_of_ones_own_are_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = write_squadshifts(tmp_path, {"reddit": 100, "nyt": 200})
    corpus = squadshifts.read("s", str(tmp_path / "cache"), str(root), ["nyt", "reddit"], "sentence")
    assert corpus.example_ids(range(40)) == [f"q{first + n}" for first in (200, 100) for n in range(20)]
    assert corpus.fetch([0], ["en"], ["en"]).passages == [statement("en", 200)] and not corpus.has_negatives
    assert "reddit_v1.0.json is not the official file" in caplog.text and "nyt" not in caplog.text


def test_what_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(squadshifts, "URL", (tmp_path / "nowhere").as_uri())
    with pytest.raises(UnreachableError, match=r"nyt_v1\.0\.json.*paths\.data=DIR"):
        squadshifts.read("s", str(tmp_path), str(tmp_path), ["nyt"])
    with pytest.raises(ValueError, match=r"`sets` must be 'new_wiki' or 'nyt' .*, got 'wiki'"):
        squadshifts.read("s", str(tmp_path), str(tmp_path), ["wiki"])
