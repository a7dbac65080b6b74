"""Reader of XTREME's translate-train data: SQuAD's training questions, machine-translated into the XQuAD languages.

This is LAReQA's training data and this project's default. Question ids are those of SQuAD in every language, so the
languages together are a parallel corpus of some 87,600 examples. English is SQuAD itself, since the translations have
no English part.

On the hub (from stored listings of the repositories; the hub could not be reached when this was written, so neither the
download nor the number of rows has been verified):

- `juletxara/xquad_xtreme` has a loading script, which `datasets` no longer runs, so its converted branch
  `refs/convert/parquet` is read, pinned to a commit. It has one folder per language with
  `xquad_xtreme-translate_train.parquet` or, in the converter's later layout, `translate_train/0000.parquet`. Both
  layouts are read. en and ro have only a test split.
- `rajpurkar/squad`: `plain_text/train-*.parquet`.

Columns: id, context, question, answers {text, answer_start}.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hybrid_ir.data.corpus import ParallelCorpus
from hybrid_ir.data.readers.invalid_rows import ON_INVALID, InvalidRows, OnInvalid
from hybrid_ir.data.readers.squad import PASSAGE_KINDS, Pair, PassageKind, join_by_id
from hybrid_ir.data.store.storage import fingerprint
from hybrid_ir.data.writer import build_corpus
from hybrid_ir.sources.errors import InputError, check_choice, check_languages, text_fault
from hybrid_ir.sources.formats.parquet_rows import read_parquet
from hybrid_ir.sources.formats.sentences import SPLITTER, sentence_with
from hybrid_ir.sources.formats.squad_file import FilePosition, validate_row
from hybrid_ir.sources.hub.repository import Repository

LANGUAGES = ("ar", "de", "el", "en", "es", "hi", "ru", "th", "tr", "vi", "zh")
TRANSLATIONS, TRANSLATIONS_REVISION = "juletxara/xquad_xtreme", "83ce05c0353afecf05f15b66a069a3fae02bc10c"
ENGLISH, ENGLISH_REVISION = "rajpurkar/squad", "7b6d24c440a36b6815f21b70d25016731768db1f"
COLUMNS = ["id", "context", "question", "answers"]


def read(
    name: str,
    cache_dir: str,
    languages: Sequence[str] = LANGUAGES,
    root: str | None = None,
    passage: PassageKind = "sentence",
    on_invalid: OnInvalid = "drop",
    revision: str = TRANSLATIONS_REVISION,
    english_revision: str = ENGLISH_REVISION,
) -> ParallelCorpus:
    """Read translate-train from `root` or the hub.

    Args:
        name: name of the corpus.
        cache_dir: folder for the built corpus.
        languages: some of the eleven; their order decides that of examples, see `hybrid_ir.data.readers.squad.read`.
        root: a folder that may contain `juletxara/xquad_xtreme/` and `rajpurkar/squad/` in the layout of the hub; what
            it lacks is downloaded.
        passage: see `hybrid_ir.data.readers.squad.read`; these files have no sentence marks.
        on_invalid: what to do with rows that machine translation broke: without a question, a context or an answer at
            its offset. `drop`: leave that language out of the example, count the dropped rows, and describe the first
            ones in the corpus' `notes`, which are logged each time it is opened. `error`: stop at the first.
        revision: revision of the translations; `refs/convert/parquet` is the newest conversion.
        english_revision: revision of SQuAD.

    Raises:
        InputError: a file is missing or not a table with the columns above, a question id occurs twice, or a row is
            invalid and `on_invalid` is `error`.
        UnreachableError: there is no copy in `root`, and the hub cannot be reached. Says how to work offline.
        ValueError: a language, `passage` or `on_invalid` is unknown.
    """
    check_choice("passage", passage, PASSAGE_KINDS)
    check_choice("on_invalid", on_invalid, ON_INVALID)
    check_languages("squad_xtreme", languages, LANGUAGES)
    files = _files(languages, root, revision, english_revision)
    # The order of the languages decides that of the examples, but `fingerprint` sorts the files.
    options = {"passage": passage, "on_invalid": on_invalid, "splitter": SPLITTER, "languages": list(files)}
    roles = {f"{language}/{index}": file for language, parts in files.items() for index, file in enumerate(parts)}
    notes: list[str] = []
    pairs = {language: _pairs(parts, language, passage, on_invalid, notes) for language, parts in files.items()}
    build = fingerprint("squad_xtreme", options, roles)
    return build_corpus(name, join_by_id(pairs), cache_dir, build, notes=notes)


def _files(languages: Sequence[str], root: str | None, revision: str, english_revision: str) -> dict[str, list[Path]]:
    """Language -> the files of its table."""
    folders: dict[str, Path] = {}
    translated = [language for language in languages if language != "en"]
    if translated:
        patterns = [f"{language}/*translate_train*.parquet" for language in translated]
        repository = Repository(TRANSLATIONS, revision).folder(patterns, root)
        folders |= {language: repository / language for language in translated}
    if "en" in languages:
        repository = Repository(ENGLISH, english_revision).folder(["plain_text/train-*.parquet"], root)
        folders["en"] = repository / "plain_text"
    files = {language: _parts(folders[language], language) for language in languages}
    found = ", ".join(language for language in languages if files[language]) or "none"
    for language in languages:
        if not files[language]:
            raise InputError(
                folders[language], f"no training table (.parquet) for {language}; languages found: {found}"
            )
    return files


def _parts(folder: Path, language: str) -> list[Path]:
    patterns = ["train-*.parquet"] if language == "en" else ["translate_train/*.parquet", "*translate_train*.parquet"]
    return next((parts for pattern in patterns if (parts := sorted(folder.glob(pattern)))), [])


def _pairs(
    parts: Sequence[Path], language: str, passage: PassageKind, on_invalid: OnInvalid, notes: list[str]
) -> Iterator[Pair]:
    """The valid rows of one language; adds a note if some are dropped."""
    seen: set[str] = set()
    invalid = InvalidRows(on_invalid)
    size = 0
    for position, row in (found for path in parts for found in read_parquet(path, COLUMNS)):
        size += 1
        try:
            pair = _pair(position, row, language, passage)
        except InputError as error:
            invalid.add(error)
            continue
        if pair.id in seen:
            raise position.fault(f"question id {pair.id!r} occurs twice")
        seen.add(pair.id)
        yield pair
    notes += invalid.notes(language, size)


def _pair(position: FilePosition, row: dict[str, Any], language: str, passage: PassageKind) -> Pair:
    for column in ("id", "context", "question"):
        if fault := text_fault(row[column]):
            raise position.fault(f"{column!r} {fault}")
    context: str = row["context"]
    start = validate_row(position, context, row["question"], row["answers"])[0].start
    text = context if passage == "context" else sentence_with(context, start, language)
    return Pair(row["id"], row["question"], text)
