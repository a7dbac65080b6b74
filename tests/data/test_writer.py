"""Building a corpus: what is stored once, what is reused, and what is refused."""

import logging
import multiprocessing
import os
from collections.abc import Iterator
from multiprocessing.synchronize import Event as EventClass
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from filelock import FileLock

from hybrid_ir.data.store import storage
from hybrid_ir.data.store.storage import fingerprint
from hybrid_ir.data.writer import build_corpus
from hybrid_ir.sources.file_lock import LOCKS
from hybrid_ir.sources.records import Example, ParallelText
from tests.data.examples import corpus_of, example

GOOD = example("good", {"en": "q"}, {"en": "p"})
FORK = multiprocessing.get_context("fork")


def never() -> Iterator[Example]:
    raise AssertionError("the examples were read")
    yield


def folders(cache: Path) -> list[str]:
    return sorted(file.name for file in cache.iterdir() if file.name != LOCKS)


def test_a_build_is_reused_with_its_notes_where_name_and_fingerprint_agree(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    notes: list[str] = []

    def reader() -> Iterator[Example]:
        yield GOOD
        notes.append("3 rows dropped")

    build_corpus("c", reader(), tmp_path, "build1", notes=notes)
    with caplog.at_level(logging.WARNING):
        caplog.clear()
        again = build_corpus("c", never(), tmp_path, "build1")
    assert again.notes == ("3 rows dropped",) and caplog.messages == ["corpus c: 3 rows dropped"]
    assert again.fetch([0], ["en"], ["en"]).questions == ["q"]
    other = build_corpus("c", [example("new", {"en": "q"}, {"de": "p"})], tmp_path, "build2")
    assert other.example_ids([0]) == ["new"] and folders(tmp_path) == ["c-build1", "c-build2"]
    plain = tmp_path / "plain"
    plain.mkdir()
    assert (tmp_path / "c-build1").stat().st_mode == plain.stat().st_mode


def test_without_locks_of_two_that_build_at_once_both_get_the_one_that_came_first(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def slow() -> Iterator[Example]:
        yield GOOD
        build_corpus("c", [GOOD], tmp_path, "build")  # the other process, overtaking

    with patch.object(FileLock, "acquire", side_effect=NotImplementedError):
        assert build_corpus("c", slow(), tmp_path, "build").example_ids([0]) == ["good"]
    assert folders(tmp_path) == ["c-build"]
    assert "does not support file locks: every process works on c-build for itself" in caplog.text


def _slow_build(cache: Path, written: Path, begun: EventClass, go_on: EventClass) -> None:
    """A build that adds a line to `written`, says that it has begun, and ends when it may."""

    def slow() -> Iterator[Example]:
        with written.open("a") as file:
            file.write("built\n")
        begun.set()
        go_on.wait()
        yield GOOD

    build_corpus("c", slow(), cache, "build")


def test_processes_that_ask_at_the_same_moment_build_once(tmp_path: Path) -> None:
    cache, written, begun, go_on = tmp_path / "cache", tmp_path / "written", FORK.Event(), FORK.Event()
    processes = [FORK.Process(target=_slow_build, args=(cache, written, begun, go_on)) for _ in range(4)]
    for process in processes:
        process.start()
    assert begun.wait(60)
    go_on.set()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    assert written.read_text() == "built\n"
    assert folders(cache) == ["c-build"]


def test_a_build_that_was_killed_is_taken_over(tmp_path: Path) -> None:
    cache, begun = tmp_path / "cache", FORK.Event()
    process = FORK.Process(target=_slow_build, args=(cache, tmp_path / "written", begun, FORK.Event()))
    process.start()
    assert begun.wait(60)
    assert folders(cache)[0].startswith(".c-build-")  # half a build
    process.kill()
    process.join()
    assert build_corpus("c", [GOOD], cache, "build").example_ids([0]) == ["good"]
    assert folders(cache) == ["c-build"]


def test_contents_with_one_id_are_stored_once() -> None:
    shared = ParallelText("paragraph 1", {"en": "The text.", "de": "Der Text."})
    same = ParallelText("paragraph 1", {"de": " Der Text.", "en": "The text.\n"})
    records = [
        Example("1", ParallelText("q1", {"en": "a"}), shared),
        Example("2", ParallelText("q2", {"en": "b"}), same, negatives=[ParallelText("paragraph 2", {"en": "Other."})]),
    ]
    with corpus_of(records) as corpus:
        assert corpus._tables.passages.strings(["id"] * 2, np.arange(2)) == ["paragraph 1", "paragraph 2"]
        assert corpus.fetch([0, 1], ["en", "en"], ["de", "en"]).passages == ["Der Text.", "The text."]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (example("x", {"en": " \n"}, {"en": "p"}), "corpus c, example 'x': the question in en is empty"),
        (example("x", {"en": "q"}, {"de": "a\0b"}), "the passage in de has a NUL character at position 1"),
        (example("x", {"en": "q"}, {"en": "p"}, {"en": "ab\ud800"}), "the negative in en has a lone surrogate .* 2"),
        (example("x", {}, {"en": "p"}), "example 'x': the question has no text in any language"),
        (example("x", {"en": "q"}, {}), "example 'x': the passage has no text in any language"),
        (example("x", {"e n": "q"}, {"en": "p"}), "question has an invalid language: language code 'e n' must"),
        (example("x", {"en": None}, {"en": "p"}), "the question in en is NoneType, not a string"),  # type: ignore[dict-item]
        (example(" ", {"en": "q"}, {"en": "p"}), "corpus c: the id of example number 2 is empty"),
        (example("good", {"en": "q"}, {"en": "p"}), "corpus c: example id 'good' occurs twice"),
        (Example("x", GOOD.question, ParallelText(GOOD.passage.id, {"en": "p!"})), "another text in en"),
        (Example("x", GOOD.question, ParallelText(GOOD.passage.id, {"en": "p", "de": "p"})), "another text in de"),
        (
            example("x", {f"l{number}": "q" for number in range(65)}, {"en": "p"}),
            "corpus c has 66 languages; at most 64",
        ),
        (None, "corpus c has no examples"),
    ],
)
def test_an_unusable_example_is_named_and_nothing_is_left(tmp_path: Path, record: Example | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_corpus("c", [GOOD, record] if record else [], tmp_path, "build")
    assert folders(tmp_path) == []


def test_a_name_must_be_fit_for_a_folder_and_the_place_free(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a corpus name must be made of letters, .*got '\.\./c'"):
        build_corpus("../c", [GOOD], tmp_path, "build")
    (tmp_path / "c-build").mkdir()
    (tmp_path / "c-build" / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="c-build exists and is not a parallel corpus; remove it"):
        build_corpus("c", [GOOD], tmp_path, "build")
    assert folders(tmp_path) == ["c-build"]


@pytest.mark.parametrize(("grouped", "groups"), [(True, [0, 0, 0]), (False, [0, 1, 2])])
def test_grouping_by_text_can_be_switched_off(tmp_path: Path, grouped: bool, groups: list[int]) -> None:
    same = [[ParallelText(f"{side}{number}", {"en": "same"}) for side in "qp"] for number in range(3)]
    records = [Example(str(number), *texts) for number, texts in enumerate(same)]
    corpus = build_corpus("c", records, tmp_path, "build", group_by_text=grouped)
    texts = corpus.fetch(range(3), ["en"] * 3, ["en"] * 3)
    assert texts.question_groups.tolist() == texts.passage_groups.tolist() == groups


def test_a_fingerprint_follows_content_options_and_reader_but_not_the_place(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("one")
    times = file.stat()
    options = {"passage": "sentence"}
    builds = [
        fingerprint("reader", options, {"en": file}),
        fingerprint("reader", {"passage": "context"}, {"en": file}),
        fingerprint("other", options, {"en": file}),
        fingerprint("reader", options, {"de": file}),
    ]
    moved = file.rename(tmp_path / "b.txt")
    assert builds[0] == fingerprint("reader", options, {"en": moved})
    moved.write_text("two")
    os.utime(moved, ns=(times.st_atime_ns, times.st_mtime_ns))
    builds.append(fingerprint("reader", options, {"en": moved}))
    with patch.object(storage, "SCHEMA_VERSION", 4):
        builds.append(fingerprint("reader", options, {"en": moved}))
    with patch.object(storage, "_HASHED_WHOLE", 2):  # a large file is known by size and time
        builds.append(fingerprint("reader", options, {"en": moved}))
        os.utime(moved, ns=(0, moved.stat().st_mtime_ns + 1))
        builds.append(fingerprint("reader", options, {"en": moved}))
    assert len(set(builds)) == len(builds)
