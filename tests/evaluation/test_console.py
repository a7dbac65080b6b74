"""Tables say what was measured, and mark what got better."""

from rich.console import Console

from hybrid_ir.evaluation.results.console import headline_table

BEFORE = {"xquad_r/monolingual/map": 0.8, "xquad_r/multilingual/map": 0.3, "xquad_r/rank_distance": 1213.0}
AFTER = {
    "xquad_r/monolingual/map": 0.79,
    "xquad_r/monolingual/map/de": 0.7,
    "xquad_r/crosslingual/map/de-en": 0.6,
    "xquad_r/multilingual/map": 0.55,
    "xquad_r/rank_distance": 300.25,
    "xquad_r/rank_distance/de": 280.0,
    "mlqa_r/monolingual/map": 0.5,
}


def test_changes_are_marked_by_what_they_mean() -> None:
    console = Console(width=120, record=True, force_terminal=True, color_system="standard")
    console.print(headline_table(AFTER, BEFORE))
    text = console.export_text(styles=True)
    assert "0.7900 \x1b[31m-0.0100" in text  # worse, in red
    assert "0.5500 \x1b[32m+0.2500" in text
    assert "300.2 \x1b[32m-912.8" in text  # a smaller rank distance is better


def test_the_table_fits_a_terminal_and_has_a_line_a_measure() -> None:
    console = Console(width=80, record=True)
    long = {f"{name}/own_language_advantage@10": 0.5 for name in ("xquad_r", "mlqa_r")}
    metrics = AFTER | long | {"xquad_r/crosslingual/map": 0.6, "mlqa_r/crosslingual/recall@1": 0.25}
    console.print(headline_table(metrics, {name: value - 0.1 for name, value in metrics.items()}))
    lines = [line.split() for line in console.export_text().splitlines() if line.strip(" ─")]
    assert lines == [
        ["measure", "monolingual", "multilingual", "crosslingual"],
        ["xquad_r"],
        ["map", "0.7900", "+0.1000", "0.5500", "+0.1000", "0.6000", "+0.1000"],
        ["rank", "distance", "300.2", "+0.1"],
        ["own", "language", "advantage@10", "0.5000", "+0.1000"],
        ["mlqa_r"],
        ["map", "0.5000", "+0.1000"],
        ["own", "language", "advantage@10", "0.5000", "+0.1000"],
        ["recall@1", "0.2500", "+0.1000"],
    ]
