"""Configured training runs on made-up data, small enough for a second each."""

from collections.abc import Callable
from pathlib import Path

import lightning as L
import pytest
from omegaconf import DictConfig

from hybrid_ir import assembly
from hybrid_ir.training.module import DualEncoder
from tests.compose import compose_config
from tests.worlds import write_corpus, write_lareqa

TINY = [
    "model=tiny",
    "model.scratch.hidden_size=32",
    "model.scratch.layers=1",
    "model.scratch.heads=2",
    "model.scratch.vocab_size=400",
    "data=parallel_jsonl",
    "data.batch_size=8",
    "data.num_workers=0",
    "eval=xquad_r",
    "eval.benchmarks.xquad_r.name=world",
    "eval.benchmarks.xquad_r.folder=world",
    "trainer=cpu",
    "trainer.max_epochs=2",
    "trainer.log_every_n_steps=1",
    "optim.learning_rate=1e-3",
    "logger=none",
]

Configure = Callable[..., DictConfig]


@pytest.fixture
def configure(tmp_path: Path) -> Configure:
    """`configure(*overrides, run="a")` configures a tiny run in a folder of its own; data and cache are shared."""
    return tiny_runs(tmp_path)


def tiny_runs(folder: Path) -> Configure:
    """Make data in `folder`, and what the fixture `configure` says."""
    fixed = tiny_data(folder)

    def build(*overrides: str, run: str = "run") -> DictConfig:
        kept = [override for override in fixed if not _replaced(override, overrides)]
        cfg = compose_config("train", [*kept, *overrides], folder / run)
        cfg.paths.cache = str(folder / "cache")
        return cfg

    return build


def tiny_data(folder: Path) -> list[str]:
    """Make data in `folder`; overrides of a tiny run on it."""
    if not (folder / "data").exists():
        write_lareqa(folder / "data" / "world")
        write_corpus(folder / "corpus.jsonl")
    return [*TINY, f"data.corpora.parallel_jsonl.path={folder / 'corpus.jsonl'}", f"paths.data={folder / 'data'}"]


def _replaced(override: str, others: tuple[str, ...]) -> bool:
    """Whether `others` choose another model, corpus or benchmark than `override` sets a value of."""
    places = {"model": ("model=", "model."), "data": ("data=", "data.corpora."), "eval": ("eval=", "eval.benchmarks.")}
    groups = {other.split("=")[0] for other in others}
    return any(override.startswith(places[group]) for group in groups & places.keys())


class Run:
    """What `train.py` builds, for tests to look inside."""

    def __init__(self, cfg: DictConfig, *callbacks: L.Callback) -> None:
        L.seed_everything(cfg.seed, workers=True, verbose=False)
        self.cfg = cfg
        benchmarks, history = assembly.build_benchmarks(cfg), assembly.build_history(cfg)
        corpora = assembly.guard_corpora(cfg, assembly.build_corpora(cfg), benchmarks, history)
        encoder = assembly.build_model(cfg, corpora)
        teacher = assembly.build_teacher(cfg)
        self.datamodule = assembly.build_datamodule(cfg, corpora, encoder, teacher, assembly.build_validation(cfg))
        self.module: DualEncoder = assembly.build_module(cfg, encoder, self.datamodule, teacher)
        self.trainer = assembly.build_trainer(cfg, benchmarks, history)
        self.trainer.callbacks.extend(callbacks)

    def fit(self, checkpoint: Path | None = None) -> "Run":
        self.trainer.fit(self.module, self.datamodule, ckpt_path=checkpoint)
        return self
