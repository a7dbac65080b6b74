"""`train.py` as Lightning, torchrun and Slurm start it: two processes end where one does."""

import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.commands import program
from tests.test_commands import tiny  # noqa: F401

OPTIONS = ("logger=csv", "data.negatives=1", "model.dropout=0.0", "optim.eps=1e-4")  # eps: see tests/training/test_ddp
TOGETHER = ("trainer.accelerator=cpu", "trainer.precision=32-true")
Launch = Callable[[list[str], Path], list[subprocess.Popen[str]]]


def start(command: list[str], folder: Path, **variables: str) -> subprocess.Popen[str]:
    started, settings = program(*command, folder=folder)
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(started, **settings | {"env": settings["env"] | variables}, **pipes)


def alone(command: list[str], folder: Path) -> list[subprocess.Popen[str]]:
    return [start(command, folder)]


def lightning(command: list[str], folder: Path) -> list[subprocess.Popen[str]]:
    return [start([*command, "trainer=ddp_cpu"], folder)]


def torchrun(command: list[str], folder: Path) -> list[subprocess.Popen[str]]:
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    return [start([*launcher, *command, "trainer=ddp", *TOGETHER], folder)]


def srun(command: list[str], folder: Path) -> list[subprocess.Popen[str]]:
    """Two tasks on two nodes, told apart as srun does it: by nothing but the environment."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    job = {"SLURM_JOB_ID": "4242", "SLURM_JOB_NAME": "train", "SLURM_STEP_ID": "0", "MASTER_PORT": port}
    job |= {"SLURM_NTASKS": "2", "SLURM_NTASKS_PER_NODE": "1", "SLURM_NNODES": "2", "SLURM_NODELIST": "127.0.0.1"}
    return [
        start([*command, "trainer=slurm", *TOGETHER], folder, **job,
              SLURM_PROCID=str(rank), SLURM_NODEID=str(rank), SLURM_LOCALID="0")
        for rank in range(2)
    ]  # fmt: skip


def outcome(launch: Launch, overrides: list[str], folder: Path) -> tuple[dict, dict[str, str]]:
    """Checkpoint and last logged epoch of a run."""
    name = launch.__name__
    processes = launch(["train.py", *overrides, *OPTIONS, f"name={name}"], folder)
    for process in processes:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    (run,) = (folder / "outputs" / name).iterdir()  # one folder, not one a rank
    (metrics,) = run.rglob("metrics.csv")
    header, *rows = (line.split(",") for line in metrics.read_text().splitlines())
    column = header.index("train_epoch/loss")
    (epoch,) = (dict(zip(header, row, strict=True)) for row in rows if row[column])
    return torch.load(run / "checkpoints" / "last.ckpt", weights_only=True), epoch


def test_two_processes_of_any_launcher_end_where_one_does(tiny: list[str], tmp_path: Path) -> None:  # noqa: F811
    expected, logged = outcome(alone, tiny, tmp_path)
    for launch in (lightning, torchrun, srun):
        found, epoch = outcome(launch, tiny, tmp_path)
        assert found["HybridDataModule"] == expected["HybridDataModule"] | {"world_size": 2}  # plan and position in it
        for name, value in expected["state_dict"].items():
            torch.testing.assert_close(found["state_dict"][name], value, rtol=1e-4, atol=1e-6)
        shares = [name for name in logged if "/share/" in name]
        assert len(shares) >= 8 and [epoch[name] for name in shares] == [logged[name] for name in shares]
        for name in ("train_epoch/loss", "train_epoch/negatives", "world/multilingual/map"):
            assert float(epoch[name]) == pytest.approx(float(logged[name]), rel=1e-4)
