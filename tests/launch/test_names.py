"""Names of sweeps and jobs: the same for the same command, different for different jobs."""

import pytest

from hybrid_ir.launch.sweep_names import LONGEST, job_name, sweep_name, swept_keys

COMMAND = ["sampler=hybrid", "sampler.alpha=0,0.25,1", "model=labse,xlmr", "seed=1,2,3", "paths.outputs=/tmp/x"]
PARAMS = {"sampler.alpha": "0,1", "seed": "1,2"}


@pytest.mark.parametrize(
    ("overrides", "params", "name"),
    [
        (COMMAND, None, "hybrid_alpha_model_seed"),
        (["sweep=alpha"], PARAMS, "sweep-alpha"),
        (["sweep=alpha", "seed=1,2,3,4"], PARAMS, "sweep-alpha"),
        (["study=a", "optim.learning_rate=1e-4"], PARAMS, "study-a_optim.learning_rate-1e-4"),
        ([*COMMAND, "name=mine"], None, "mine"),
        (["sampler.alpha=interval(0,1)"], None, "alpha"),
        (["paths.data=x"], None, "sweep"),
        (["experiment=a,b"], None, "experiment"),
        (["sampler.weights.temperature=.1,.2", "eval.subset.seed=3"], None,
         "eval.subset.seed-3_sampler.weights.temperature"),
    ],
)  # fmt: skip
def test_a_sweep_is_named_by_its_command(overrides: list[str], params: dict[str, str] | None, name: str) -> None:
    assert sweep_name(overrides, params) == name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["loss.temperature=.1,.2"], ["sampler.weights.temperature=.1,.2"]),
        (["seed=3", "model=tiny,labse"], ["eval.subset.seed=3", "model=tiny,labse"]),
        (["data=cldr", "seed=1,2"], ["eval=cldr", "seed=1,2"]),
    ],
)
def test_different_sweeps_have_different_folders(one: list[str], other: list[str]) -> None:
    assert sweep_name(one, None) != sweep_name(other, None)


def test_more_values_stay_in_the_same_folder() -> None:
    more = [override.replace("alpha=0,0.25,1", "alpha=0,0.1,0.25,1") for override in COMMAND]
    assert sweep_name(more, None) == sweep_name(COMMAND, None)


def test_a_job_is_named_by_what_varies() -> None:
    swept = swept_keys(COMMAND, PARAMS)
    assert swept == ["sampler.alpha", "seed", "model"]
    job = ["sampler=hybrid", "sampler.alpha=0.25", "model=labse", "seed=2", "paths.outputs=/tmp/x"]
    assert job_name(job, swept) == "alpha-0.25_seed-2_model-labse"
    assert job_name(job, []) == "job"
    assert job_name(["data.temperature=1", "loss.temperature=2"], ["data.temperature", "loss.temperature"]) == (
        "data.temperature-1_loss.temperature-2"
    )


def test_names_are_files_and_overrides_and_never_fall_together() -> None:
    values = ["[cldr,mmarco]", "[cldr;mmarco]", "a/b", "a b", "x" * 300, "x" * 301]
    names = [job_name([f"data={value}"], ["data"]) for value in values]
    assert len(set(names)) == len(values)
    assert not any(set(name) & set("=/,[] ") or len(name) > LONGEST + 7 for name in names)
