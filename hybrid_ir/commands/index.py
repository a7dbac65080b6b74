"""Makes an index of a corpus: `python -m hybrid_ir index corpus=FILE out=DIR checkpoint=PATH`, or `model=labse`.

The same command goes on where one was cut off. On several GPUs:
`torchrun --nproc_per_node 8 -m hybrid_ir index corpus=FILE out=DIR model=labse`.
"""

import time
from pathlib import Path

import hydra
from omegaconf import DictConfig

from hybrid_ir import assembly
from hybrid_ir.commands.rules.systems import check_index
from hybrid_ir.commands.schemas import register_commands
from hybrid_ir.distributed import join_processes, rank_and_world
from hybrid_ir.launch.cli import entry_point
from hybrid_ir.launch.provenance import provenance
from hybrid_ir.search.index.approximate import build_approximate
from hybrid_ir.search.index.build_index import IndexOptions, build_index
from hybrid_ir.search.index.reference import Reference
from hybrid_ir.sources.formats.passages import find_files

register_commands()


@entry_point
@hydra.main(config_path="../../conf", config_name="index", version_base="1.3")
def main(cfg: DictConfig) -> None:
    check_index(cfg)
    files = find_files([cfg.corpus] if isinstance(cfg.corpus, str) else list(cfg.corpus))
    out, started = Path(cfg.out), time.perf_counter()
    device = join_processes(assembly.choose_device(cfg.device))
    encoder = assembly.build_system(cfg, device)
    options = IndexOptions(cfg.language, cfg.dtype, cfg.block_size)
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
