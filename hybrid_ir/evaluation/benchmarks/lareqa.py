"""XQuAD-R, MLQA-R and any set in their files: LAReQA's benchmarks (Roy et al., arXiv:2004.05484).

Candidates are the sentences of all contexts. The relevant sentence of a question in a language is the one in which its
first answer starts; in the pool of all languages a question has one relevant sentence in every language that has the
question. Sentences that repeat word for word stay candidates of their own, as in LAReQA.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from hybrid_ir.evaluation.benchmarks.benchmark import SETTINGS, Benchmark
from hybrid_ir.evaluation.benchmarks.lareqa_pins import LAREQA_PINS
from hybrid_ir.sources.errors import InputError, choose_languages
from hybrid_ir.sources.formats.parts import Part, take_part
from hybrid_ir.sources.formats.squad_file import Paragraph, SquadFile, read_squad
from hybrid_ir.sources.hub.fetch import fetch, sha256_of

logger = logging.getLogger(__name__)

Candidates = Literal["sentence", "paragraph"]


def load_lareqa(
    name: str,
    root: str | Path,
    folder: str | None = None,
    languages: Sequence[str] | None = None,
    candidates: Candidates = "sentence",
    part: Part = "all",
    held_out: float = 0.2,
    settings: Sequence[str] | None = None,
) -> Benchmark:
    """Load a benchmark from `{root}/{folder}/{language}.json`; official files that are missing are downloaded.

    Args:
        name: prefix of the metric names.
        root: the data folder (`paths.data`).
        folder: folder in `root`, by default `name`; files missing in `xquad_r` and `mlqa_r` are downloaded.
        languages: which, in the order that tables show; by default all official ones, or all files of the folder.
        candidates: `sentence`, or `paragraph`, where a whole context is one passage.
        part: `train` or `held_out`: the articles of one part alone, to choose settings by; see
            `hybrid_ir.sources.formats.parts`.
        held_out: the share of articles that is held out, where a part is taken.
        settings: settings to judge, None for all three; one language alone has no `crosslingual` one.

    Returns:
        the benchmark. Passage ids are `{language}:{article}/{paragraph}/{sentence}`, query ids
        `{language}:{question id}`.

    Raises:
        ValueError: fewer languages, a part, paragraphs as candidates, or another folder under the name of an official
            benchmark: that is another task and needs a name of its own; an unknown language or kind of candidates; a
            setting that is unknown, or that the languages do not have; no file, or a fault in a file (`InputError`:
            which and where), or a missing file that cannot be downloaded (`UnreachableError`).
    """
    if candidates not in ("sentence", "paragraph"):
        raise ValueError(f"candidates must be 'sentence' or 'paragraph', not {candidates!r}")
    directory = Path(root) / (folder or name)
    available = _available(name, directory)
    chosen = choose_languages(f"benchmark {name}", languages, available)
    if name in LAREQA_PINS:
        _check_official(name, directory, chosen, candidates, part)
    wanted = chosen if part == "all" else available  # all languages have a say in what is held out
    files = take_part({language: read_squad(_local(directory, language)) for language in wanted}, part, held_out)
    files = {language: files[language] for language in chosen}
    queries: dict[str, dict[str, str]] = {}
    passages: dict[str, dict[str, str]] = {}
    answers: dict[str, list[str]] = {}
    for language, file in files.items():
        passages[language] = _passages(language, file, candidates)
        queries[language] = {f"{language}:{question.id}": question.text for question in file.questions}
        for question in file.questions:
            sentence = question.sentence if candidates == "sentence" else None
            passage = _passage_id(language, file.paragraphs[question.paragraph], sentence)
            answers.setdefault(question.id, []).append(passage)
    qrels = {f"{language}:{item.id}": answers[item.id] for language, file in files.items() for item in file.questions}
    query_groups = {f"{language}:{item.id}": item.id for language, file in files.items() for item in file.questions}
    return Benchmark.build(name, queries, passages, qrels, settings or SETTINGS, query_groups=query_groups)


def _check_official(name: str, directory: Path, chosen: Sequence[str], candidates: Candidates, part: Part) -> None:
    """Raises ValueError where what bears the name of an official benchmark is another task."""
    languages = LAREQA_PINS[name].sha256.keys()
    if directory.name != name:
        what, own = f"{directory} does not hold {name}", directory.name
    elif set(chosen) != languages:
        what = f"{name} in {len(chosen)} of {len(languages)} languages is another task"
        own = "_".join([name, *sorted(chosen)])
    elif candidates != "sentence":
        what, own = f"{name} with {candidates}s as candidates is another task", f"{name}_{candidates}"
    elif part != "all":
        what, own = f"a part of {name} has smaller pools", f"{name}_{part}"
    else:
        return
    raise ValueError(
        f"{what}, and its scores must not pass for those of {name}; give it a name of its own, such as name={own}"
    )


def _passages(language: str, file: SquadFile, candidates: Candidates) -> dict[str, str]:
    if candidates == "paragraph":
        return {_passage_id(language, paragraph, None): paragraph.context for paragraph in file.paragraphs}
    passages = {}
    for paragraph in file.paragraphs:
        if paragraph.sentences is None:
            place = f"data[{paragraph.article}].paragraphs[{paragraph.index}]"
            fault = "there are no sentences; use a file with sentences and sentence_breaks, or candidates=paragraph"
            raise InputError(file.path, fault, where=place)
        for number, sentence in enumerate(paragraph.sentences):
            passages[_passage_id(language, paragraph, number)] = sentence
    return passages


def _passage_id(language: str, paragraph: Paragraph, sentence: int | None) -> str:
    place = f"{language}:{paragraph.article}/{paragraph.index}"
    return place if sentence is None else f"{place}/{sentence}"


def _available(name: str, directory: Path) -> list[str]:
    if directory.name in LAREQA_PINS:
        return list(LAREQA_PINS[directory.name].sha256)
    found = sorted(file.stem for file in directory.glob("*.json"))
    if not found:
        raise ValueError(
            f"benchmark {name}: no {{language}}.json in {directory}; put the files there, or set paths.data to the "
            f"folder above. Only {' and '.join(LAREQA_PINS)} are downloaded"
        )
    return found


def _local(directory: Path, language: str) -> Path:
    """The language's file, downloaded where it is missing."""
    path = directory / f"{language}.json"
    pins = LAREQA_PINS.get(directory.name)
    if pins is None:
        return path
    if not path.exists():
        fetch(f"{pins.url}/{language}.json", path, pins.sha256[language])
    elif sha256_of(path) != pins.sha256[language]:
        logger.warning("%s is not the official file: scores on it are not comparable with others", path)
    return path
