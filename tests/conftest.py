"""Fixtures that the whole suite shares: an offline environment and the place of the real development data."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("suite", deadline=None)  # a busy machine may take any time over an example
settings.load_profile("suite")

os.environ.update(HF_HUB_OFFLINE="1", WANDB_MODE="offline", TOKENIZERS_PARALLELISM="false")
# One thread, here and in every process that a test starts: sums keep their order, and workers do not fight for cores.
os.environ["OMP_NUM_THREADS"] = "1"

pytest_plugins = ["tests.encoder_fixtures"]
REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with the real XQuAD-R, MLQA-R and mini MIRACL files; the test skips where it is absent."""
    root = Path(os.environ.get("HYBRID_IR_SHARED", REPOSITORY.parent / "shared")) / "data"
    if not root.is_dir():
        pytest.skip(f"no development data at {root}; set HYBRID_IR_SHARED to a folder that holds data/")
    return root
