"""Checks a corpus before it is trained on: `python -m hybrid_ir check check=FILE`; exit status 1 where it cannot be."""

import json
import sys

import hydra
from omegaconf import DictConfig

from hybrid_ir.commands.rules.check_rules import check_check
from hybrid_ir.commands.schemas import register_commands
from hybrid_ir.data.check.inspection import inspect
from hybrid_ir.data.check.profile import CHARACTERS, TOKENS, token_counter
from hybrid_ir.launch.cli import entry_point

register_commands()


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
