"""The report as a whole: the numbers of the runs, in both forms, and what it does when parts are missing."""

import json
import re
import shutil
from html import unescape
from pathlib import Path
from statistics import fmean, stdev

import pytest

from hybrid_ir.commands.report import main
from hybrid_ir.evaluation.results.history import REPORTS, RunHistory
from hybrid_ir.evaluation.results.result_files import read_results
from hybrid_ir.evaluation.run_scoring import score_run
from hybrid_ir.reports.build_report import build_report, report_on
from hybrid_ir.reports.paper import PublishedSystem
from hybrid_ir.reports.rendering.document import Section, Table
from hybrid_ir.reports.rendering.numerals import number
from hybrid_ir.reports.runs import find_results, read_runs
from hybrid_ir.reports.sections import by_language_section
from hybrid_ir.reports.study import Study
from tests.evaluation.samples import parallel_benchmark
from tests.reports.conftest import WriteRun

REPOSITORY = Path(__file__).resolve().parents[2]


def sections(*paths: Path, samples: int = 200) -> dict[str, Section]:
    runs = read_runs([file for path in paths for file in find_results(path)])
    return {section.name: section for section in build_report(Study(runs, samples), "T").sections}


def tables(section: Section) -> list[Table]:
    return [block for block in section.blocks if isinstance(block, Table)]


def texts(table: Table) -> list[list[str]]:
    return [[cell.text.replace("\u00a0", " ") for cell in row.cells] for row in table.rows]


def write(out: Path, *paths: Path) -> tuple[str, str]:
    main([*map(str, paths), "--out", str(out), "--samples", "100"])
    return (out / "report.html").read_text(encoding="utf-8"), (out / "report.md").read_text(encoding="utf-8")


def test_headline_holds_means_and_spreads_over_seeds(sweep: Path) -> None:
    first, second, further = tables(sections(sweep)["headline"])
    values = [read_results(sweep / f"{run}/results.json").metrics["toy/multilingual/map"] for run in (2, 3)]
    name = "toy/multilingual/map"
    expected = f"{number(name, fmean(values))} ± {number(name, stdev(values))}"
    assert texts(first)[1][:2] == ["hybrid α = .5", "2"] and texts(first)[1][4] == expected
    assert [column.title for column in first.columns] == ["arm", "runs", "Mo.", "Cr.", "Mul."]
    assert [column.title for column in second.columns] == ["arm", "runs", "rank distance"]
    assert [column.title for column in further.columns][2:] == [
        "monolingual R@1", "cross-lingual R@1", "multilingual R@10"
    ]  # fmt: skip
    distances = [row.cells[2].key for row in second.rows]
    assert [row.cells[2].best for row in second.rows] == [value == min(distances) for value in distances]


def test_languages_are_those_of_the_results(sweep: Path) -> None:
    mono, cross, _, distance = tables(sections(sweep)["languages"])
    runs = [read_results(sweep / f"{run}/results.json").metrics for run in (0, 1)]
    assert [column.title for column in mono.columns] == ["arm", "de", "en", "tr", "mean"]
    assert texts(mono)[0][2] == number("", fmean(run["toy/monolingual/map/en"] for run in runs))
    pairs = [run[f"toy/crosslingual/map/de-{pool}"] for run in runs for pool in ("en", "tr")]
    assert texts(cross)[0][1] == number("", fmean(pairs))
    assert texts(distance)[0][-1] == number("rank_distance", fmean(run["toy/rank_distance"] for run in runs))


def test_significance_and_answer_agree(sweep: Path) -> None:
    found = sections(sweep)
    (pairs,) = tables(found["significance"])
    assert [row[0] for row in texts(pairs)] == [
        "hybrid α = .5 − hybrid α = 0", "hybrid α = 1 − hybrid α = 0", "hybrid α = 1 − hybrid α = .5"
    ]  # fmt: skip
    assert "Holm-adjusted over all 12 tests" in pairs.caption
    (answer,) = tables(found["answer"])
    for row in texts(answer):
        tested = next(line for line in texts(pairs) if {row[1], row[3]} == set(line[0].split(" − ")))
        significant = any("*" in cell for cell in tested)
        assert row[-1] in ("more than chance", "may be chance", "seeds disagree")
        assert significant or row[-1] == "may be chance"


