"""Check a corpus: report errors that stop training, warnings about probable mistakes, and a profile.

  python -m hybrid_ir check check=pairs.jsonl                      a file of data=parallel_jsonl
  python -m hybrid_ir check check=my_squad_folder                  {language}.json, as data=squad reads them
  python -m hybrid_ir check check=pairs.jsonl tokenizer=my/model   lengths in tokens
  python -m hybrid_ir check check=pairs.jsonl json=true            for programs

The exit status is 1 if there are errors. docs/data.md lists all checks.
"""

import json
import sys
from dataclasses import dataclass

import hydra
from omegaconf import DictConfig

from hybrid_ir.config.rules.common_rules import check_values
from hybrid_ir.data.check.inspection import inspect
from hybrid_ir.data.check.profile import CHARACTERS, TOKENS, token_counter
from hybrid_ir.launch.cli import entry_point


@dataclass
class CheckConfig:
    """The configuration of the command, see conf/check.yaml."""

    check: str
    tokenizer: str | None
    json: bool


def check_check(cfg: DictConfig) -> None:
    """Check the configuration of the command.

    Raises:
        ValueError: no file is given, or a value is invalid.
    """
    check_values(cfg, CheckConfig)


@entry_point
@hydra.main(config_path="../../conf", config_name="check", version_base="1.3")
def main(cfg: DictConfig) -> None:
    check_check(cfg)
    if cfg.tokenizer is None:
        report = inspect(cfg.check, len, CHARACTERS)
    else:
        report = inspect(cfg.check, token_counter(cfg.tokenizer), TOKENS)
    print(json.dumps(report.facts(), indent=1) if cfg.json else "\n".join(report.lines()))
    if report.faults:
        sys.exit(1)


if __name__ == "__main__":
    main()
