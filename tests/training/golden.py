"""The golden run: 50 hybrid steps on the built-in facts, its losses and results, as they are to stay.

    python -m tests.training.golden

writes `golden.json` anew. Do so only where a change of results is meant, and say in the commit what it comes from.
"""

import hashlib
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hybrid_ir.evaluation.results.result_files import read_results
from tests.compose import compose_config
from tests.training.conftest import Run
from tests.training.probes import Recorder

FILE = Path(__file__).with_name("golden.json")
STEPS = 50
# Between AVX-512, AVX2 and neither, and between one thread and two, losses differed by 1e-6 of their size and results
# by 1e-5. Other libraries may round more coarsely; what a fault does is larger than these.
LOSS_TOLERANCE, METRIC_TOLERANCE = 1e-4, 1e-3
OVERRIDES = [
    "experiment=quickstart", "sampler=hybrid", "seed=1", "logger=none", "data.batch_size=64",
    "trainer.max_epochs=-1", f"trainer.max_steps={STEPS}", "eval.every_n_epochs=1000", "eval.at_start=false",
    "eval.measures.multilingual=[map,recall@10,rank_distance,own_language_advantage@10,language_preference_rate]",
]  # fmt: skip


@dataclass(frozen=True)
class Golden:
    """What a run came to.

    Attributes:
        plan: SHA-256 of kinds, examples and languages of all batches.
        losses: of every step.
        metrics: macro averages of the evaluation at the end.
    """

    plan: str
    losses: list[float]
    metrics: dict[str, float]


def run(folder: Path) -> Golden:
    """Train and evaluate in `folder`."""
    recorder = Recorder()
    Run(compose_config("train", OVERRIDES, folder), recorder).fit()
    plan = hashlib.sha256()
    for _, kind, *rows, _ in recorder.batches:
        plan.update(json.dumps([kind, *zip(*rows, strict=True)]).encode())
    results = read_results(folder / "results.json")
    macro = {row.group for row in results.rows}
    metrics = {name: value for name, value in results.metrics.items() if name in macro}
    return Golden(plan.hexdigest(), recorder.losses, metrics)


def stored() -> Golden:
    return Golden(**json.loads(FILE.read_text(encoding="utf-8")))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = run(Path(folder))
    content = {
        "plan": found.plan,
        "losses": [round(loss, 6) for loss in found.losses],
        "metrics": {name: round(value, 6) for name, value in found.metrics.items()},
    }
    FILE.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {FILE}")


if __name__ == "__main__":
    main()
