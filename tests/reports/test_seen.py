"""Languages of the training data against those that an arm never saw."""

from pathlib import Path
from statistics import fmean

import pytest

from hybrid_ir.evaluation.results.result_files import read_results
from hybrid_ir.reports.rendering.numerals import number
from tests.reports.conftest import WriteRun
from tests.reports.test_report import sections, tables, texts


@pytest.mark.parametrize(
    ("sampler", "unseen"),
    [
        ({"name": "hybrid", "weights": {"question": {"de": 0}, "passage": {"de": 0}}}, "de tr"),
        ({"name": "hybrid", "weights": {"question": {"de": 0}}}, "tr"),
        ({"name": "mono", "kind": "monolingual", "weights": {"_target_": "a.B", "question": {"de": 0}}}, "de tr"),
        ({"name": "cross", "kind": "crosslingual", "weights": {"question": {"de": 0}}}, "tr"),
    ],
)
def test_a_language_that_is_never_drawn_is_unseen(
    sampler: dict[str, object], unseen: str, write_run: WriteRun, tmp_path: Path
) -> None:
    write_run("s/0", epochs=(1,), config={"sampler": sampler})
    (table,) = tables(sections(tmp_path / "s")["seen"])
    assert texts(table)[0][1] == ", ".join(unseen.split())


def test_unseen_languages_stand_beside_what_was_never_trained(write_run: WriteRun, tmp_path: Path) -> None:
    """Once for each split of the languages, since an arm can be compared with what has the same split alone."""
    untrained = write_run("s/0", sampler="", trained_on=())
    write_run("s/1", trained_on=("de", "en"))
    write_run("s/2", sampler="english", trained_on=("en",))
    (table,) = tables(sections(tmp_path / "s")["seen"])
    rows = texts(table)
    assert [row[:2] for row in rows] == [
        ["untrained", "de, tr"], ["english", "de, tr"], ["untrained", "tr"], ["hybrid α = .5", "tr"]
    ]  # fmt: skip
    metrics = read_results(untrained / "results.json").metrics
    of = {language: metrics[f"toy/monolingual/map/{language}"] for language in ("de", "en", "tr")}
    assert rows[0][2:4] == [number("", of["en"]), number("", fmean([of["de"], of["tr"]]))]
    assert rows[2][2:4] == [number("", fmean([of["de"], of["en"]])), number("", of["tr"])]
