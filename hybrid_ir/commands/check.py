"""Check a corpus, or the batches of a training configuration.

  python -m hybrid_ir check check=pairs.jsonl                      a file of data=parallel_jsonl
  python -m hybrid_ir check check=my_squad_folder                  {language}.json, as data=squad reads them
  python -m hybrid_ir check check=pairs.jsonl tokenizer=my/model   lengths in tokens
  python -m hybrid_ir check check=pairs.jsonl json=true            for programs
  python -m hybrid_ir check data=[cldr,squad_xtreme] sampler=mono  which batches train.py would draw with these words

Of a corpus it reports errors that stop training, warnings about probable mistakes, and a profile; the exit status is 1
if there are errors. docs/data.md lists all checks. Of a training configuration it reports the expected shares of
batches by kind, corpus and language; it reads the corpora, but does not look for evaluation texts in them.
"""

import json
import sys
from dataclasses import dataclass

import hydra
from omegaconf import DictConfig, OmegaConf

from hybrid_ir import assembly
from hybrid_ir.config.programs import TrainConfig
from hybrid_ir.config.rules.common_rules import check_values, chosen
from hybrid_ir.config.rules.train_rules import check_train
from hybrid_ir.data.check.inspection import inspect
from hybrid_ir.data.check.profile import CHARACTERS, TOKENS, token_counter
from hybrid_ir.launch.cli import entry_point
from hybrid_ir.training.data.share_table import plan_shares, share_lines


@dataclass(kw_only=True)
class CheckConfig(TrainConfig):
    """The configuration of the command, see conf/check.yaml: that of a training run, and what to check."""

    check: str | None = None
    tokenizer: str | None = None
    json: bool = False


OWN = ("check", "tokenizer", "json")


def check_check(cfg: DictConfig) -> None:
    """Check the configuration of the command.

    Raises:
        ValueError: nothing to check is given, a value is invalid, or one has no effect.
    """
    check_values(cfg, CheckConfig)
    words = chosen() - {"check", "json", "paths", "hydra"}
    if cfg.check is None and not words:
        raise ValueError("no value for check; give a file as check=..., or words of train.py, such as data=cldr")
    unused = sorted(word for word in words if (word == "tokenizer") == (cfg.check is None))
    if unused:
        fits = "with check=..." if cfg.check is None else "without check=..., for the plan of a training run"
        raise ValueError(f"{', '.join(unused)} has no effect here; give it {fits}")
    if cfg.check is None:
        check_train(training(cfg))


def training(cfg: DictConfig) -> DictConfig:
    """The configuration without the command's own keys, as `train.py` has it."""
    return OmegaConf.masked_copy(cfg, [str(key) for key in cfg if key not in OWN])


def check_plan(cfg: DictConfig) -> None:
    """Print the expected shares of the batches of a training configuration."""
    plan = assembly.build_datamodule(training(cfg), assembly.build_corpora(cfg), None).plan
    if cfg.json:
        shares = [share._asdict() for share in plan_shares(plan)]
        print(json.dumps({"batches": len(plan), "batch_size": plan.batch_size, "shares": shares}, indent=1))
        return
    print(f"{len(plan):,} batches of {plan.batch_size} in an epoch; expected shares in per cent:")
    print("\n".join(share_lines(plan)))


def check_corpus(cfg: DictConfig) -> None:
    """Print the report of a corpus. Ends the program with status 1 if there are errors."""
    if cfg.tokenizer is None:
        report = inspect(cfg.check, len, CHARACTERS)
    else:
        report = inspect(cfg.check, token_counter(cfg.tokenizer), TOKENS)
    print(json.dumps(report.facts(), indent=1) if cfg.json else "\n".join(report.lines()))
    if report.faults:
        sys.exit(1)


@entry_point
@hydra.main(config_path="../../conf", config_name="check", version_base="1.3")
def main(cfg: DictConfig) -> None:
    check_check(cfg)
    (check_plan if cfg.check is None else check_corpus)(cfg)


if __name__ == "__main__":
    main()
