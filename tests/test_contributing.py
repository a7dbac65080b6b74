"""The examples of CONTRIBUTING.md: each in its file, in a copy of the code, trained and judged together."""

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from tests.commands import SECONDS, program_environment
from tests.pages import REPOSITORY, blocks
from tests.training.conftest import TINY
from tests.warm import python

GUIDE = REPOSITORY / "CONTRIBUTING.md"
EXAMPLES = {
    match[1]: block.text.partition("\n")[2]
    for block in blocks(GUIDE, "python", "yaml")
    if (match := re.match(r"# (\S+\.(?:py|yaml))\n", block.text))
}


def test_each_extension_is_a_file_or_two() -> None:
    assert len(EXAMPLES) == len(blocks(GUIDE, "python", "yaml")) == 9
    assert not [name for name in EXAMPLES if (REPOSITORY / name).exists()]


def test_the_examples_train_together(tmp_path: Path) -> None:
    for name in ("hybrid_ir", "conf"):
        shutil.copytree(REPOSITORY / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "train.py", tmp_path)
    for name, text in EXAMPLES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    rows = [[f"{language} {number}" for language in ("Wort", "word", "palabra")] for number in range(24)]
    table = "\n".join("\t".join(row) for row in [["de", "en", "es"], *rows])
    (tmp_path / "terms.tsv").write_text(table, encoding="utf-8")
    (block,) = (block for block in blocks(GUIDE, "bash") if block.mark == "run by")
    small = [word for word in TINY if not word.startswith(("data=", "eval"))]
    command = [python(), *shlex.split(block.commands[0])[1:], *small, "trainer.max_epochs=1", "name=all"]
    done = subprocess.run(
        command, cwd=tmp_path, env=program_environment(tmp_path), capture_output=True, text=True, timeout=SECONDS
    )
    assert done.returncode == 0, done.stderr
    (run,) = (tmp_path / "outputs" / "all").iterdir()
    metrics = json.loads((run / "results.json").read_text(encoding="utf-8"))["metrics"]
    assert {"numerals/multilingual/map", "numerals/multilingual/success@3/de"} <= metrics.keys()


def test_the_loss_is_what_it_says() -> None:
    names: dict[str, object] = {}
    exec(EXAMPLES["hybrid_ir/losses/margin.py"], names)
    loss = names["MarginInfoNCE"](margin=0.2, temperature=0.5)  # type: ignore[operator]
    scores = torch.rand(3, 4, generator=torch.Generator().manual_seed(0)).requires_grad_()
    own, absent = torch.arange(3), torch.zeros(3, 4, dtype=torch.bool)
    less = scores - 0.2 * F.one_hot(own, 4)
    expected = F.cross_entropy(less / 0.5, own, reduction="none")
    found = loss.row_losses([scores], absent, own[:, None])[0]
    torch.testing.assert_close(found, expected)
    (gradient,) = torch.autograd.grad(found.sum(), scores, retain_graph=True)
    torch.testing.assert_close(gradient, torch.autograd.grad(expected.sum(), scores)[0])


def test_the_measure_is_what_it_says() -> None:
    from hybrid_ir.evaluation.measures.rank_lists import RankLists

    names: dict[str, object] = {}
    exec(EXAMPLES["hybrid_ir/evaluation/measures/definitions/success.py"], names)
    lists = RankLists(np.array([0, 2, 3]), np.array([2, 9, 4]))
    assert [names["Success"](k)(lists).tolist() for k in (1, 2, 4)] == [[0, 0], [1, 0], [1, 1]]  # type: ignore[operator]
