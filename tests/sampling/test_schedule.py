"""Alpha schedules: where they start and end, and what they run over."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_ir.sampling.plan import BatchPlan
from hybrid_ir.sampling.policy import Hybrid
from hybrid_ir.sampling.schedule import Horizon, Ramp, RunLength, Steps
from tests.sampling.coverages import alphas, parallel, ramps, steps


@given(schedule=ramps, alpha=alphas, count=st.integers(2, 50))
def test_ramps_go_from_start_to_alpha_monotonically(schedule: Ramp, alpha: float, count: int) -> None:
    values = schedule(Horizon(count, count).progress(0, count), alpha)
    assert values[0] == schedule.start
    assert values[-1] == pytest.approx(alpha, abs=1e-15)
    assert (np.diff(values) * np.sign(alpha - schedule.start) >= -1e-12).all()
    middle = schedule(np.asarray([0.25, 0.5]), alpha)
    left = [0.75, 0.5] if schedule.shape == "linear" else [(1 + np.sqrt(0.5)) / 2, 0.5]
    assert middle == pytest.approx([alpha * (1 - share) + schedule.start * share for share in left], abs=1e-12)
    assert Hybrid(alpha, schedule=schedule).settled() == Hybrid(alpha)
    low, high = schedule.bounds(alpha)
    assert (low - 1e-15 <= values).all() and (values <= high + 1e-15).all()


@given(schedule=steps(), alpha=alphas, progress=alphas)
def test_steps_hold_each_value_until_its_share(schedule: Steps, alpha: float, progress: float) -> None:
    left = [value for value, until in zip(schedule.values, schedule.until, strict=True) if progress < until]
    assert schedule(np.asarray([progress]), alpha)[0] == (left[0] if left else alpha)
    assert schedule.bounds(alpha) == (min(*schedule.values, alpha), max(*schedule.values, alpha))


@pytest.mark.parametrize(
    ("length", "total"),
    [
        (RunLength(3), 30),
        (RunLength(3, limit_train_batches=4), 12),
        (RunLength(3, limit_train_batches=0.5), 15),
        (RunLength(3, limit_train_batches=99), 30),
        (RunLength(-1, max_steps=25), 25),
        (RunLength(3, max_steps=25), 25),
        (RunLength(2, max_steps=25), 20),
        (RunLength(-1, max_steps=7, accumulate_grad_batches=3), 19),  # 4 steps an epoch: 3 + 3 + 3 + 1 batches
        (RunLength(-1, max_steps=8, accumulate_grad_batches=3), 20),
        (RunLength(), None),
        (RunLength(-1), None),
    ],
)
def test_the_batches_of_a_run(length: RunLength, total: int | None) -> None:
    assert length.batches(10) == total


def test_a_schedule_runs_from_the_first_to_the_last_planned_batch() -> None:
    def planned(schedule: Ramp, length: RunLength) -> BatchPlan:
        policy = Hybrid(0.0, schedule=schedule)
        return BatchPlan([parallel(100)], policy, 6, 0, batches_per_epoch=5, length=length)

    whole = planned(Ramp(1.0), RunLength(3))
    assert np.concatenate([whole.progress(epoch) for epoch in range(3)]) == pytest.approx(np.arange(15) / 14)
    limited = planned(Ramp(1.0), RunLength(2, limit_train_batches=2))
    assert [limited.progress(epoch)[:2].tolist() for epoch in range(2)] == [[0, 1 / 3], [2 / 3, 1]]
    short = planned(Ramp(1.0, batches=3), RunLength(100))
    assert short.progress(0).tolist() == [0, 0.5, 1, 1, 1] and short.progress(1).tolist() == [1] * 5
