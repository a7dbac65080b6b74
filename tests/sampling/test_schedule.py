"""Alpha schedules: where they start and end, what they run over, and that the plan stays a function of position."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_ir.sampling.coverage import Coverage
from hybrid_ir.sampling.plan import BatchPlan
from hybrid_ir.sampling.policy import Hybrid
from hybrid_ir.sampling.sampler import BatchPlanSampler
from hybrid_ir.sampling.schedule import AlphaSchedule, Constant, Horizon, Ramp, RunLength, Steps
from tests.sampling.coverages import parallel, partial_corpus
from tests.sampling.test_plan import same

_alpha = st.floats(0, 1)
_ramps = st.builds(Ramp, start=_alpha, shape=st.sampled_from(["linear", "cosine"]))


@st.composite
def _steps(draw: st.DrawFn) -> Steps:
    until = sorted(draw(st.sets(st.floats(0.01, 1), min_size=1, max_size=4)))
    return Steps(draw(st.lists(_alpha, min_size=len(until), max_size=len(until))), until)


def planned(
    schedule: AlphaSchedule | None, alpha: float, epochs: int = 3, steps: int = 40, **options: int
) -> BatchPlan:
    policy = Hybrid(alpha, schedule=schedule)
    return BatchPlan([parallel(100)], policy, 6, 0, batches_per_epoch=steps, length=RunLength(epochs, **options))


@given(schedule=_ramps, alpha=_alpha, count=st.integers(2, 50))
def test_ramps_go_from_start_to_alpha_without_turning(schedule: Ramp, alpha: float, count: int) -> None:
    values = schedule(Horizon(count, count).progress(0, count), alpha)
    assert values[0] == schedule.start
    assert values[-1] == pytest.approx(alpha, abs=1e-15)
    assert (np.diff(values) * np.sign(alpha - schedule.start) >= -1e-12).all()
    low, high = schedule.bounds(alpha)
    assert (low - 1e-15 <= values).all() and (values <= high + 1e-15).all()


def test_the_middle_of_a_ramp() -> None:
    points = np.asarray([0.25, 0.5])
    assert Ramp(1.0, "linear")(points, 0.0) == pytest.approx([0.75, 0.5])
    assert Ramp(1.0, "cosine")(points, 0.0) == pytest.approx([(1 + np.sqrt(0.5)) / 2, 0.5])


@given(schedule=_steps(), alpha=_alpha, progress=_alpha)
def test_steps_hold_each_value_until_its_share(schedule: Steps, alpha: float, progress: float) -> None:
    left = [value for value, until in zip(schedule.values, schedule.until, strict=True) if progress < until]
    assert schedule(np.asarray([progress]), alpha)[0] == (left[0] if left else alpha)
    assert schedule.bounds(alpha) == (min(*schedule.values, alpha), max(*schedule.values, alpha))


@given(alpha=_alpha, corpus=partial_corpus(), epoch=st.integers(0, 3))
@settings(max_examples=25, deadline=None)
def test_a_constant_schedule_gives_the_plan_of_its_alpha(alpha: float, corpus: Coverage, epoch: int) -> None:
    plans = [
        BatchPlan([corpus, parallel(50)], Hybrid(alpha, schedule=schedule), 6, 1, length=RunLength(4)).epoch(epoch)
        for schedule in (None, Constant(), Ramp(alpha), Ramp(alpha, "cosine"), Steps((alpha,), (0.5,)))
    ]
    for plan in plans[1:]:
        assert all(same(plan[step], plans[0][step]) for step in range(len(plan)))


@pytest.mark.parametrize("schedule", [Ramp(1.0), Ramp(0.9, "cosine"), Steps((0.8, 0.2), (0.3, 0.7))], ids=repr)
@pytest.mark.parametrize("alpha", [0.0, 0.4])
def test_the_realised_share_follows_the_schedule(schedule: AlphaSchedule, alpha: float) -> None:
    """In windows of 500 batches over two epochs: the sum of Bernoulli draws, within 4 standard deviations."""
    plan = planned(schedule, alpha, epochs=2, steps=2500)
    drawn, expected = [], []
    for epoch in range(2):
        whole = plan.epoch(epoch)
        kinds = [plan.mixture.streams[number].kind for number in whole.stream_of_batch]
        drawn += [kind == "monolingual" for kind in kinds]
        expected += schedule(plan.progress(epoch), alpha).tolist()
    for window in np.split(np.asarray([drawn, expected], dtype=float), 10, axis=1):
        spread = np.sqrt((window[1] * (1 - window[1])).sum())
        assert abs(window[0].sum() - window[1].sum()) <= 4 * spread + 1e-9


def test_a_batch_is_certain_where_alpha_is_0_or_1() -> None:
    plan = planned(Steps((1.0, 0.0), (0.25, 0.75)), 1.0, epochs=4, steps=30)
    kinds = [[plan.epoch(epoch)[step].kind for step in range(30)] for epoch in range(4)]
    assert [set(epoch) for epoch in kinds] == [{"monolingual"}, {"crosslingual"}, {"crosslingual"}, {"monolingual"}]
    assert planned(Ramp(0.0), 0.0).policy.kinds == ("crosslingual",)
    assert planned(Steps((1.0,), (0.5,)), 1.0).policy.kinds == ("monolingual",)


@given(schedule=_ramps | _steps(), alpha=_alpha, seed=st.integers(0, 9), world=st.sampled_from([1, 2, 3]))
@settings(max_examples=25, deadline=None)
def test_a_scheduled_plan_is_pure_addressable_and_the_same_on_all_ranks(
    schedule: AlphaSchedule, alpha: float, seed: int, world: int
) -> None:
    policy = Hybrid(alpha, schedule=schedule)
    plans = [BatchPlan([parallel(60)], policy, 6, seed, length=RunLength(3)) for _ in range(2)]
    assert plans[0].fingerprint() == plans[1].fingerprint()
    backwards = [plans[0].epoch(2)[step] for step in reversed(range(10))][::-1]
    for rank in range(world):
        sampler = BatchPlanSampler(plans[1], rank, world)
        sampler.epoch, sampler.start = 2, 4  # a resumed run
        assert all(same(ours, whole.slice(rank, world)) for ours, whole in zip(sampler, backwards[4:], strict=True))


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
    plan = planned(Ramp(1.0), 0.0, epochs=3, steps=5)
    assert np.concatenate([plan.progress(epoch) for epoch in range(3)]) == pytest.approx(np.arange(15) / 14)
    limited = planned(Ramp(1.0), 0.0, epochs=2, steps=5, limit_train_batches=2)
    assert [limited.progress(epoch)[:2].tolist() for epoch in range(2)] == [[0, 1 / 3], [2 / 3, 1]]
    short = planned(Ramp(1.0, batches=3), 0.0, epochs=100, steps=5)
    assert short.progress(0).tolist() == [0, 0.5, 1, 1, 1] and short.progress(1).tolist() == [1] * 5
    with pytest.raises(ValueError, match=r"sampler.schedule has no end, as training has none"):
        planned(Ramp(1.0), 0.0, epochs=-1)


def test_the_length_of_the_run_is_part_of_a_scheduled_plan_alone() -> None:
    prints = {
        planned(schedule, 0.5, epochs=epochs).fingerprint() for schedule in (None, Constant()) for epochs in (2, -1)
    }
    assert len(prints) == 1
    varied = [(Ramp(1.0), 2), (Ramp(1.0), 3), (Ramp(0.9), 2), (Ramp(1.0, "cosine"), 2), (Steps((1.0,), (0.5,)), 2)]
    prints |= {planned(schedule, 0.5, epochs=epochs).fingerprint() for schedule, epochs in varied}
    assert len(prints) == 6
    fixed = {planned(Ramp(1.0, batches=9), 0.5, epochs=epochs).fingerprint() for epochs in (2, 3)}
    assert len(fixed) == 1


def test_a_settled_policy_is_that_of_the_end() -> None:
    assert Hybrid(0.3, schedule=Ramp(1.0)).settled() == Hybrid(0.3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Ramp(1.5), "sampler.schedule.start is 1.5; alpha is a probability"),
        (lambda: Ramp(0.5, "square"), "sampler.schedule.shape is 'square'; there are linear, cosine"),
        (lambda: Ramp(0.5, batches=0), "sampler.schedule.batches is 0; it must be at least 1"),
        (lambda: Constant(batches=-1), "sampler.schedule.batches is -1"),
        (lambda: Steps((0.5, -1), (0.2, 0.3)), "sampler.schedule.values is -1"),
        (lambda: Steps((0.5,), (0.2, 0.3)), r"values=\[0.5\] and until=\[0.2, 0.3\]; there must be as many"),
        (lambda: Steps((), ()), "at least one"),
        (lambda: Steps((0.5, 0.4), (0.5, 0.5)), "until must rise within"),
        (lambda: Steps((0.5,), (1.2,)), "until must rise within"),
    ],
)
def test_schedules_without_sense_are_refused(make: Callable[[], AlphaSchedule], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
