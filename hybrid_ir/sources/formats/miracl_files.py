"""The files of MIRACL (Zhang et al., TACL 2023): Wikipedia passages, questions and judgements in 18 languages.

    miracl-corpus-v1.0-{lang}/docs-{i}.jsonl.gz                  {"docid", "title", "text"}, i from 0
    miracl-v1.0-{lang}/topics/topics.miracl-v1.0-{lang}-{split}.tsv    query id, query
    miracl-v1.0-{lang}/qrels/qrels.miracl-v1.0-{lang}-{split}.tsv      query id, Q0, docid, grade (0 or 1)

Annotators saw title and text of a passage (project-miracl/miracl, issue 18): here `{title}\\n{text}`. Ids are unique
only within a language, so every id is prefixed with its language: `en:39#0`.

The files are read from a local folder or from the hub: passages from `miracl/miracl-corpus`, topics and judgements from
`miracl/miracl`, which requires a login. Both pins are the commits that several public reproductions name. The hub could
not be reached when this was written, so the download is unverified, and the numbers of passages are those of the
project's README.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hybrid_ir.sources.errors import InputError, text_fault
from hybrid_ir.sources.formats.beir import with_title
from hybrid_ir.sources.formats.lines import Line, read_lines
from hybrid_ir.sources.formats.qrels import Judgement, read_qrels
from hybrid_ir.sources.hub.repository import Repository

CORPUS = Repository("miracl/miracl-corpus", "d921ec7e349ce0d28daf30b2da9da5ee698bef0d")
TOPICS = Repository("miracl/miracl", "5be20db9509754dadad47689368639fcec739c00")

PASSAGES = {
    "ar": 2_061_414,
    "bn": 297_265,
    "de": 15_866_222,
    "en": 32_893_221,
    "es": 10_373_953,
    "fa": 2_207_172,
    "fi": 1_883_509,
    "fr": 14_636_953,
    "hi": 506_264,
    "id": 1_446_315,
    "ja": 6_953_614,
    "ko": 1_486_752,
    "ru": 9_543_918,
    "sw": 131_924,
    "te": 518_079,
    "th": 542_166,
    "yo": 49_043,
    "zh": 4_934_368,
}
"""Language -> number of passages in the official corpus, from the project's README.

The numbers of de and yo, which the README predates, come from the data set's card. They have not been checked against
the files.
"""


@dataclass(frozen=True)
class MiraclFiles:
    """The folders with files in MIRACL's layout.

    Attributes:
        corpus: folder with `miracl-corpus-v1.0-{lang}/`.
        topics: folder with `miracl-v1.0-{lang}/`.
    """

    corpus: Path
    topics: Path

    @classmethod
    def find(cls, folder: Path, root: str | Path, languages: Sequence[str], split: str) -> "MiraclFiles":
        """The files in `folder` if it has corpora, else in `root/{owner}/{name}`, the hub's cache or the hub.

        Raises:
            UnreachableError: there are no local files, and the hub cannot be reached.
            ValueError: the hub refuses the request.
        """
        if any(folder.glob("miracl-corpus-v1.0-*")):
            return cls(folder, folder)
        judged = [f"miracl-v1.0-{lang}/{part}/*-{split}.tsv" for lang in languages for part in ("topics", "qrels")]
        passages = [f"miracl-corpus-v1.0-{lang}/docs-*.jsonl.gz" for lang in languages]
        return cls(CORPUS.folder(passages, root), TOPICS.folder(judged, root))

    def languages(self) -> list[str]:
        """Languages of the corpora in the folder, sorted."""
        return sorted(path.name.rsplit("-", 1)[1] for path in self.corpus.glob("miracl-corpus-v1.0-*") if path.is_dir())

    def documents(self, language: str) -> tuple[Path, ...]:
        """The passage files of a language, in order.

        Raises:
            InputError: there are none, or a file in between is missing.
        """
        folder = self.corpus / f"miracl-corpus-v1.0-{language}"
        files = tuple(folder / f"docs-{number}.jsonl.gz" for number in range(len(list(folder.glob("docs-*.jsonl.gz")))))
        missing = [file for file in files or [folder / "docs-0.jsonl.gz"] if not file.is_file()]
        if missing:
            raise InputError(
                missing[0], "there is no such file; the passages are docs-0.jsonl.gz, docs-1.jsonl.gz, ..."
            )
        return files

    def queries(self, language: str, split: str) -> dict[str, str]:
        """Query id -> query of a split.

        Raises:
            InputError: the file cannot be read, a line is not `id TAB query`, a query is empty or an id occurs twice.
        """
        queries: dict[str, str] = {}
        for line in read_lines(self._topic_file(language, "topics", split)):
            query, text = line.fields(2)
            if fault := text_fault(query) or text_fault(text):
                raise line.fault(f"the id or text of query {query!r} {fault}")
            if f"{language}:{query}" in queries:
                raise line.fault(f"query id {query!r} occurs twice")
            queries[f"{language}:{query}"] = text
        return queries

    def judgements(self, language: str, split: str) -> Iterator[Judgement]:
        """The judgements of a split, with prefixed ids. Raises InputError like `read_qrels`."""
        for item in read_qrels(self._topic_file(language, "qrels", split)):
            yield Judgement(f"{language}:{item.query}", f"{language}:{item.passage}", item.grade, item.line)

    def _topic_file(self, language: str, kind: str, split: str) -> Path:
        path = self.topics / f"miracl-v1.0-{language}" / kind / f"{kind}.miracl-v1.0-{language}-{split}.tsv"
        packed = path.with_name(f"{path.name}.gz")
        return packed if packed.is_file() and not path.is_file() else path


@dataclass(frozen=True)
class PassageParser:
    """Parser of one line of a passage file. A plain object, so that it can be hashed and pickled."""

    language: str

    def __call__(self, line: Line) -> tuple[str, str]:
        """Id `{language}:{docid}` and text `{title}\\n{text}`, or only one of them if the other is empty.

        Raises:
            InputError: the line is not a JSON object, a key is missing or not a string, or both texts are empty.
        """
        record = line.record()
        for key in ("docid", "title", "text"):
            if not isinstance(record.get(key), str):
                raise line.fault(f"{key!r} must be a string, got {record.get(key)!r:.40}")
        title, text = record["title"].strip(), record["text"]
        if not text.strip():
            title, text = "", title
        if fault := text_fault(record["docid"]) or text_fault(text):
            raise line.fault(f"the id or text of passage {record['docid']!r} {fault}")
        if title and (fault := text_fault(title)):
            raise line.fault(f"the title of passage {record['docid']!r} {fault}")
        return f"{self.language}:{record['docid']}", with_title(title, text)
