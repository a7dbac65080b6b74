"""Files of the SQuAD family, one a language: SQuAD 1.1, XQuAD, MLQA, XQuAD-R, MLQA-R.

Questions with the same id in several files are translations of each other, so the files together are a parallel corpus;
a question that only some files have becomes an example in those languages alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from hybrid_ir.data.corpus import ParallelCorpus
from hybrid_ir.data.readers.options import check_choice
from hybrid_ir.data.readers.parallel import PASSAGE_KINDS, Pair, PassageKind, join_by_id
from hybrid_ir.data.storage import fingerprint
from hybrid_ir.data.writer import build_corpus
from hybrid_ir.sources.errors import InputError
from hybrid_ir.sources.sentences import SPLITTER, sentence_with
from hybrid_ir.sources.squad import read_squad


def read(
    name: str,
    path: str | Mapping[str, str],
    cache_dir: str,
    languages: Sequence[str] | None = None,
    passage: PassageKind = "sentence",
) -> ParallelCorpus:
    """Read one file for each language.

    Args:
        name: of the corpus.
        path: a folder with `{language}.json`, or language -> file.
        cache_dir: where the corpus is kept in Arrow form.
        languages: the languages to read; None for all files there are.
        passage: what answers a question. `sentence` is the sentence in which the first answer starts: the one that the
            file marks (XQuAD-R, MLQA-R), or else one found by `hybrid_ir.sources.sentences`. `context` is the whole
            paragraph.

    Raises:
        InputError: a file is missing or malformed; names it, the place and the fault.
        ValueError: `passage` is neither.
    """
    check_choice("passage", passage, PASSAGE_KINDS)
    files = _files(path, languages)
    mark = fingerprint("squad", {"passage": passage, "splitter": SPLITTER}, files)
    pairs = {language: pairs_of(file, language, passage) for language, file in files.items()}
    return build_corpus(name, join_by_id(pairs), cache_dir, mark)


def _files(path: str | Mapping[str, str], languages: Sequence[str] | None) -> dict[str, Path]:
    if isinstance(path, Mapping):
        found = {language: Path(file) for language, file in path.items()}
    elif Path(path).is_dir():
        found = {file.stem: file for file in sorted(Path(path).glob("*.json"))}
    else:
        raise InputError(path, "there is no such folder; it should hold {language}.json for each language")
    wanted = list(found) if languages is None else list(languages)
    if not wanted:
        raise InputError(str(path), "there is no file to read: no {language}.json, or no language is asked for")
    present = [language for language, file in found.items() if file.is_file()]
    for language in wanted:
        if language not in present:
            file = found.get(language, Path(str(path)) / f"{language}.json")
            raise InputError(file, f"there is no such file; languages found: {', '.join(present) or 'none'}")
    return {language: found[language] for language in wanted}


def pairs_of(path: Path, language: str, passage: PassageKind) -> Iterator[Pair]:
    """The questions of one file with what answers them; raises InputError as `read` does."""
    file = read_squad(path)
    for question in file.questions:
        paragraph = file.paragraphs[question.paragraph]
        if passage == "context":
            text = paragraph.context
        elif paragraph.sentences is not None and question.sentence is not None:
            text = paragraph.sentences[question.sentence]
        else:
            text = sentence_with(paragraph.context, question.answers[0].start, language)
        yield Pair(question.id, question.text, text)
