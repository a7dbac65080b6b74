"""Loads LAReQA's benchmarks XQuAD-R and MLQA-R, and others in their format (Roy et al., arXiv:2004.05484).

Candidates are the sentences of all contexts. In each language, the relevant sentence of a question is the one in which
its first answer starts; in the pool of all languages, a question has one relevant sentence for each language that has
the question. Repeated sentences remain separate candidates, as in LAReQA.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hybrid_ir.evaluation.benchmarks.benchmark import SETTINGS, Benchmark
from hybrid_ir.sources.bcp47 import canonical
from hybrid_ir.sources.errors import InputError, choose_languages
from hybrid_ir.sources.file_search import language_files
from hybrid_ir.sources.formats.parts import Part, take_part
from hybrid_ir.sources.formats.squad_file import Paragraph, SquadFile, read_squad
from hybrid_ir.sources.hub.fetch import pinned

Candidates = Literal["sentence", "paragraph"]
LAREQA_URL = "https://raw.githubusercontent.com/google-research-datasets/lareqa"


@dataclass(frozen=True)
class PinnedFiles:
    """The official files of one benchmark, by language.

    Attributes:
        url: address of a folder at a fixed revision; a file is `{url}/{language}.json`.
        sha256: language -> checksum of its file, in the order of tables.
    """

    url: str
    sha256: Mapping[str, str]


LAREQA_PINS: Mapping[str, PinnedFiles] = {
    "xquad_r": PinnedFiles(
        url=f"{LAREQA_URL}/5405d2a77e83d5ccb47623a3f9e5604c3f103193/xquad-r",
        sha256={
            "ar": "c52922d3b8ac1ae03ed5ac38647ad59870dca3dda2beefe18ecdc30729acb69d",
            "de": "16fb0f4bf4916154b585a20c24c66074591c9718a1affe764ff4697572328949",
            "el": "163fd43ee785a30eb534ae2061e9eaa766a7ee4e8ffce5e4b422480c150f64b6",
            "en": "7b0954f39297c27a31fef610f0883337dd2907fa8699151dc922afdd0fa12ffe",
            "es": "f8e836b2d91009c4363e04315f7ede363eedbbb49c67dda60de6c4aa782f58de",
            "hi": "ea45ba8ae4513d1533b222bebdc02a90bc319c055d3aeea68584a053d2e92872",
            "ru": "7f4dff853538b9a5fcc28c070b8bb983a5c5d190ac747b8e005a1ada9cab18f1",
            "th": "c3a041864c3a9fb0b4dd91cfdf99cf36b411b3e704c58a303c97bc6dc786cfe4",
            "tr": "f3e8c13002bbce154a4578f535f7533cb70f3da08840e6b62735935baec7bd94",
            "vi": "e35926bf5cc6fc6ecbdfca49467aabeb454f08d152d7818143a906bd31dde995",
            "zh": "80c2cde7b9c2fb134c303cbb52f2ba396ead9eb0014aec43993543d2ba9e93ed",
        },
    ),
    # Upstream removed this folder four days after this commit; the commit can still be reached.
    "mlqa_r": PinnedFiles(
        url=f"{LAREQA_URL}/354d67d1cd066854cdfbf5ad0e6105528976141d/mlqa-r",
        sha256={
            "ar": "2132fbc03208535c0fe01f2e2c5121d06f9c2aa799af93b0a719dbc105bdf137",
            "de": "ce9454dc5aa6f2d85c23cd6e49cb367fbb7c4c6e62d7f71e355c6b5dae4d0886",
            "en": "fedd9a5cc0848dda80caf84aa36f482adaae230526a3f6e9e86926a93ef3b1e4",
            "es": "70ecba276b8c96a692b120693a595d076ce94ad21d4b28311538a9fcbfe0f9d7",
            "hi": "4dd0fb3c06f737a5481d705bc1dcac7876712a5815c9265908fbb3a0696cb654",
            "vi": "9d3baff6ba03e6793b25594217265ea59a136b9733833dca8a9582a84a78ff85",
            "zh": "57f01d2fff50cf3392805635b01445339f225ad5bf28ba8443b12f8dbd1e69dc",
        },
    ),
}


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
    """Load a benchmark from `{root}/{folder}/{language}.json`; missing official files are downloaded.

    Args:
        name: prefix of the metric names.
        root: the data folder (`paths.data`).
        folder: folder in `root`, by default `name`; files missing in `xquad_r` and `mlqa_r` are downloaded.
        languages: languages in the order of tables; by default all official ones, or all files of the folder.
        candidates: `sentence`, or `paragraph` to make each context one passage.
        part: `train` or `held_out` for the articles of one part only, for choosing settings; see
            `hybrid_ir.sources.formats.parts`.
        held_out: share of articles that is held out, if a part is taken.
        settings: settings to evaluate in; None for all three. A single language has no `crosslingual` setting.

    Returns:
        The benchmark. Passage ids are `{language}:{article}/{paragraph}/{sentence}`, query ids
        `{language}:{question id}`.

    Raises:
        ValueError: the name is that of an official benchmark, but languages, part, candidates or folder make it another
            task; a language, setting or kind of candidates is unknown, or the languages do not have the setting.
        InputError: a file is missing or faulty.
        UnreachableError: a missing file cannot be downloaded.
    """
    if candidates not in ("sentence", "paragraph"):
        raise ValueError(f"candidates must be 'sentence' or 'paragraph', not {candidates!r}")
    directory = Path(root) / (folder or name)
    available = _available(name, directory)
    chosen = choose_languages(f"benchmark {name}", languages, available)
    if name in LAREQA_PINS:
        _check_official(name, directory, chosen, candidates, part)
    wanted = chosen if part == "all" else available  # the held-out part depends on all languages
    files = take_part({canonical(code): read_squad(_local(directory, code)) for code in wanted}, part, held_out)
    files = {language: files[language] for language in map(canonical, chosen)}
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
    """Raises ValueError if the name is that of an official benchmark, but the task differs."""
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
            where = f"data[{paragraph.article}].paragraphs[{paragraph.index}]"
            fault = "there are no sentences; use a file with sentences and sentence_breaks, or candidates=paragraph"
            raise InputError(file.path, fault, where=where)
        for number, sentence in enumerate(paragraph.sentences):
            passages[_passage_id(language, paragraph, number)] = sentence
    return passages


def _passage_id(language: str, paragraph: Paragraph, sentence: int | None) -> str:
    passage = f"{language}:{paragraph.article}/{paragraph.index}"
    return passage if sentence is None else f"{passage}/{sentence}"


def _available(name: str, directory: Path) -> list[str]:
    if directory.name in LAREQA_PINS:
        return list(LAREQA_PINS[directory.name].sha256)
    found = [file.stem for file in language_files(directory).values()]
    if not found:
        raise ValueError(
            f"benchmark {name}: no {{language}}.json in {directory}; put the files there, or set paths.data to the "
            f"folder above. Only {' and '.join(LAREQA_PINS)} are downloaded"
        )
    return found


def _local(directory: Path, language: str) -> Path:
    """The path of the language's file, downloaded if it is missing."""
    path = directory / f"{language}.json"
    pins = LAREQA_PINS.get(directory.name)
    return path if pins is None else pinned(f"{pins.url}/{language}.json", path, pins.sha256[language])
