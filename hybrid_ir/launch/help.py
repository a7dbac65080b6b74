"""The text of `--help`: what the program does, all groups with their choices, and where settings are explained.

Choices are the YAML files. The marked choices respect the other arguments, as in `train.py model=xlmr --help`.
"""

import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra._internal.utils import get_args_parser
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

CONF = Path(__file__).resolve().parents[2] / "conf"
WIDTH = 100
COLUMN = 19  # characters of a group's name
GROUPS = {
    "model": "the encoder",
    "sampler": "batch policy: which languages are in a batch",
    "sampler/schedule": "how alpha changes during training",
    "data": "training corpora; several: data=[a,b]",
    "data/validation": "corpora of the validation loss; several: [a,b]",
    "loss": "training objective",
    "model@teacher.model": "teacher of loss=distillation; choices as for model",
    "optim": "optimiser and learning rate schedule",
    "eval": "zero-shot benchmarks; several: eval=[a,b]",
    "baseline": "evaluated in place of a model",
    "trainer": "devices and processes",
    "callbacks": "checkpoints and early stopping",
    "logger": "experiment tracking; several: logger=[a,b]",
    "experiment": "a whole set-up",
    "study": "a set-up of the published studies",
    "sweep": "many runs with one command",
    "debug": "a short run to find a fault",
}
LISTS = {"data": "corpora", "data/validation": "corpora", "eval": "benchmarks"}  # groups that take several choices
FLAGS = """\
  --cfg job             show the configuration the overrides make; --resolve fills in references,
                        -p GROUP shows one part
  -sc install=bash      code for completion by the Tab key (also zsh, fish): docs/sweeps.md
  --hydra-help          Hydra's own flags
"""
SWEEP_FLAG = """\
  -m                    a sweep: every combination of the comma-separated values
"""


def asked_help(words: Sequence[str]) -> str | None:
    """The help text if `--help` is among the arguments; otherwise None.

    Hydra's own `--help` first lists every group of every package, which takes seconds.
    """
    known = get_args_parser().parse_known_args(list(words))[0]
    if not known.help:
        return None
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose(known.config_name or Path(sys.argv[0]).stem, known.overrides, return_hydra_config=True)
        HydraConfig.instance().set_config(cfg)
        return help_text(cfg)


def help_text(cfg: DictConfig) -> str:
    """The help text of the running program."""
    program = str(HydraConfig.get().job.config_name)
    parts = [str(getattr(sys.modules["__main__"], "__doc__", None) or "").strip()]
    if groups := group_table(cfg):
        parts.append(f"GROUP=CHOICE, one of each group:\n\n{groups}")
    files = f"conf/{program}.yaml" + (" and conf/GROUP/CHOICE.yaml" if groups else "")
    parts.append(f"KEY=VALUE, any setting; defaults and meanings: {files}.")
    parts.append(f"Flags:\n\n{SWEEP_FLAG if program == 'train' else ''}{FLAGS}")
    return "\n\n".join(parts)


def group_table(cfg: DictConfig) -> str:
    """A paragraph for each group: its meaning, the current choice, and all choices."""
    loader = GlobalHydra.instance().config_loader()
    chosen: Mapping[str, str | None] = HydraConfig.get().runtime.choices
    lines = []
    for group, meaning in GROUPS.items():
        node = OmegaConf.select(cfg, group.replace("/", "."))
        if group not in chosen and node is None:
            continue
        choices = [choice for choice in loader.get_group_options(group) if choice != "default" or group == "callbacks"]
        now = ", ".join(node[LISTS[group]]) if group in LISTS else chosen.get(group)
        lines.append(f"  {group:<{COLUMN}} {meaning}" + (f" (now: {now})" if now not in (None, "", "default") else ""))
        if choices:
            indent = " " * (COLUMN + 5)
            lines.append(textwrap.fill(" ".join(choices), WIDTH, initial_indent=indent, subsequent_indent=indent))
    return "\n".join(lines)