def test_the_papers_numbers_stand_beside_results_on_its_benchmark(tmp_path: Path) -> None:
    results = REPOSITORY / "docs" / "results"
    alone = shutil.copy(results / "study_a" / "alpha-0.5_seed-1" / "results.json", tmp_path / "alone.json")
    found = sections(results / "xquad_r-e5_small-untrained", Path(alone))
    quality, distance, _ = tables(found["headline"])
    rows = {row[0]: row[2:] for row in texts(quality)}
    assert rows["paper: LaBSE · hybrid"] == [".817", ".767", ".682"]
    assert rows["hybrid α = .5 · mlqa_r"] == [".769", ".678", ".551"]
    assert [row.quoted for row in distance.rows] == [False] * 2 + [True] * 6
    german = {row[0]: row[2] for row in texts(tables(found["languages"])[0])}
    assert german["paper: XLM-R · X-X-mono"] == ".789"
    assert "values of single queries" in " ".join(found["significance"].missing)


def test_html_and_markdown_hold_the_same_tables(sweep: Path, tmp_path: Path) -> None:
    page, text = write(tmp_path / "out", sweep)
    cells = [unescape(re.sub("<[^>]+>", "", cell)) for cell in re.findall(r"<t[hd][^>]* data-key=.*?</t[hd]>", page)]
    flat = text.replace("\\", "").replace("&lt;", "<").replace("**", "")
    assert len(cells) > 200
    assert [cell for cell in cells if cell.replace("**", "") not in flat] == []
    assert page.count("<h2") == text.count("\n## ")
    for link in re.findall(r"\]\((figures/[^)]+)\)", text):
        assert (tmp_path / "out" / link).read_text(encoding="utf-8").startswith("<svg")
    assert len(re.findall(r"<svg", page)) == len(re.findall(r"!\[", text)) > 8
    assert not re.search(r"(src|href)\s*=\s*[\"'](?!#|data:)", page)  # the page needs nothing else
    assert "@import" not in page and "url(" not in page and "default-src 'none'" in page


