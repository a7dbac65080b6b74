"""Which options tell configurations apart: by value, and of parts of different classes by class."""

import pytest

from hybrid_ir.reports.arms import differing, settings_of

NCE = {"_target_": "a.loss.InfoNCE", "temperature": 0.05}
POOLED = {"_target_": "a.pooled.Pooled", "temperature": 0.05, "languages": 2}
ALIGNED = {"_target_": "a.lakda.Alignment", "temperature": 0.05, "weight": 0.5}


@pytest.mark.parametrize(
    ("losses", "told_by"),
    [
        ([NCE, NCE], []),
        ([NCE, NCE | {"temperature": 0.01}], ["loss.temperature"]),
        ([NCE, POOLED], ["loss._target_"]),  # languages go with the class
        ([NCE, POOLED, ALIGNED], ["loss._target_"]),
        ([NCE, POOLED | {"temperature": 0.01}], ["loss._target_", "loss.temperature"]),
        ([NCE, POOLED, POOLED | {"languages": 3}], ["loss._target_", "loss.languages"]),
        ([NCE, NCE | {"mask": True}], ["loss.mask"]),  # off in one of them
        ([{}, {"weight": 1}, {"weight": 2}], ["loss.weight", "loss"]),  # parts without a class, one of them empty
    ],
)
def test_options_that_tell_apart(losses: list[dict[str, object]], told_by: list[str]) -> None:
    settings = [settings_of({"seed": 1, "loss": loss}) for loss in losses]
    assert sorted(differing(settings)) == sorted(told_by)
