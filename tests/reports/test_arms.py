"""Runs that differ by the seed alone are one arm; everything else that decides a result makes another."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from hybrid_ir.evaluation.results.history import RunHistory
from hybrid_ir.reports.arms import group_runs
from hybrid_ir.reports.runs import find_results, read_runs
from hybrid_ir.reports.sections.alpha import alpha_families
from tests.compose import compose_config
from tests.evaluation.samples import parallel_benchmark
from tests.reports.conftest import WriteRun

ONE = (2,)  # a single evaluation
SMALL = parallel_benchmark(4)


def labels(folder: Path) -> list[str]:
    return [arm.label.replace("\u00a0", " ") for arm in group_runs(read_runs(find_results(folder)))]


def test_seeds_make_an_arm(sweep: Path) -> None:
    arms = group_runs(read_runs(find_results(sweep)))
    assert [arm.alpha for arm in arms] == [0.0, 0.5, 1.0]
    assert [[run.config["seed"] for run in arm.runs] for arm in arms] == [[1, 2]] * 3
    assert labels(sweep) == ["hybrid α = 0", "hybrid α = .5", "hybrid α = 1"]


def test_labels_say_what_varies(write_run: WriteRun, tmp_path: Path) -> None:
    write_run("s/0", sampler="mono", epochs=ONE)
    assert labels(tmp_path / "s") == ["tiny · mono"]
    write_run("s/1", sampler="cross", epochs=ONE)
    assert labels(tmp_path / "s") == ["mono", "cross"]
    write_run("s/2", sampler="cross", backbone="labse", epochs=ONE)
    assert labels(tmp_path / "s") == ["labse · cross", "tiny · mono", "tiny · cross"]


def composed(place: Path, name: str, *overrides: str) -> dict[str, Any]:
    """What `train.py` would write of itself into the results of a run."""
    config = OmegaConf.to_container(compose_config("train", list(overrides), place / name), resolve=True)
    assert isinstance(config, dict)
    return {str(key): value for key, value in config.items()}


def arms_of(configs: Sequence[dict[str, Any]], write_run: WriteRun, place: Path) -> list[list[int]]:
    """Runs of these configurations, by their positions, as arms."""
    for number, config in enumerate(configs):
        write_run(f"s/{number}", epochs=ONE, benchmark=SMALL, config=config)
    arms = group_runs(read_runs(find_results(place / "s")))
    return sorted(sorted(int(run.file.parent.name) for run in arm.runs) for arm in arms)


SAME = ["trainer=ddp_cpu", "trainer.plugins=null", "+trainer.profiler=simple", "trainer.enable_model_summary=true",
        "logger=wandb", "trainer.devices=8", "~callbacks.best", "~callbacks.last", "callbacks.dashboard=null",
        "~callbacks.progress", "data.num_workers=0", "eval.every_n_steps=5", "eval.save_runs=10",
        "name=another"]  # fmt: skip
OTHER = ["resume_changes=[optim.learning_rate]", "callbacks=early_stopping", "optim.learning_rate=0.5",
         "sampler.weights.question={en: 2}", "sampler/schedule=linear"]  # fmt: skip


def test_what_a_training_command_changes(write_run: WriteRun, tmp_path: Path) -> None:
    """`SAME` is about where and how a run is done; each of `OTHER` makes another arm."""
    changes = [[], SAME, *([other] for other in OTHER)]
    configs = [composed(tmp_path, f"s/{n}", f"seed={n}", *overrides) for n, overrides in enumerate(changes)]
    assert arms_of(configs, write_run, tmp_path) == [[0, 1], [2], [3], [4], [5], [6]]


LATER = [  # field, its default, another value
    ("eval.precision", "32-true", "bf16-mixed"),
    ("model.lora.rank", 0, 8),
    ("loss.mask_false_negatives", True, False),
    ("data.corpora.squad.part", "all", "train"),
    ("eval.benchmarks.xquad_r.candidates", "sentence", "paragraph"),
    ("sampler.schedule", None, {"_target_": "hybrid_ir.sampling.schedule.Constant", "value": 0.5}),
]


def test_fields_that_older_code_lacks_are_at_their_defaults(write_run: WriteRun, tmp_path: Path) -> None:
    """They split no arm from newer runs at the defaults, and do from those with another value."""
    now = OmegaConf.create(composed(tmp_path, "s", "experiment=mlqa_to_xquad"))
    older = OmegaConf.merge(now, {"seed": 100})
    for key in ("resume_changes", "teacher", "callbacks"):
        older.pop(key)
    configs = [now, older]
    for seed, (key, default, other) in enumerate(LATER, start=2):
        assert OmegaConf.select(now, key) == default
        parent, _, name = key.rpartition(".")
        OmegaConf.select(older, parent).pop(name)
        configs.append(OmegaConf.merge(now, {"seed": seed}))
        OmegaConf.update(configs[-1], key, other)
    plain: Any = [OmegaConf.to_container(config) for config in configs]
    assert arms_of(plain, write_run, tmp_path) == [[0, 1], *([seed] for seed in range(2, len(configs)))]


def test_a_repeated_seed_is_set_aside(write_run: WriteRun, tmp_path: Path) -> None:
    for name in ("s/2", "s/10"):
        write_run(name, epochs=ONE)
    (arm,) = group_runs(read_runs(find_results(tmp_path / "s")))
    assert [run.file.parent.name for run in arm.runs] == ["10"]  # numbers are read as numbers
    assert [run.file.parent.name for run in arm.repeats] == ["2"]


def test_a_run_that_is_named_twice_is_read_once(sweep: Path) -> None:
    assert len(read_runs([*find_results(sweep), *find_results(sweep / "0")])) == 6


def test_baselines_and_checkpoints_are_named(tmp_path: Path, write_run: WriteRun) -> None:
    write_run("s/0", epochs=ONE, config={"sampler": None, "checkpoint": "outputs/a.ckpt"})
    write_run("s/1", epochs=ONE, config={"sampler": None, "run": "files/other.trec"})
    assert labels(tmp_path / "s") == ["other.trec · untrained", "tiny · checkpoint outputs/a.ckpt"]


def test_alpha_families(write_run: WriteRun, tmp_path: Path) -> None:
    for number, (backbone, alpha) in enumerate([("tiny", 0.25), ("tiny", 0.5), ("labse", 0.5)]):
        write_run(f"s/{number}", alpha, backbone=backbone, epochs=ONE)
    write_run("s/3", sampler="mono", epochs=ONE)
    write_run("s/4", sampler="english", epochs=ONE)
    families = alpha_families(group_runs(read_runs(find_results(tmp_path / "s"))))
    assert {name: [(alpha, arm.sampler) for alpha, arm in family] for name, family in families.items()} == {
        "tiny": [(0.25, "hybrid"), (0.5, "hybrid"), (1.0, "mono")]
    }


def test_schedules_and_weights_make_families_of_their_own(write_run: WriteRun, tmp_path: Path) -> None:
    linear = {"_target_": "hybrid_ir.sampling.schedule.Ramp", "start": 1.0, "shape": "linear", "batches": None}
    steps = {"_target_": "hybrid_ir.sampling.schedule.Steps", "values": [1.0, 0.75], "until": [0.2, 0.4]}
    weighted = {"_target_": "hybrid_ir.sampling.weights.LanguageWeights", "question": {"en": 2}}
    extras: list[dict[str, Any]] = [{}, {"schedule": linear}, {"schedule": steps}, {"weights": weighted}]
    for number, (extra, alpha) in enumerate((extra, alpha) for extra in extras for alpha in (0.25, 0.5)):
        sampler = {"name": "hybrid", "alpha": alpha, **extra}
        write_run(f"s/{number}", epochs=ONE, benchmark=SMALL, config={"sampler": sampler})
    write_run("s/8", sampler="mono", epochs=ONE, benchmark=SMALL)
    arms = group_runs(read_runs(find_results(tmp_path / "s")))
    assert {"hybrid α 1 → .5, linear", "hybrid α 1 → .75 → .25, steps"} <= set(labels(tmp_path / "s"))
    families = alpha_families(arms)
    assert [[alpha for alpha, _ in family] for family in families.values()] == [[0.25, 0.5, 1.0], *[[0.25, 0.5]] * 3]
    assert sorted(name.partition(" (")[0] for name in families) == [
        "tiny", "tiny", "tiny · α from 1, .75, steps", "tiny · α from 1, linear"
    ]  # fmt: skip
    for family in families.values():
        assert len({str(arm.config["sampler"].get("schedule")) for _, arm in family}) == 1


def test_history_is_in_the_order_of_steps(tmp_path: Path, write_run: WriteRun) -> None:
    (run,) = read_runs(find_results(write_run("r", epochs=(0, 2, 200))))
    assert [stored.provenance["epoch"] for stored in run.history] == [0, 2, 200]
    assert RunHistory(tmp_path / "r", {"config": {}}).metrics() == run.history[-1].metrics
