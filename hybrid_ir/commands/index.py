"""Build an index of your own corpus, for `python -m hybrid_ir search`.

  python -m hybrid_ir index corpus=FILE out=DIR checkpoint=outputs/NAME/TIME  a run of train.py
  python -m hybrid_ir index corpus=FILE out=DIR model=labse                   a pretrained model
  python -m hybrid_ir index corpus=[a.jsonl,b.parquet] out=DIR model=labse    several files
  python -m hybrid_ir index corpus=FILE out=DIR model=labse backend=faiss     for many millions

A passage has an id and a text, and may have a title and a language. The same command resumes an
interrupted build. On several GPUs:

  torchrun --nproc_per_node 8 -m hybrid_ir index corpus=FILE out=DIR model=labse
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hydra
from omegaconf import DictConfig

from hybrid_ir import assembly
from hybrid_ir.config.programs import PathsConfig
from hybrid_ir.config.rules.common_rules import check_values
from hybrid_ir.config.rules.system_rules import check_system
from hybrid_ir.distributed import join_processes, rank_and_world
from hybrid_ir.encoder.model_config import ModelConfig
from hybrid_ir.launch.cli import entry_point
from hybrid_ir.launch.provenance import provenance
from hybrid_ir.search.index.approximate import FaissConfig, build_approximate
from hybrid_ir.search.index.build_index import IndexOptions, build_index
from hybrid_ir.search.index.index_folder import BACKENDS
from hybrid_ir.search.index.reference import Reference
from hybrid_ir.sources.errors import language_fault
from hybrid_ir.sources.formats.passages import find_files


@dataclass
class IndexConfig:
    """The configuration of the command, see conf/index.yaml."""

    name: str
    corpus: str | list[str]
    out: str
    checkpoint: str | None
    device: str
    language: str | None
    dtype: str
    block_size: int
    keep_empty: bool
    backend: str
    faiss: FaissConfig
    paths: PathsConfig
    model: ModelConfig
    baseline: Any


def check_index(cfg: DictConfig) -> None:
    """Check the configuration of an index.

    Raises:
        ValueError: there is not exactly one encoder, or a value is missing or invalid.
    """
    positive = ("block_size", "faiss.probes", "faiss.sample", "faiss.k")
    check_values(cfg, IndexConfig, {"backend": BACKENDS, "dtype": ("float32", "float16")}, *positive)
    if cfg.language is not None and (fault := language_fault(cfg.language)):
        raise ValueError(f"language: {fault}")
    check_system(cfg)


@entry_point
@hydra.main(config_path="../../conf", config_name="index", version_base="1.3")
def main(cfg: DictConfig) -> None:
    check_index(cfg)
    files = find_files([cfg.corpus] if isinstance(cfg.corpus, str) else list(cfg.corpus))
    out, started = Path(cfg.out), time.perf_counter()
    device = join_processes(assembly.choose_device(cfg.device))
    encoder = assembly.build_system(cfg, device)
    options = IndexOptions(cfg.language, cfg.dtype, cfg.block_size, cfg.keep_empty)
    index = build_index(out, files, encoder, Reference.of(cfg, encoder), options, provenance)
    approximate = build_approximate(index, cfg.faiss) if cfg.backend == "faiss" else None
    if rank_and_world()[0] > 0:
        return
    print("\n".join(f"{language:>10} {count:>12,}" for language, count in index.facts["languages"].items()))
    if approximate is not None:
        print(
            f"FAISS finds {approximate['recall']:.4f} of the {approximate['recall_at']} best passages "
            f"({approximate['sample']} passages as queries)"
        )
    passages, seconds = index.facts["passages"], time.perf_counter() - started
    print(f"{passages:,} passages, width {index.facts['width']}, in {out} after {seconds:.0f} s")


if __name__ == "__main__":
    main()
