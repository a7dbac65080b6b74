"""Section on the conditions of the runs: training, data, machine, versions and commands."""

import shlex
from collections.abc import Mapping
from typing import Any

from hybrid_ir.reports.arms import Arm, batches
from hybrid_ir.reports.rendering.document import Block, Cell, Column, Section, Table, TextLine
from hybrid_ir.reports.runs import TrainingRun
from hybrid_ir.reports.sections.cells import name_cell
from hybrid_ir.reports.study import Study

UNKNOWN = "–"


def conditions(study: Study) -> Section:
    """Tables of arms, of benchmarks, of runs with their commands, and of code and machines."""
    blocks: list[Block] = [_arms(study), _benchmarks(study), _runs(study), _environments(study)]
    missing = []
    repeats = [run.label for arm in study.arms for run in arm.repeats]
    if repeats:
        named = ", ".join(repeats)
        missing.append(f"{named}: a later run has the same configuration and seed, and is reported instead")
    for arm, steps in study.unequal:
        named = ", ".join(f"{label} after {step:,}" for label, step in steps.items())
        missing.append(f"{arm.label}: its runs were evaluated after different numbers of steps ({named}), and averaged")
    missing.extend(f"{run}: the job failed: {error}" for run, error in study.failed.items())
    for arm, run, benchmark in study.incomplete:
        missing.append(f"{arm.label} on {benchmark}: {run.label} was not evaluated on it, other runs of the arm were")
    return Section("conditions", "What was run", tuple(blocks), tuple(missing))


def _arms(study: Study) -> Table:
    rows = []
    for arm in study.arms:
        config, provenance = arm.config, arm.runs[0].results.provenance
        trained = bool(config.get("sampler"))
        cells = (
            Cell(arm.backbone),
            Cell(batches(arm.sampler, arm.alpha, config)),
            Cell(_corpora(arm, provenance) if trained else UNKNOWN),
            _plain(_at(config, "data", "batch_size") if trained else None),
            _plain(_at(config, "optim", "learning_rate") if trained else None),
            _plain(_at(config, "loss", "temperature") if trained else None),
            _distinct(arm, "step") if trained else Cell(UNKNOWN),
            _distinct(arm, "epoch") if trained else Cell(UNKNOWN),
            Cell(", ".join(str(run.config.get("seed", UNKNOWN)) for run in arm.runs)),
        )
        rows.append(TextLine((name_cell(study, arm), *cells)))
    return Table(
        "Arms: what was trained on what. Steps and epochs are those of the evaluations reported here.",
        (
            Column("arm", numeric=False), Column("backbone", numeric=False), Column("batches", numeric=False),
            Column("training data", numeric=False), Column("batch"), Column("learning rate"), Column("temperature"),
            Column("steps"), Column("epochs"), Column("seeds", numeric=False),
        ),
        tuple(rows),
    )  # fmt: skip


def _benchmarks(study: Study) -> Table:
    rows = [
        TextLine(
            (
                Cell(benchmark.name),
                Cell(" ".join(benchmark.languages)),
                _plain(sum(benchmark.queries.values())),
                _plain(sum(benchmark.passages.values())),
            )
        )
        for benchmark in study.benchmarks
    ]
    columns = (Column("benchmark", numeric=False), Column("languages", numeric=False))
    return Table("Benchmarks.", (*columns, Column("queries"), Column("passages")), tuple(rows))


def _runs(study: Study) -> Table:
    rows = [
        TextLine(
            (
                Cell(run.label, float(position)),
                Cell(arm.label, float(study.arms.index(arm))),
                Cell(str(run.config.get("seed", UNKNOWN))),
                Cell(_command(run)),
            )
        )
        for position, (arm, run) in enumerate((arm, run) for arm in study.arms for run in arm.runs)
    ]
    titles = ("run", "arm", "seed", "command")
    return Table("Runs.", tuple(Column(title, numeric=False) for title in titles), tuple(rows))


def _environments(study: Study) -> Table:
    found: dict[tuple[str, str, str], list[str]] = {}
    for arm in study.arms:
        for run in arm.runs:
            found.setdefault((_revision(run), _machine(run), _versions(run)), []).append(run.label)
    rows = [
        TextLine((Cell(labels[0] if len(labels) == 1 else f"{len(labels)} runs, from {labels[0]}"), *map(Cell, facts)))
        for facts, labels in found.items()
    ]
    titles = ("runs", "revision", "machine", "versions")
    return Table(
        "Code and machines. Revision: git commit of the code, with + where files differed from it.",
        tuple(Column(title, numeric=False) for title in titles),
        tuple(rows),
    )


def _corpora(arm: Arm, provenance: Mapping[str, Any]) -> str:
    parts = [
        f"{name} ({corpus['examples']:,} examples, {len(corpus['languages'])} languages)"
        for name, corpus in (provenance.get("corpora") or {}).items()
    ]
    return ", ".join(parts) or arm.data or UNKNOWN


def _command(run: TrainingRun) -> str:
    command = run.results.provenance.get("command")
    return f"python {shlex.join(command)}" if command else UNKNOWN


def _revision(run: TrainingRun) -> str:
    commit = str(run.results.provenance.get("commit") or UNKNOWN)
    return commit.rstrip("+")[:12] + ("+" if commit.endswith("+") else "")


def _machine(run: TrainingRun) -> str:
    machine = run.results.provenance.get("machine") or {}
    cores = machine.get("cores")
    parts = (machine.get("gpu"), cores and f"{cores} CPU cores", machine.get("platform"))
    return ", ".join(str(part) for part in parts if part) or UNKNOWN


def _versions(run: TrainingRun) -> str:
    provenance = run.results.provenance
    versions = {"hybrid_ir": provenance.get("hybrid_ir"), "python": provenance.get("python")}
    versions |= provenance.get("libraries") or {}
    return ", ".join(f"{name} {version}" for name, version in versions.items() if version) or UNKNOWN


def _plain(value: float | int | None) -> Cell:
    if value is None:
        return Cell(UNKNOWN)
    return Cell(f"{value:,}" if isinstance(value, int) else f"{value:g}", value)


def _distinct(arm: Arm, key: str) -> Cell:
    """The distinct values of a fact over the runs of an arm."""
    found = sorted({value for run in arm.runs if (value := run.results.provenance.get(key)) is not None})
    return Cell(", ".join(_plain(value).text for value in found) or UNKNOWN, found[0] if found else None)


def _at(config: Mapping[str, Any], group: str, key: str) -> Any:
    return (config.get(group) or {}).get(key)
