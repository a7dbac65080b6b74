"""Panels are made without a run, and of benchmarks that do not judge every pair of languages."""

import json
import re
from dataclasses import replace

from hybrid_ir.evaluation.evaluator import evaluate
from hybrid_ir.reports.rendering.numerals import share
from hybrid_ir.reports.wandb.wandb_panels import evaluation_panels
from tests.evaluation.samples import HashEncoder, parallel_benchmark


def test_pairs_that_were_not_judged_are_left_empty() -> None:
    benchmark = replace(parallel_benchmark(4), settings=("crosslingual",))
    result = evaluate(HashEncoder(), benchmark, {"crosslingual": ["map"]})
    panels = evaluation_panels(result)
    table, page = panels["toy/matrix/map"].data, panels["toy/heat_map/map"].html
    assert [line[place + 1] for place, line in enumerate(table)] == [None] * 3
    assert json.loads(json.dumps(table)) == table  # no NaN, which JSON does not have
    values = {name.rpartition("/")[2]: value for name, value in result.metrics.items() if "-" in name}
    assert set(re.findall(r"<title>(..-..: [^<]+)</title>", page)) == {f"{p}: {share(v)}" for p, v in values.items()}
    assert page.count("<rect") == len(values) == 6 and "light-dark(" in page
