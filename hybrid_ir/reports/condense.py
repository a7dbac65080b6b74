"""Condenses finished runs to the files that reports need, small enough to commit.

Each finished run becomes a folder at its path below the argument: results.json, topics.parquet (the contribution of
each query group to each macro average, instead of per_query.parquet), the macro averages of its evaluations if there
are several, and job.json. Reports on condensed runs equal those on the runs themselves. Absolute paths become <data>,
<cache>, <outputs> and <run>, after the names in `paths`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hybrid_ir.evaluation.measures.measures import Measure
from hybrid_ir.evaluation.results.history import EVALUATIONS, RESULTS, TRAINED
from hybrid_ir.evaluation.results.result_files import VERSION, read_results
from hybrid_ir.launch.job_record import RECORD
from hybrid_ir.reports.arms import essence
from hybrid_ir.reports.contribution_files import TOPICS, write_contributions
from hybrid_ir.reports.contributions import run_contributions
from hybrid_ir.reports.runs import TrainingRun, find_results, read_runs
from hybrid_ir.sources.atomic import replacing
from hybrid_ir.sources.errors import InputError
from hybrid_ir.sources.json_file import read_json_object
from hybrid_ir.sources.own_folder import refuse_links, refuse_links_to

# A slash that begins an absolute path, also within lists and mappings of overrides: `{en:/a/b,de:/a/c}`.
ABSOLUTE = re.compile(r"""(?:(?<![\w.~>/-])|(?<=file://))/(?!/)[^\s,'"\]})]+""")


class PrivatePathError(ValueError):
    """An absolute path that is in none of the known folders."""


def without_absolute_paths(value: Any, roots: Mapping[str, str]) -> Any:
    """Plain containers with absolute paths in their strings replaced by `<name>/rest`, for the longest known folder.

    Relative paths and keys of mappings are kept.

    Args:
        value: plain containers, such as a run's provenance.
        roots: name -> absolute folder.

    Raises:
        PrivatePathError: an absolute path is in none of the folders.
    """
    if isinstance(value, Mapping):
        return {key: without_absolute_paths(entry, roots) for key, entry in value.items()}
    if isinstance(value, list):
        return [without_absolute_paths(entry, roots) for entry in value]
    if isinstance(value, str):
        return ABSOLUTE.sub(lambda found: _renamed(found[0], roots), value)
    return value


def absolute_folders(config: Mapping[str, Any]) -> dict[str, str]:
    """The absolute `paths` of a configuration: `data`, `cache`, `outputs`, `run`."""
    return {key: root for key, root in (config.get("paths") or {}).items() if root and Path(root).is_absolute()}


def _renamed(path: str, roots: Mapping[str, str]) -> str:
    for name, root in sorted(roots.items(), key=lambda item: -len(item[1])):
        if path == root or path.startswith(f"{root.rstrip('/')}/"):
            return f"<{name}>{path[len(root.rstrip('/')) :]}"
    raise PrivatePathError(
        f"{path} is a path of this machine, in none of the run's `paths`; name a folder that holds it: "
        "--folder NAME=FOLDER"
    )


def condense_runs(folders: Sequence[Path], out: Path, roots: Mapping[str, str]) -> list[str]:
    """Condense every finished run in some folders.

    Args:
        folders: folders of runs, or folders that hold several (a sweep).
        out: folder to write to.
        roots: folders in addition to each run's own `paths`: name -> absolute folder.

    Returns:
        Lines on what was left out and why, and on what was written.

    Raises:
        ValueError: there is no finished run, an absolute path has no name, two runs have the same target folder, or the
            target folder holds a run of another configuration.
    """
    targets = _targets(folders, out)
    runs = {target: run for target, run in targets.items() if _unfinished(run) is None}
    lines = [f"left out: {run.label}: {reason}" for run in targets.values() if (reason := _unfinished(run)) is not None]
    if not runs:
        raise ValueError("\n".join(["there is no finished run", *lines]))
    for target in runs:
        refuse_links(target)
        refuse_links_to(out, [target])
    for target, run in runs.items():
        condense(run, target, roots)
    return [*lines, f"{len(runs)} of {len(targets)} runs are condensed in {out}"]


def condense(run: TrainingRun, target: Path, roots: Mapping[str, str]) -> None:
    """Write a condensed run; the same run gives the same bytes. `results.json` is written last.

    Args:
        run: a finished run.
        target: folder to write to.
        roots: folders in addition to the run's own `paths`: name -> absolute folder.

    Raises:
        ValueError: `target` holds a run of another configuration or seed.
        InputError: a file of the run holds an absolute path that is in none of the folders.
    """
    source, provenance = run.file.parent, run.results.provenance
    of_training = absolute_folders(provenance.get("trained") or {})
    roots = {**{f"trained_{name}": root for name, root in of_training.items()}, **roots}
    roots |= absolute_folders(provenance.get("config") or {})
    content = _shared(run.file, roots)
    _check_same(target, content["provenance"].get("config") or {})
    texts = {target / EVALUATIONS / name: text for name, text in _evaluations(run).items()}
    if (source / RECORD).exists():
        texts[target / RECORD] = _text(_shared(source / RECORD, roots))
    found = {name: each for name, each in run_contributions(run).items() if _is_macro(name)}
    if found:
        write_contributions(target / TOPICS, found)
    for path, text in {**texts, target / RESULTS: _text(content)}.items():
        with replacing(path) as draft:
            draft.write_text(text, encoding="utf-8")
    for old in {*target.glob(f"{EVALUATIONS}/*.json"), target / RECORD} - texts.keys():
        old.unlink(missing_ok=True)
    if not found:
        (target / TOPICS).unlink(missing_ok=True)


def _targets(arguments: Sequence[Path], out: Path) -> dict[Path, TrainingRun]:
    """Target folder -> the run to write there."""
    targets: dict[Path, TrainingRun] = {}
    for argument in arguments:
        if argument.is_file():
            raise ValueError(f"{argument} is a file; name the run's folder")
        for run in read_runs(find_results(argument)):
            target = out / run.file.parent.relative_to(argument)
            other = targets.setdefault(target, run)
            if other.file.resolve() != run.file.resolve():
                raise ValueError(
                    f"{other.label} and {run.label} would both go to {target}; condense them one by one, each with an "
                    "--out of its own"
                )
    return targets


def _unfinished(run: TrainingRun) -> str | None:
    """The reason to leave a run out as unfinished; None for a finished run.

    Training that has ended leaves `training.json`, and a finished job `job.json`. Older code wrote neither: its results
    must be of the last epoch. An evaluated checkpoint counts even if its training had not ended.
    """
    if run.error is not None:
        return f"the job failed: {run.error}"
    if not (run.results.provenance.get("config") or {}).get("sampler") or any(
        run.file.with_name(name).exists() for name in (TRAINED, RECORD, TOPICS)
    ):
        return None
    last, reached = (run.config.get("trainer") or {}).get("max_epochs"), run.results.provenance.get("epoch", 0)
    return None if last and last > 0 and reached >= last else "its training has not ended"


def _shared(path: Path, roots: Mapping[str, str]) -> dict[str, Any]:
    content = read_json_object(path)
    try:
        return {key: without_absolute_paths(value, roots) for key, value in content.items()}
    except PrivatePathError as error:
        raise InputError(path, str(error)) from None


def _check_same(target: Path, config: Mapping[str, Any]) -> None:
    if not (target / RESULTS).exists():
        return
    before = read_results(target / RESULTS).provenance.get("config") or {}
    if (essence(before), before.get("seed")) != (essence(config), config.get("seed")):
        raise ValueError(f"{target} holds a run of another configuration or seed; choose another --out, or remove it")


def _evaluations(run: TrainingRun) -> dict[str, str]:
    """The macro averages of every evaluation, if there are several, for learning curves."""
    if len(run.history) < 2:
        return {}
    texts = {}
    for stored in run.history:
        macro = {
            name: stored.metrics[name] for name in dict.fromkeys(row.group for row in stored.rows)
        } or stored.metrics
        when = {key: stored.provenance[key] for key in ("step", "epoch") if key in stored.provenance}
        content = {"version": VERSION, "metrics": macro, "benchmarks": {}, "settings": [], "provenance": when}
        texts[f"step_{when['step']:06d}.json"] = _text(content)
    return texts


def _is_macro(metric: str) -> bool:
    """Whether a metric is a macro average for reports; shares of single languages are not."""
    return Measure.parse(metric.rpartition("/")[2]).language is None


def _text(content: Mapping[str, Any]) -> str:
    """JSON with one line for each entry, a fifth of the lines in a run's own files."""
    return "{\n" + ",\n".join(f"{_json(key)}: {_lines(value)}" for key, value in content.items()) + "\n}\n"


def _lines(value: Any) -> str:
    if isinstance(value, Mapping) and value:
        return "{\n " + ",\n ".join(f"{_json(key)}: {_json(entry)}" for key, entry in value.items()) + "\n}"
    if isinstance(value, list) and value:
        return "[\n " + ",\n ".join(map(_json, value)) + "\n]"
    return _json(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
