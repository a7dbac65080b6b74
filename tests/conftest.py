"""Fixtures that the whole suite shares: an offline environment and the place of the real development data."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

from tests.warm import reserve

REPOSITORY = Path(__file__).resolve().parents[1]
if sys.dont_write_bytecode:  # every process that a test starts would compile all libraries: 15 seconds each time
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ.setdefault("PYTHONPYCACHEPREFIX", str(REPOSITORY / ".pytest_cache" / "bytecode"))
    sys.pycache_prefix = os.environ["PYTHONPYCACHEPREFIX"]

settings.register_profile("suite", deadline=None)  # a busy machine may take any time over an example
settings.load_profile("suite")

os.environ.update(HF_HUB_OFFLINE="1", WANDB_MODE="offline", TOKENIZERS_PARALLELISM="false")
# One thread, here and in every process that a test starts: sums keep their order, and workers do not fight for cores.
os.environ["OMP_NUM_THREADS"] = "1"

reserve()  # one server of warm processes for all workers of pytest-xdist

pytest_plugins = ["tests.encoder_fixtures"]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with the real XQuAD-R, MLQA-R and mini MIRACL files; the test skips where it is absent."""
    root = Path(os.environ.get("HYBRID_IR_SHARED", REPOSITORY.parent / "shared")) / "data"
    if not root.is_dir():
        pytest.skip(f"no development data at {root}; set HYBRID_IR_SHARED to a folder that holds data/")
    return root
