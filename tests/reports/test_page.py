"""Pages with generated parts: they hold the numbers of the runs, go stale with them, and name what is wrong."""

import re
from pathlib import Path
from statistics import fmean, stdev

import pytest

from hybrid_ir.commands.condense import main as condense
from hybrid_ir.commands.pages import main
from hybrid_ir.evaluation.results.result_files import read_results
from hybrid_ir.reports.page.page_parts import BY_NAME
from hybrid_ir.reports.rendering.numerals import number
from hybrid_ir.sources.errors import InputError
from tests.reports.conftest import run_writer

REPOSITORY = Path(__file__).resolve().parents[2]
NAME = "toy/multilingual/map"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Condensed: mono with one seed, hybrid with two; not to be written to."""
    place = tmp_path_factory.mktemp("made-up")
    write = run_writer(place)
    write("runs/0", sampler="mono", alpha=0.0, seed=1)
    for seed in (1, 2):
        write(f"runs/{seed}", seed=seed)
    for run in (place / "runs").iterdir():
        (run / "training.json").touch()
    condense([str(place / "runs"), "--out", str(place / "small")])
    return place / "small"


def page(folder: Path, text: str) -> Path:
    path = folder / "page.md"
    path.write_text(text, encoding="utf-8")
    return path


def generated(path: Path, *options: str) -> str:
    main([str(path), *options])
    return path.read_text(encoding="utf-8")


def values(runs: Path, *names: str, metric: str = NAME, file: str = "results.json") -> list[float]:
    return [read_results(runs / name / file).metrics[metric] for name in names]


def test_a_table_has_means_spreads_intervals_and_a_row_before_training(runs: Path, tmp_path: Path) -> None:
    options = "metrics=multilingual/map,rank_distance interval=yes before=yes arms='hybrid α = .5, mono'"
    text = generated(page(tmp_path, f"<!-- table: {runs} {options} --><!-- end -->"))
    rows = table(text)
    assert rows[0] == ["", "multilingual mAP", "95% interval", "rank distance", "95% interval"]
    assert [row[0] for row in rows[2:]] == [
        "before training: hybrid α\u00a0=\u00a0.5", "before training: mono", "hybrid α\u00a0=\u00a0.5", "mono"
    ]  # fmt: skip
    found = values(runs, "1", "2")
    assert rows[4][1] == f"{number(NAME, fmean(found))} ± {number(NAME, stdev(found))}"
    low, high = map(float, rows[4][2].split(" to "))
    assert low < fmean(found) < high
    (first,) = values(runs, "0", file="evaluations/step_000000.json")
    assert rows[3][1:3] == [number(NAME, first), "–"]
    assert "10,000 samples" in text and "Mean ± standard deviation over seeds." in text


def table(page_text: str) -> list[list[str]]:
    lines = page_text.splitlines()
    return [[cell.strip(" *") for cell in line.split("|")[1:-1]] for line in lines if line.startswith("|")]


def test_a_pivot_has_arms_that_differ_by_one_option_in_a_row(tmp_path: Path) -> None:
    write = run_writer(tmp_path)
    loss = {"loss": {"_target_": "hybrid_ir.losses.pooled.Pooled", "languages": 2, "temperature": 0.05}}
    for number_, (alpha, config) in enumerate([(0.5, None), (1.0, None), (0.5, loss), (1.0, loss)]):
        write(f"runs/{number_}", alpha=alpha, config=config)
    options = f"{tmp_path / 'runs'} across=sampler.alpha metrics=multilingual/map"
    rows = table(generated(page(tmp_path, f"<!-- pivot: {options} -->\n<!-- end -->")))
    assert rows[0] == ["", "multilingual mAP, alpha=0.5", "multilingual mAP, alpha=1.0"] and rows[3][0] == "loss=Pooled"
    minus = table(generated(page(tmp_path, f"<!-- pivot: {options} minus=1.0 -->\n<!-- end -->")))
    assert minus[0] == ["", "multilingual mAP, alpha=0.5 − 1.0"]
    for row, difference, names in zip(rows[2:], minus[2:], ("01", "23"), strict=True):
        half, one = values(tmp_path / "runs", *names)
        assert row[1:] == [number(NAME, half), number(NAME, one)]
        value, low, high = (float(text) for text in re.findall(r"[+-]?\d*\.\d+", difference[1].replace("−", "-")))
        assert value == pytest.approx(half - one, abs=0.0006) and low < value < high


def test_single_numbers(runs: Path, tmp_path: Path) -> None:
    def value(options: str) -> str:
        text = generated(page(tmp_path, f"It is <!-- value: {runs} metric=multilingual/map {options} --><!-- end -->."))
        return re.sub("<!--.*?-->", "", text).removeprefix("It is ").removesuffix(".")

    hybrid, (mono,) = values(runs, "1", "2"), values(runs, "0")
    assert value("arm=mono") == number(NAME, mono)
    assert value("arm='hybrid α = .5' show=spread") == number(NAME, stdev(hybrid))
    low, high = map(float, value("arm='hybrid α = .5' show=interval").split(" to "))
    assert low < fmean(hybrid) < high
    before = values(runs, "1", "2", file="evaluations/step_000000.json")
    assert value("arm='hybrid α = .5' before=yes") == number(NAME, fmean(before))
    assert value("arm='hybrid α = .5' minus=mono") == number(NAME, hybrid[0] - mono, signed=True)  # on seed 1
    low, high = (
        float(end.replace("−", "-")) for end in value("arm='hybrid α = .5' minus=mono show=interval").split(" to ")
    )
    assert low < fmean(hybrid) - mono < high


@pytest.mark.parametrize("section", list(BY_NAME))
def test_every_section_can_stand_on_a_page(section: str, runs: Path, tmp_path: Path) -> None:
    text = generated(page(tmp_path, f"<!-- report: {runs} section={section} benchmark=toy -->\n<!-- end -->"))
    assert "| " in text and "### toy" not in text
    figures = re.findall(r"\]\((figures/.*?\.svg)\)", text)
    assert {tmp_path / figure for figure in figures} == set((tmp_path / "figures").glob("*")) if figures else True
    assert bool(figures) == (section in ("alpha", "heat", "curves"))


def test_check_names_what_is_stale_and_writes_nothing(runs: Path, tmp_path: Path) -> None:
    lines = ["Text.", f"<!-- table: {runs} metrics=multilingual/map --><!-- end -->", "",
             f"<!-- report: {runs} section=curves -->", "<!-- end -->"]  # fmt: skip
    path = page(tmp_path, "\n".join(lines))
    said, status = main([str(path), "--check"])
    assert status == 1 and f"{path}:2: table of {runs}" in said and f"{path}:4: report of {runs}" in said
    assert path.read_text(encoding="utf-8") == "\n".join(lines) and not (tmp_path / "figures").exists()
    text = generated(path)
    assert main([str(path), "--check"]) == ("nothing is stale", 0)
    path.write_text(re.sub(r"\| mono \| (?:\*\*)?\.(\d)", "| mono | .9\\1", text), encoding="utf-8")
    assert main([str(path), "--check"])[1] == 1
    generated(path)
    plot = next((tmp_path / "figures").glob("*.svg"))
    plot.unlink()
    said, status = main([str(path), "--check"])
    assert status == 1 and str(plot) in said
    generated(path)
    assert plot.exists() and main([str(path), "--check"])[1] == 0


def test_code_is_left_alone(runs: Path, tmp_path: Path) -> None:
    text = f"```\n<!-- value: {runs} arm=none -->\n```\n\nAs `<!-- end -->` says <!-- a remark: of mine -->.\n"
    assert generated(page(tmp_path, text)) == text


@pytest.mark.parametrize(
    ("part", "fault"),
    [
        ("<!-- tabel: RUNS metrics=MAP --><!-- end -->", "no part is called 'tabel'; did you mean 'table'"),
        ("<!-- table: RUNS metric=MAP --><!-- end -->", "no key 'metric'; did you mean 'metrics'"),
        ("<!-- table: RUNS metrics=multilingual/mpa --><!-- end -->", "no metric 'multilingual/mpa'; did you mean"),
        ("<!-- table: RUNS --><!-- end -->", "metrics= is missing"),
        ("<!-- table: RUNS metrics=MAP before=true --><!-- end -->", "no before 'true'; there is yes, no"),
        ("<!-- pivot: RUNS across=sampler.alpha minus=2 metrics=MAP arms=hybrid* --><!-- end -->", "minus"),
        ("<!-- pivot: RUNS across=sampler.alfa metrics=MAP --><!-- end -->", "has no 'sampler.alfa'; leave it out"),
        ("<!-- report: RUNS section=significance arms=mono --><!-- end -->", "nothing to show: there are no two arms"),
        ("Is <!-- value: RUNS arm=mon metric=MAP -->0<!-- end -->", "no arm 'mon'; did you mean 'mono'"),
        ("Is <!-- value: RUNS arm=mono metric=MAP show=spread -->0<!-- end -->", "do not have this number"),
        ("Is <!-- value: RUNS arm=mono metric=MAP show=interval before=yes -->0<!-- end -->", "no interval before"),
        ("Is <!-- value: RUNS/none metric=MAP -->0<!-- end -->", "no results.json in"),
        ("Is <!-- value: RUNS metric='a -->0<!-- end -->", "no closing quotation"),
        ("<!-- table: RUNS metrics=MAP -->", "page.md:3: table without <!-- end -->"),
        ("<!-- end -->", "page.md:3: an end without a part"),
        ("- <!-- value: RUNS arm=mono metric=MAP -->0<!-- end -->", "it begins a line"),
    ],
)  # fmt: skip
def test_faults_are_named_with_their_line(part: str, fault: str, runs: Path, tmp_path: Path) -> None:
    path = page(tmp_path, f"# Title\n\n{part}\n".replace("RUNS", str(runs)).replace("MAP", "multilingual/map"))
    before = path.read_text(encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(fault)) as raised:
        main([str(path)])
    assert raised.value.line == 3 and path.read_text(encoding="utf-8") == before


def test_the_pages_of_this_repository_are_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """`make results` would change nothing: their tables, figures and numbers are those of the committed results."""
    monkeypatch.chdir(REPOSITORY)
    said, status = main(["README.md", *map(str, sorted(Path("docs").glob("*.md"))), "--check"])
    assert status == 0, said