def test_names_are_shown_as_they_are(write_run: WriteRun, tmp_path: Path) -> None:
    name = "<b>&\"'|*_`[x](y)"
    for seed in (1, 2):
        write_run(f"s/{seed}", backbone=name, seed=seed, benchmark=parallel_benchmark(20, name="t<i>&"))
    page, text = write(tmp_path / "out", tmp_path / "s")
    assert "<b>" not in page and "<i>" not in page
    assert f"{name} · hybrid" in unescape(page)
    assert "<b>" not in text and "<i>" not in text
    assert "&lt;b>&amp;\"'\\|\\*\\_\\`\\[x\\](y)" in text
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+", path.name) for path in (tmp_path / "out" / "figures").iterdir())
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+", found) for found in re.findall(r' id="([^"]*)"', page))


def test_published_rows_stand_beside_the_same_languages_alone(write_run: WriteRun, tmp_path: Path) -> None:
    write_run("s/0", benchmark=parallel_benchmark(20, name="xquad_r"), epochs=(1,))
    quoted = {
        table.caption.partition(" on ")[0]: any(row.quoted for row in table.rows)
        for table in tables(sections(tmp_path / "s")["languages"])
    }
    assert quoted == {
        "Monolingual mAP": True, "Cross-lingual mAP": False, "Multilingual mAP": False,
        "Rank distance (ranks; lower is better)": False,
    }  # fmt: skip


def test_more_languages_than_the_papers_are_averaged_over_its_own(sweep: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quoted = PublishedSystem("labse", "hybrid", {"toy/monolingual/map": {"de": 0.25, "en": 0.75}})
    monkeypatch.setattr(by_language_section, "published", lambda name: (quoted,))
    monkeypatch.setattr(by_language_section, "published_languages", lambda name: ("de", "en"))
    table = tables(sections(sweep)["languages"])[0]
    place = [column.title for column in table.columns].index
    *ours, paper = table.rows
    assert [paper.cells[place(name)].text for name in ("mean", "mean over the paper's 2")] == ["–", ".500"]
    for row in ours:
        shown = [row.cells[place(name)].key for name in ("de", "en", "mean over the paper's 2")]
        assert (shown[0] + shown[1]) / 2 == pytest.approx(shown[2])


def test_no_seed_in_common_is_no_agreement(write_run: WriteRun, tmp_path: Path) -> None:
    write_run("s/0", alpha=0.0, seed=1, epochs=(2,))
    write_run("s/1", alpha=1.0, seed=2, epochs=(2,))
    found = sections(tmp_path / "s")
    (table,) = tables(found["answer"])
    rows = texts(table)
    assert "more than chance; no seed in common" in {row[-1] for row in rows}
    assert {row[-2] for row in rows} == {"–"}
    assert not [cell for section in found.values() for table in tables(section) for row in texts(table)
                for cell in row if "0 of 0" in cell or "0/0" in cell]  # fmt: skip


def test_a_lead_that_is_not_there_on_common_seeds(write_run: WriteRun, tmp_path: Path) -> None:
    """A seed that one arm alone has may put it first; that is no answer."""
    for name, alpha, seed, value in (("0", 0.5, 1, 0.1), ("1", 0.5, 2, 1.0), ("2", 1.0, 1, 0.2)):
        results = write_run(f"s/{name}", alpha, seed, epochs=(2,)) / "results.json"
        content = json.loads(results.read_text(encoding="utf-8"))
        content["metrics"]["toy/monolingual/map"] = value
        results.write_text(json.dumps(content), encoding="utf-8")
    row = texts(tables(sections(tmp_path / "s")["answer"])[0])[0]
    assert row[1:6] == ["hybrid α = .5", ".550 ± .636", "hybrid α = 1", ".200", "−.100"]
    assert row[-1] == "not on the seeds of both"


def test_a_scored_run_file(tmp_path: Path) -> None:
    (tmp_path / "toy.qrels").write_text("q1 0 p1 1\nq2 0 p2 1\n", encoding="utf-8")
    (tmp_path / "other.trec").write_text("q1 Q0 p1 1 2.0 x\nq2 Q0 p1 1 2.0 x\n", encoding="utf-8")
    result = score_run(tmp_path / "other.trec", tmp_path / "toy.qrels", ["map"])
    RunHistory(tmp_path / "s/0", {"config": {"run": "other.trec"}}).add(0, 0, [result])
    page, _ = write(tmp_path / "out", tmp_path / "s")
    assert ".500" in page


def test_where_the_report_goes(sweep: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = shutil.copytree(sweep, tmp_path / "sweep")
    monkeypatch.chdir(tmp_path)
    said = main([str(sweep), "--samples", "50"])
    assert said.endswith(f"The whole report: {sweep}/report.html and {sweep}/report.md")
    assert (sweep / "report.html").exists()
    main([str(sweep / "0"), str(sweep / "1"), "--samples", "50"])
    assert (tmp_path / "outputs/report/report.md").exists()


def test_a_run_writes_its_own_report(write_run: WriteRun, tmp_path: Path) -> None:
    run = write_run("s/0")
    report_on(run)
    own = [(run / name).read_bytes() for name in REPORTS]
    main([str(run)])
    assert own == [(run / name).read_bytes() for name in REPORTS]
    with pytest.raises(ValueError, match=r"no results.json in .*empty"):
        report_on(tmp_path / "empty")
