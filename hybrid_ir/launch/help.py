"""What `--help` prints: every group with its choices and the values that are changed most, in the user's words.

The text around them is in conf/hydra/help; choices come from the YAML files themselves, so that they cannot be out of
date, and what is chosen and set comes from the rest of the command line: `train.py model=xlmr --help`.
"""

import textwrap
from collections.abc import Mapping

from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

WIDTH = 100
COLUMN = 19  # characters of a group's name
GROUPS = {
    "model": "the encoder",
    "sampler": "which languages meet in a batch",
    "data": "training corpora; several: data=[a,b]",
    "loss": "what is pulled together and pushed apart",
    "optim": "optimiser and learning rate schedule",
    "eval": "zero-shot benchmarks; several: eval=[a,b]",
    "baseline": "judged in place of a model",
    "trainer": "devices and processes",
    "callbacks": "checkpoints and early stopping",
    "logger": "where curves go; several: logger=[a,b]",
    "experiment": "a whole set-up with a name",
    "debug": "a short run to find a fault",
}
WITHIN = {  # groups within others, and one that is chosen of a second time
    "sampler/schedule": "how alpha comes to its value",
    "model@teacher.model": "what loss=distillation learns from; choices as of model",
}
LISTS = {"data": "corpora", "eval": "benchmarks"}  # groups that several choices are made of
VALUES = {
    "sampler.alpha": "share of monolingual batches (sampler=hybrid)",
    "sampler.weights.temperature": "evens out languages; see .question, .passage too",
    "data.batch_size": "rows of the global batch, over all processes",
    "data.on_leakage": "evaluation queries in it: stop, drop or ignore",
    "loss.temperature": "of the contrastive loss",
    "optim.learning_rate": "its highest value, after the warm-up",
    "model.name_or_path": "a folder, or a model of the hub",
    "trainer.max_epochs": "epochs to train for",
    "objective": "keeps the best checkpoint; sweeps optimise it",
    "seed": "of the batch plan, the weights and dropout",
    "ckpt_path": "a checkpoint to go on from; last: of this name",
    "resume_changes": "what may differ from it, such as [sampler.alpha]",
    "mining.count": "hard negatives an example",
    "mining.depth": "passages looked at for them",
    "mining.max_score_ratio": "of the answer's score, for a negative",
    "checkpoint": "a checkpoint, the folder of a run, or an export",
    "corpus": "a file of passages, or a list of files",
    "index": "folder of an index",
    "query": "one question, in the words that you would use",
    "queries": "a file of them, with id and text",
    "k": "passages to show",
    "language": "of passages: de, [de,en], own, null for all",
    "balance": "none, centroid, round_robin: docs/search.md",
    "backend": "exact or faiss",
    "format": "table, jsonl or trec",
    "out": "where to write to",
    "encoder": "where the index's encoder lies now, if moved",
    "run": "a TREC run made elsewhere, judged by `qrels`",
    "overwrite": "replace an earlier export",
    "onnx": "also write an ONNX graph",
    "license": "of the weights, such as mit; null states none",
    "push": "upload to this repository, ORG/NAME",
    "private": "make it a private one",
    "device": "auto, cpu or cuda",
    "paths.data": "folder of local data",
    "paths.outputs": "folder that runs are kept in",
}


def register_resolvers() -> None:
    """Interpolations of conf/hydra/help."""
    OmegaConf.register_new_resolver("help_groups", lambda *, _root_: group_table(_root_), replace=True)
    OmegaConf.register_new_resolver("help_values", lambda *, _root_: value_table(_root_), replace=True)


def group_table(cfg: DictConfig) -> str:
    """A paragraph a group: what it decides, what is chosen, and its choices."""
    loader = GlobalHydra.instance().config_loader()
    chosen: Mapping[str, str | None] = HydraConfig.get().runtime.choices
    lines = []
    for group, meaning in (GROUPS | WITHIN).items():
        if group not in chosen and group not in cfg:
            continue
        choices = [choice for choice in loader.get_group_options(group) if choice != "default" or group == "callbacks"]
        now = ", ".join(cfg[group][LISTS[group]]) if group in LISTS else chosen.get(group)
        lines.append(f"  {group:<{COLUMN}} {meaning}" + (f" (now: {now})" if now not in (None, "default") else ""))
        if choices:
            indent = " " * (COLUMN + 5)
            lines.append(textwrap.fill(" ".join(choices), WIDTH, initial_indent=indent, subsequent_indent=indent))
    return "\n".join(lines)


def value_table(cfg: DictConfig) -> str:
    """A line a value: its key with what it is now, and what it means."""
    lines = []
    for key, meaning in VALUES.items():
        parent, _, name = key.rpartition(".")
        node = OmegaConf.select(cfg, parent) if parent else cfg
        if isinstance(node, DictConfig) and name in node:
            value = node[name]
            setting = f"{key}={'null' if value is None else value}"
            lines.append(f"  {setting:<48} {meaning}")
    return "\n".join(lines)
