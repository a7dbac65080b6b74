"""Multilingual dense retrieval: training on hybrid batches and zero-shot evaluation.

Import the public names from here (`from hybrid_ir import evaluate`). Each is loaded on first use, so `import hybrid_ir`
itself is fast and does not import PyTorch. docs/api.md has an example of each.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# Public name -> module that defines it, or `module:name` if its name there is another.
_PUBLIC = {
    "BatchConfig": "hybrid_ir.training.data.batch_config",
    "BatchPlan": "hybrid_ir.sampling.plan",
    "Benchmark": "hybrid_ir.evaluation.benchmarks.benchmark",
    "DualEncoder": "hybrid_ir.training.module",
    "Hybrid": "hybrid_ir.sampling.policy",
    "HybridDataModule": "hybrid_ir.training.data.datamodule",
    "InfoNCE": "hybrid_ir.losses.infonce",
    "ModelConfig": "hybrid_ir.encoder.model_config",
    "OptimizerConfig": "hybrid_ir.training.optimizer",
    "ParallelCorpus": "hybrid_ir.data.corpus",
    "Result": "hybrid_ir.evaluation.results.result",
    "TextEncoder": "hybrid_ir.encoder.text_encoder",
    "build_encoder": "hybrid_ir.encoder.build",
    "evaluate": "hybrid_ir.evaluation.evaluator",
    "load_cldr": "hybrid_ir.evaluation.benchmarks.cldr_questions",
    "load_encoder": "hybrid_ir.encoder.loading.published",
    "load_folder": "hybrid_ir.evaluation.benchmarks.folder",
    "load_lareqa": "hybrid_ir.evaluation.benchmarks.lareqa",
    "load_pairs": "hybrid_ir.data.readers.parallel_jsonl:read",
}

__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> Any:
    """Load a public name from its module, once."""
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, defined_as = _PUBLIC[name].partition(":")
    value = globals()[name] = getattr(import_module(module), defined_as or name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
