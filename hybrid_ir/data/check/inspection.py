"""The corpus check: reads a corpus as training would, and reports its contents, errors and warnings.

An error would stop training, and is found by the same code. A warning is something that training accepts but that the
author of the corpus probably did not intend.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hybrid_ir.data.check.profile import CHARACTERS, Profile
from hybrid_ir.data.check.suspicions import Suspicions
from hybrid_ir.data.readers import parallel_jsonl, squad
from hybrid_ir.data.readers.squad import join_by_id
from hybrid_ir.sampling.coverage import MAX_LANGUAGES
from hybrid_ir.sources.bcp47 import Spellings
from hybrid_ir.sources.errors import InputError
from hybrid_ir.sources.file_search import language_files
from hybrid_ir.sources.records import Example

SHOWN = 20  # errors that are listed


@dataclass
class CorpusReport:
    """The result of checking a corpus.

    Attributes:
        path: the path that was checked.
        profile: counts over the examples without errors.
        suspicions: warnings about the same examples.
        errors: the first SHOWN error messages.
        faults: number of errors.
        spellings: how the file writes language codes.
    """

    path: Path
    profile: Profile
    suspicions: Suspicions = field(default_factory=Suspicions)
    errors: list[str] = field(default_factory=list)
    faults: int = 0
    spellings: Spellings = field(default_factory=Spellings)

    def add_error(self, message: str) -> None:
        self.faults += 1
        if len(self.errors) < SHOWN:
            self.errors.append(message)

    def facts(self) -> dict[str, Any]:
        """The report as plain containers, for JSON."""
        warnings = {kind: {"count": count, "first": self.suspicions.first[kind]}
                    for kind, count in sorted(self.suspicions.found.items())}  # fmt: skip
        facts = {"path": str(self.path), "errors": self.errors, "faults": self.faults, "warnings": warnings,
                 "notes": self.spellings.notes}  # fmt: skip
        return facts | self.profile.facts()

    def lines(self) -> list[str]:
        """The report as text: profile, warnings, errors and a conclusion."""
        left_out = [f"error: and {self.faults - len(self.errors)} more"] if self.faults > len(self.errors) else []
        refused = f"{self.faults} errors: training refuses this file"
        conclusion = refused if self.faults else "no errors: training reads it"
        warned = [f"note: {note}" for note in self.spellings.notes]
        warned += [f"warning: {line}" for line in self.suspicions.lines()]
        return [*self.profile.lines(), *warned, *(f"error: {error}" for error in self.errors), *left_out, conclusion]


def inspect(path: str | Path, measure: Callable[[str], int] = len, unit: str = CHARACTERS) -> CorpusReport:
    """Check a file of `data=parallel_jsonl`, or a folder of `data=squad`.

    Args:
        path: the file (`.jsonl`, `.jsonl.gz`), or a folder with `{language}.json`.
        measure: function that returns the length of a text.
        unit: what `measure` counts.

    Returns:
        The report. Faults in the file never raise: the check continues with the next line or, for the SQuAD family,
        with the next file.
    """
    path = Path(path)
    report = CorpusReport(path, Profile(measure, unit))
    for item in _squad(path) if path.is_dir() else _lines(path, report.spellings):
        if isinstance(item, InputError):
            report.add_error(str(item))
        else:
            report.profile.add(item)
            report.suspicions.add(item)
    report.suspicions.finish()
    if not report.faults and not report.profile.examples:
        report.add_error(f"{path}: there are no examples")
    languages = report.suspicions.languages
    if len(languages) > MAX_LANGUAGES:
        report.add_error(f"{path}: {len(languages)} languages; at most {MAX_LANGUAGES} are possible")
    return report


def _lines(path: Path, spellings: Spellings) -> Iterator[Example | InputError]:
    try:
        parallel_jsonl.check_file(path)
    except InputError as error:
        yield error
        return
    yield from parallel_jsonl.scan(path, spellings)


def _squad(folder: Path) -> Iterator[Example | InputError]:
    try:
        files = language_files(folder)
    except InputError as error:
        yield error
        return
    if not files:
        yield InputError(folder, "there is no {language}.json in the folder")
    pairs = {}
    for language, file in files.items():
        try:
            pairs[language] = list(squad.pairs_of(file, language, "sentence"))
        except InputError as error:
            yield error
    yield from join_by_id(pairs)
