"""What torchrun and Slurm say about processes reaches the configuration; what cannot train together is refused."""

import os
from pathlib import Path

import pytest
from hydra.utils import instantiate
from lightning.pytorch.plugins.environments import SLURMEnvironment, TorchElasticEnvironment
from lightning.pytorch.utilities import rank_zero_only

from hybrid_ir.config.processes import process_count
from hybrid_ir.config.rules.train_rules import check_train
from hybrid_ir.launch.run_folder import run_dir
from tests.compose import compose_config

TORCHRUN = {
    "TORCHELASTIC_RUN_ID": "job", "WORLD_SIZE": "8", "LOCAL_WORLD_SIZE": "4", "RANK": "6", "LOCAL_RANK": "2",
    "GROUP_RANK": "1", "MASTER_ADDR": "localhost", "MASTER_PORT": "12345",
}  # fmt: skip
SLURM = {
    "SLURM_JOB_ID": "4242", "SLURM_JOB_NAME": "train", "SLURM_NTASKS": "8", "SLURM_NTASKS_PER_NODE": "4",
    "SLURM_NNODES": "2", "SLURM_PROCID": "6", "SLURM_NODEID": "1", "SLURM_LOCALID": "2", "SLURM_STEP_ID": "0",
    "SLURM_NODELIST": "node[3-4]",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No launcher before the test, and the first rank after it: a Trainer notes its rank for the whole process."""
    monkeypatch.setattr(rank_zero_only, "rank", getattr(rank_zero_only, "rank", 0))
    for name in {*TORCHRUN, *SLURM}:
        monkeypatch.delenv(name, raising=False)


def start(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    ("trainer", "variables", "environment"),
    [("ddp", TORCHRUN, TorchElasticEnvironment), ("slurm", SLURM, SLURMEnvironment)],
)
def test_launcher_decides_on_nodes_processes_and_rank(
    trainer: str, variables: dict[str, str], environment: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(monkeypatch, variables)
    cfg = compose_config("train", [f"trainer={trainer}", "data.batch_size=64"], tmp_path)
    check_train(cfg)
    assert (cfg.trainer.devices, cfg.trainer.num_nodes, process_count(cfg.trainer)) == (4, 2, 8)
    cfg.trainer.update(accelerator="cpu", precision="32-true")
    built = instantiate(cfg.trainer)
    assert type(built.strategy.cluster_environment) is environment
    assert (built.global_rank, built.local_rank, built.node_rank, built.world_size) == (6, 2, 1, 8)


def test_alone_there_is_one_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")  # as Lightning's own launcher leaves it for the processes it starts
    assert compose_config("train", ["trainer=ddp"], tmp_path).trainer.num_nodes == 1
    start(monkeypatch, SLURM | {"SLURM_JOB_NAME": "bash"})  # a shell inside a job
    assert compose_config("train", ["trainer=slurm"], tmp_path).trainer.num_nodes == 1


@pytest.mark.parametrize(
    ("devices", "count"), [("2", 2), ("[0,1,3]", 3), ("auto", 1), ("-1", 1)], ids=["number", "list", "auto", "all"]
)
def test_processes_are_counted_however_devices_are_given(devices: str, count: int, tmp_path: Path) -> None:
    cfg = compose_config("train", ["trainer=cpu", f"trainer.devices={devices}", "+trainer.num_nodes=3"], tmp_path)
    assert process_count(cfg.trainer) == 3 * count


@pytest.mark.parametrize("variables", [TORCHRUN, SLURM], ids=["torchrun", "srun"])
def test_other_processes_than_were_started_are_refused(
    variables: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(monkeypatch, variables)
    with pytest.raises(ValueError, match=r"8 processes were started .* trainer.devices=1 and .*num_nodes=1 make 1;"):
        check_train(compose_config("train", ["trainer=cpu"], tmp_path))
    with pytest.raises(ValueError, match="batch_size=100 is the global batch; it must be divisible by the 8 processes"):
        check_train(compose_config("train", ["trainer=ddp"], tmp_path))


def test_ranks_share_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start(monkeypatch, TORCHRUN)
    assert run_dir(str(tmp_path), "demo", None) == str(tmp_path / "demo" / "torchrun-job")
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")  # what torchrun sets where it is given no name
    with pytest.raises(ValueError, match="several nodes needs --rdzv_id"):
        run_dir(str(tmp_path), "demo", None)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "8")
    assert run_dir(str(tmp_path), "demo", None) == str(tmp_path / "demo" / f"torchrun-{os.getppid()}")
    start(monkeypatch, SLURM)
    assert run_dir(str(tmp_path), "demo", None) == str(tmp_path / "demo" / "slurm-4242-0")


def test_runs_from_a_shell_inside_a_job_do_not_share_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start(monkeypatch, SLURM | {"SLURM_JOB_NAME": "bash"})
    assert not Path(run_dir(str(tmp_path), "demo", None)).name.startswith("slurm")
