"""Schemas of the commands' configurations, and the words that their options take."""

from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from hybrid_ir.config.schemas.groups import CorporaConfig, PathsConfig
from hybrid_ir.encoder.model_config import ModelConfig
from hybrid_ir.mining.mining_config import MiningConfig
from hybrid_ir.search.index.index_config import BACKENDS, DTYPES, IndexConfig
from hybrid_ir.search.search_config import BALANCES, FORMATS, SearchConfig

CHOICES = {"backend": BACKENDS, "balance": BALANCES, "dtype": DTYPES, "format": FORMATS}


@dataclass
class MineSchema:
    """Everything `python -m hybrid_ir mine` takes."""

    name: str = MISSING
    checkpoint: str | None = None
    device: str = "auto"
    query_chunk: int = 1024
    out: str = MISSING
    mining: MiningConfig = field(default_factory=MiningConfig)
    paths: PathsConfig = field(default_factory=PathsConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    baseline: Any = None
    data: CorporaConfig = field(default_factory=CorporaConfig)


@dataclass
class ExportSchema:
    """Everything `python -m hybrid_ir export` takes.

    Attributes:
        checkpoint: a .ckpt file, or a run's folder.
        out: the folder to write.
        overwrite: replace an earlier export at `out`, and the content of the repository of `push`.
        onnx: also write the whole encoder as an ONNX graph.
        license: of the weights, by the hub's identifier (`mit`, `cc-by-sa-4.0`, `other`); null states none.
        push: repository of the hub to upload to, `ORG/NAME`; null for none.
        private: make that repository a private one, where it does not exist yet.
    """

    name: str = MISSING
    checkpoint: str = MISSING
    out: str = MISSING
    overwrite: bool = False
    onnx: bool = False
    license: str | None = None
    push: str | None = None
    private: bool = True
    paths: PathsConfig = field(default_factory=PathsConfig)


@dataclass
class IndexSchema(IndexConfig):
    """Everything `python -m hybrid_ir index` takes."""

    name: str = MISSING
    checkpoint: str | None = None
    device: str = "auto"
    paths: PathsConfig = field(default_factory=PathsConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    baseline: Any = None


@dataclass
class SearchSchema(SearchConfig):
    """Everything `python -m hybrid_ir search` takes."""

    name: str = MISSING
    device: str = "auto"
    query_chunk: int = 1024
    paths: PathsConfig = field(default_factory=PathsConfig)


@dataclass
class CheckSchema:
    """Everything `python -m hybrid_ir check` takes."""

    check: str = MISSING
    tokenizer: str | None = None
    json: bool = False


def register_commands() -> None:
    """Make the schemas known to Hydra, as `hybrid_ir.config.schemas.register` does those of training."""
    store = ConfigStore.instance()
    for name, schema in {
        "check": CheckSchema,
        "mine": MineSchema,
        "export": ExportSchema,
        "index": IndexSchema,
        "search": SearchSchema,
    }.items():
        store.store(group="schema", name=name, node=schema, package="_global_")
