"""Where a run resumes, and what it refuses; that it ends as the uninterrupted one is contracts/test_resume.py's."""

from pathlib import Path

import pytest
import torch
from omegaconf import DictConfig, OmegaConf

from hybrid_ir.config.rules.resume_rules import check_resume
from hybrid_ir.launch.resuming import newest_checkpoint, resume_point
from tests.training.conftest import Configure, Run
from tests.training.probes import content

SCHEDULED = ("sampler/schedule=linear", "sampler.alpha=0", "sampler.weights.question={de: 3}")


def plan_fingerprint(cfg: DictConfig) -> str:
    return Run(cfg).datamodule.plan.fingerprint()


@pytest.mark.parametrize("other", ["trainer.max_epochs=4", "trainer.max_steps=9", "+trainer.limit_train_batches=5"])
def test_a_schedule_binds_the_length_of_the_run(configure: Configure, other: str) -> None:
    first = configure("trainer.max_epochs=3", *SCHEDULED)
    kept = [] if "max_epochs" in other else ["trainer.max_epochs=3"]
    second = configure(*kept, *SCHEDULED, other, run="longer")
    with pytest.raises(ValueError, match=f"{other.lstrip('+')} .(was|not in)"):
        check_resume(second, OmegaConf.to_container(first, resolve=True))
    assert plan_fingerprint(first) != plan_fingerprint(second)


@pytest.mark.parametrize("free", [(*SCHEDULED, "sampler.schedule.batches=7"), ("sampler/schedule=constant",)])
def test_a_schedule_of_its_own_length_leaves_the_run_free(configure: Configure, free: tuple[str, ...]) -> None:
    first, longer = (configure(f"trainer.max_epochs={epochs}", *free, run=str(epochs)) for epochs in (3, 4))
    check_resume(longer, OmegaConf.to_container(first, resolve=True))
    assert plan_fingerprint(first) == plan_fingerprint(longer)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (("trainer.max_epochs=9", "data.num_workers=2", "model.max_tokens=64", "name=moved"), None),
        (("loss.temperature=0.2", "model.max_passage_length=16"),
         r"loss.temperature=0.2 \(was 0.05\), model.max_passage_length=16 .was 128"),
        (("trainer.precision=bf16-mixed",), "trainer.precision=bf16-mixed"),
        (("+trainer.limit_train_batches=5",), r"trainer.limit_train_batches=5 \(not in the checkpoint\)"),
    ],
)  # fmt: skip
def test_other_values_than_the_checkpoints_are_refused(
    configure: Configure, changed: tuple[str, ...], message: str | None
) -> None:
    before, now = OmegaConf.to_container(configure(), resolve=True), configure(*changed)
    if message is None:
        check_resume(now, before)
    else:
        with pytest.raises(ValueError, match=message):
            check_resume(now, before)


def test_field_that_came_after_the_checkpoint_had_its_default(configure: Configure) -> None:
    before = OmegaConf.to_container(configure(), resolve=True)
    assert isinstance(before, dict)
    for group, field in (("data", "on_leakage"), ("data", "on_shared_passages"), ("loss", "temperature")):
        del before[group][field]
    del before["sampler"]["weights"], before["model"]["reinit_layers"], before["teacher"]
    check_resume(configure(), before)
    with pytest.raises(ValueError, match=r"other values than this run's: data.on_leakage=drop \(was stop\); resume"):
        check_resume(configure("data.on_leakage=drop"), before)


@pytest.mark.parametrize("damage", ["flipped bit", "cut off", "empty"])
def test_damaged_newest_checkpoint_gives_way_to_the_one_before(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    for step, name in ((6, "previous.ckpt"), (12, "last.ckpt")):
        torch.save({"global_step": step, "weights": torch.arange(1000.0)}, folder / name)
    assert newest_checkpoint(tmp_path) == folder / "last.ckpt"
    for name, expected in (("last.ckpt", folder / "previous.ckpt"), ("previous.ckpt", None)):
        whole = (folder / name).read_bytes()
        middle = len(whole) // 2
        flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
        (folder / name).write_bytes({"flipped bit": flipped, "cut off": whole[:middle], "empty": b""}[damage])
        if expected is None:
            with pytest.raises(ValueError, match=r"no checkpoint of .* is (whole|intact): .*damaged"):
                newest_checkpoint(tmp_path)
        else:
            assert newest_checkpoint(tmp_path) == expected
            assert "last.ckpt is damaged" in caplog.text and "after 6 steps" in caplog.text


def test_requeued_job_resumes_unasked_from_the_newest_and_nothing_else_does(
    configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Run(configure("trainer.max_epochs=1")).fit()
    cfg, folder = configure("trainer.max_epochs=2"), tmp_path / "run"
    with pytest.raises(ValueError, match=r"run holds the checkpoints of another run; .*ckpt_path=last, .*name="):
        resume_point(cfg)  # a second run of one job is not a job started anew
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    point = resume_point(cfg)
    assert point is not None and point.finished is None and point.path == folder / "checkpoints" / "last.ckpt"
    torch.save(content(folder) | {"global_step": 7}, folder / "hpc_ckpt_1.ckpt")  # Lightning's, at a requeue signal
    assert getattr(resume_point(cfg), "path", None) == folder / "hpc_ckpt_1.ckpt"
    assert resume_point(configure("trainer.max_epochs=2", run="other")) is None

    with pytest.raises(ValueError, match="another batch plan: seed, sampler"):
        Run(configure("seed=2", "trainer.max_epochs=2", run="other")).fit(point.path)
    with pytest.raises(ValueError, match=r"another encoder .* pooling, backbone.hidden_size differ"):
        Run(configure("model.scratch.hidden_size=16", "model.pooling=cls", run="other")).fit(point.path)
    with pytest.raises(ValueError, match=r"another encoder .* lora differ"):
        Run(configure("model.lora.rank=3", run="other")).fit(point.path)


def test_finished_runs_are_known(configure: Configure) -> None:
    Run(configure("trainer.max_epochs=3", "callbacks=early_stopping", "optim.learning_rate=1e-12",
                  "callbacks.early_stopping.patience=1")).fit()  # fmt: skip
    for ending, reason in (
        (["trainer.max_epochs=2"], "2 of 2 epochs are done (12 steps)"),
        (["trainer.max_steps=12"], "12 of 12 steps are done"),
        (["callbacks=early_stopping", "trainer.max_epochs=9"], "stopped early, after 12 steps"),
        (["trainer.max_epochs=9"], None),
    ):
        point = resume_point(configure("optim.learning_rate=1e-12", *ending, "ckpt_path=last"))
        assert point is not None
        assert point.finished is None if reason is None else reason in str(point.finished)
