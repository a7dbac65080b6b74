"""Formulas at their edges, where an off-by-one hides from random cases."""

import numpy as np
import pytest

from hybrid_ir.evaluation.evaluator import DEFAULT_MEASURES, evaluate
from hybrid_ir.evaluation.measures.measures import Measure
from hybrid_ir.evaluation.measures.rank_lists import RankLists
from hybrid_ir.evaluation.measures.significance import PairedValues, compare
from hybrid_ir.sampling.schedule import Steps
from tests.evaluation.samples import HashEncoder
from tests.reports.test_contributions import uneven_benchmark


def test_a_step_of_a_schedule_begins_where_the_one_before_ends() -> None:
    steps = Steps(values=(1.0, 0.75), until=(0.25, 0.5))
    assert steps(np.array([0.0, 0.2499, 0.25, 0.4999, 0.5, 1.0]), 0.1).tolist() == [1, 1, 0.75, 0.75, 0.1, 0.1]


@pytest.mark.parametrize(("measure", "value"), [("map@1", 1 / 3), ("recall@2", 2 / 3), ("rr@1", 1.0), ("ndcg@1", 1.0)])
def test_a_cut_leaves_the_number_of_relevant_passages(measure: str, value: float) -> None:
    lists = RankLists(np.array([0, 3]), np.array([1, 2, 7]))
    assert Measure.parse(measure)(lists)[0] == pytest.approx(value)


def test_the_least_p_of_a_sampled_test_is_one_in_all_samples_and_the_observation() -> None:
    query_groups = np.arange(64)
    one = PairedValues(query_groups, np.zeros(64), np.ones(64))
    assert compare([one], samples=99).macro.p == pytest.approx(1 / 100)


def test_queries_without_a_value_are_left_out_of_means() -> None:
    """A question without a translation has no other list to compare its own with."""
    result = evaluate(HashEncoder(), uneven_benchmark(), DEFAULT_MEASURES)
    assert all(np.isfinite(value) for value in result.metrics.values())
    rows = [row for row in result.rows if (row.setting.kind, row.setting.query_language) == ("multilingual", "de")]
    queries = {row.measure.name: row.queries for row in rows}
    assert 0 < queries["own_language_advantage@10"] < queries["map"]
