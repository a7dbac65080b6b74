"""Reader of the SQuAD family, one file per language: SQuAD 1.1, XQuAD, MLQA, XQuAD-R, MLQA-R.

Questions with the same id in several files are translations of each other, so the files together are a parallel corpus.
A question that only some files have becomes an example in only those languages.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from hybrid_ir.data.corpus import ParallelCorpus
from hybrid_ir.data.store.storage import fingerprint
from hybrid_ir.data.writer import build_corpus
from hybrid_ir.sources.bcp47 import by_canonical, canonical
from hybrid_ir.sources.errors import InputError, check_choice, language_fault
from hybrid_ir.sources.file_search import language_files
from hybrid_ir.sources.formats.parts import Part, take_part
from hybrid_ir.sources.formats.sentences import SPLITTER, sentence_with, sentences
from hybrid_ir.sources.formats.squad_file import Paragraph, Question, SquadFile, read_squad
from hybrid_ir.sources.records import Example, ParallelText

PassageKind = Literal["sentence", "context"]
PASSAGE_KINDS: tuple[PassageKind, ...] = ("sentence", "context")
NegativeKind = Literal["paragraph"]
NEGATIVE_KINDS: tuple[NegativeKind, ...] = ("paragraph",)


class Pair(NamedTuple):
    """A question and its positive passage in one language; translations of the question have the same id.

    Attributes:
        negatives: passages in the same language that do not answer the question, most confusing first.
    """

    id: str
    question: str
    passage: str
    negatives: tuple[str, ...] = ()


def read(
    name: str,
    path: str | Mapping[str, str],
    cache_dir: str,
    languages: Sequence[str] | None = None,
    passage: PassageKind = "sentence",
    part: Part = "all",
    held_out: float = 0.2,
    negatives: NegativeKind | None = None,
) -> ParallelCorpus:
    """Read one file per language.

    Args:
        name: name of the corpus.
        path: a folder with `{language}.json`, or language -> file.
        cache_dir: folder for the built corpus.
        languages: the languages to read; None for all files of the folder, by name. Examples have the order of the
            first language, then those that it lacks have the order of the second, and so on.
        passage: what answers a question. `sentence` is the sentence in which the first answer starts: the one marked in
            the file (XQuAD-R, MLQA-R), or one found by `hybrid_ir.sources.formats.sentences`. `context` is the whole
            paragraph.
        part: `all` articles, or only those of the `train` or `held_out` part, see `hybrid_ir.sources.formats.parts`.
        held_out: the share of articles that is held out, if a part is taken.
        negatives: the hard negatives, of which `data.negatives` says how many a batch takes. `paragraph`: the other
            sentences of the question's paragraph that contain none of its answers, nearest to the answer sentence
            first. None for none.

    Raises:
        InputError: a file is missing or malformed. Names the file, the position and the fault.
        ValueError: an option has an unknown value, negatives are combined with `passage=context`, or `take_part`
            raises.
    """
    check_kinds(passage, negatives)
    files = _files(path, languages)
    chosen = list(files)
    # The order of the languages decides that of the examples, but `fingerprint` sorts the files.
    options: dict[str, Any] = {"passage": passage, "splitter": SPLITTER, "languages": chosen}
    if part != "all":  # the held-out articles depend on all languages
        files = _files(path, None)
        options |= {"part": part, "held_out": held_out}
    if negatives is not None:
        options |= {"negatives": negatives}
    build = fingerprint("squad", options, files)
    return build_corpus(name, _examples(files, chosen, passage, part, held_out, negatives), cache_dir, build)


def check_kinds(passage: PassageKind, negatives: NegativeKind | None) -> None:
    """Raises ValueError if one of the two is unknown, or they do not fit together."""
    check_choice("passage", passage, PASSAGE_KINDS)
    if negatives is not None:
        check_choice("negatives", negatives, NEGATIVE_KINDS)
    if negatives == "paragraph" and passage != "sentence":
        raise ValueError(
            f"`negatives=paragraph` takes sentences next to the answer and needs `passage=sentence`, got {passage!r}"
        )


def _examples(
    files: Mapping[str, Path],
    languages: Sequence[str],
    passage: PassageKind,
    part: Part,
    held_out: float,
    negatives: NegativeKind | None,
) -> Iterator[Example]:
    """A generator, so that files are read only if a build is needed."""
    found: Mapping[str, Path | SquadFile] = files
    if part != "all":
        found = take_part({language: read_squad(file) for language, file in files.items()}, part, held_out)
    yield from join_by_id({language: pairs_of(found[language], language, passage, negatives) for language in languages})


def _files(path: str | Mapping[str, str], languages: Sequence[str] | None) -> dict[str, Path]:
    if isinstance(path, Mapping):
        found = by_canonical({language: Path(file) for language, file in path.items()})
    elif Path(path).is_dir():
        found = language_files(Path(path))
    else:
        raise InputError(path, "there is no such folder; it must have a {language}.json for each language")
    wanted = list(found) if languages is None else [canonical(language) for language in languages]
    if not wanted:
        raise InputError(str(path), "there is no {language}.json to read, or `languages` is empty")
    present = [language for language, file in found.items() if file.is_file()]
    for language in wanted:
        if language not in present:
            file = found.get(language, Path(str(path)) / f"{language}.json")
            raise InputError(file, f"there is no such file; languages found: {', '.join(present) or 'none'}")
    return {language: found[language] for language in wanted}


def pairs_of(
    file: Path | SquadFile, language: str, passage: PassageKind, negatives: NegativeKind | None = None
) -> Iterator[Pair]:
    """The questions of one file with their positives. Raises InputError like `read`."""
    if isinstance(file, Path):  # one file at a time is in memory
        file = read_squad(file)
    if fault := language_fault(language):
        raise InputError(file.path, fault)
    for question in file.questions:
        paragraph = file.paragraphs[question.paragraph]
        text = paragraph.context if passage == "context" else _answer_sentence(paragraph, question, language)
        negative = _sentences_around(paragraph, question, language, text) if negatives == "paragraph" else ()
        yield Pair(question.id, question.text, text, negative)


def _answer_sentence(paragraph: Paragraph, question: Question, language: str) -> str:
    if paragraph.sentences is not None and question.sentence is not None:
        return paragraph.sentences[question.sentence]
    return sentence_with(paragraph.context, question.answers[0].start, language)


def _sentences_around(paragraph: Paragraph, question: Question, language: str, answer: str) -> tuple[str, ...]:
    """The sentences of the paragraph that contain no answer, nearest to the answer sentence first."""
    found = paragraph.sentences if paragraph.sentences is not None else sentences(paragraph.context, language)
    home = question.sentence if question.sentence is not None else found.index(answer)
    answers = [given.text.casefold() for given in question.answers]
    return tuple(
        found[number]
        for number in sorted(range(len(found)), key=lambda number: abs(number - home))
        if found[number] != answer and not any(text in found[number].casefold() for text in answers)
    )


def join_by_id(pairs: Mapping[str, Iterable[Pair]]) -> Iterator[Example]:
    """Join monolingual pairs to parallel examples: one per id, in order of first appearance.

    The id of a passage is computed from its texts, so examples whose passages agree in all languages share it. A hard
    negative is a passage in one language, since it is not known which negatives are translations of each other.

    Args:
        pairs: language -> its pairs. Ids are unique within a language. All pairs are held in memory: building SQuAD's
            87,599 training questions with answer sentences in eleven languages peaks at 1.3 GB.
    """
    questions: dict[str, dict[str, str]] = {}
    passages: dict[str, dict[str, str]] = {}
    negatives: dict[str, list[ParallelText]] = {}
    for language, monolingual in pairs.items():
        for key, question, passage, confusing in monolingual:
            questions.setdefault(key, {})[language] = question
            passages.setdefault(key, {})[language] = passage
            negatives.setdefault(key, []).extend(ParallelText.of({language: text}) for text in confusing)
    for key, question_texts in questions.items():
        yield Example(key, ParallelText(key, question_texts), ParallelText.of(passages.pop(key)), negatives.pop(key))
