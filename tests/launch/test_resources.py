"""What a job may use beside others, without starting any."""

import threading
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

from hybrid_ir.launch import resources
from hybrid_ir.launch.resources import jobs_at_once, own_gpu, share_of_machine


@pytest.mark.parametrize(("n_jobs", "jobs"), [(2, 2), (-1, 8), (-2, 7), (-100, 1)])
def test_jobs_at_once_are_counted_as_joblib_does(n_jobs: int, jobs: int) -> None:
    assert jobs_at_once({"n_jobs": n_jobs}, cores=8) == jobs
    assert jobs_at_once({}, cores=8) is None


def test_a_gpu_is_held_by_one_job_and_freed_at_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "WAIT", 0.001)
    got = []

    def third() -> None:
        with own_gpu(tmp_path, 2) as gpu:
            got.append(gpu)

    waiting = threading.Thread(target=third)
    with own_gpu(tmp_path, 2) as first:
        with own_gpu(tmp_path, 2) as second:
            assert {first, second} == {0, 1}
            waiting.start()
            waiting.join(0.05)
            assert got == []
        waiting.join()
        assert got == [second]


@pytest.mark.parametrize(
    ("trainer", "launcher", "devices"),
    [
        ({"accelerator": "auto", "devices": 1}, {"n_jobs": 2}, [0]),
        ({"accelerator": "cpu", "devices": 1}, {"n_jobs": 2}, 1),
        ({"accelerator": "gpu", "devices": [1]}, {"n_jobs": 2}, [1]),  # the user's own choice
        ({"accelerator": "auto", "devices": 1}, {}, 1),  # one job after the other
    ],
)
def test_only_jobs_side_by_side_are_given_a_gpu_of_their_own(
    trainer: dict, launcher: dict, devices: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: None)
    cfg = OmegaConf.create({"trainer": trainer})
    threads = torch.get_num_threads()
    try:
        with share_of_machine(cfg, launcher, tmp_path):
            assert cfg.trainer.devices == devices
            assert torch.get_num_threads() <= threads
    finally:
        torch.set_num_threads(threads)
