"""Hard negatives for pools: the passages that other systems rank first, read from their TREC runs."""

from collections.abc import Collection, Mapping
from pathlib import Path

from hybrid_ir.sources.errors import InputError
from hybrid_ir.sources.formats.trec_run import best_first, read_run
from hybrid_ir.sources.hub.fetch import sha256_of


class HardNegatives:
    """The best passages of every query of one language, in one or more runs; other queries of the runs are ignored.

    Args:
        folder: holds `{language}.trec` and, for more than one system, `{language}.{any name}.trec`.
        language: language of the runs.
        depth: number of passages to take for each query and run.
        queries: ids of the language's queries, prefixed with the language (`en:7`). Ids in the runs may be prefixed or
            the benchmark's own (`7`, `462221#4`).

    Raises:
        InputError: there is no run, `read_run` rejects one, or it lacks some of these queries.
        ValueError: the depth is below 1.
    """

    def __init__(self, folder: str | Path, language: str, depth: int, queries: Collection[str]) -> None:
        if depth < 1:
            raise ValueError(f"`depth` must be at least 1, got {depth}")
        self.language, self.depth = language, depth
        patterns = (f"{language}{system}.trec{packed}" for system in ("", ".*") for packed in ("", ".gz"))
        self.files = [path for pattern in patterns for path in sorted(Path(folder).glob(pattern))]
        if not self.files:
            raise InputError(
                Path(folder) / f"{language}.trec", f"there is no run of the {language} queries; put it there"
            )
        self.others: set[str] = set()
        self._best: dict[str, dict[str, Path]] = {query: {} for query in queries}
        for path in self.files:
            self._add(path, read_run(path))

    def of(self, queries: Collection[str]) -> dict[str, Path]:
        """The hard negatives of some queries: passage id -> a run that has it."""
        return {passage: path for query in queries for passage, path in self._best[query].items()}

    @property
    def note(self) -> str:
        """A note for results with the names and fingerprints of the runs."""
        names = ", ".join(f"{path.name} (sha256 {sha256_of(path)[:16]})" for path in self.files)
        others = f"; {len(self.others)} other queries in them are ignored" if self.others else ""
        return f"{self.language}: the pool has the {self.depth} best passages of each query in {names}{others}"

    def _add(self, path: Path, run: Mapping[str, Mapping[str, float]]) -> None:
        found = {self._named(query): scores for query, scores in run.items()}
        if absent := self._best.keys() - found.keys():
            fault = f"{len(absent)} queries are not in the run, such as {min(absent)!r}; is it a run of all queries?"
            raise InputError(path, fault)
        self.others |= found.keys() - self._best.keys()
        for query in self._best:
            for passage in best_first(found[query])[: self.depth]:
                self._best[query].setdefault(self._named(passage), path)

    def _named(self, key: str) -> str:
        return key if key.startswith(f"{self.language}:") else f"{self.language}:{key}"
