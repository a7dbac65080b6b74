"""Names, labels and texts of somebody else are shown as they are: in a terminal, in Markdown, HTML, CSV and JSON."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from markdown_it import MarkdownIt

from hybrid_ir.commands.report import main as report
from hybrid_ir.encoder.build import load_checkpoint_encoder
from hybrid_ir.evaluation.measures.measures import Measure
from hybrid_ir.evaluation.results.result import Result, Setting, SettingResult
from hybrid_ir.evaluation.results.result_files import read_results, write_table
from hybrid_ir.export.card import model_card
from hybrid_ir.export.origin import Origin, read_origin
from hybrid_ir.search.queries import Query
from hybrid_ir.search.rendering import as_json, as_table
from hybrid_ir.search.searcher import Hit
from hybrid_ir.sources.untrusted import for_code, for_csv, for_json, for_markdown, printable
from tests.security.conftest import changed

HOSTILE = "\x1b[2J\x1b]0;title\x07\x9b31mred\x00\u202etxt.exe\u2066\u2028next\rline\n# heading\ud800"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (HOSTILE, "redtxt.exe next line # heading"),
        ("\x1bcreset \x1b(0 \x1bPq\x1b\\ \x90q\x9c end", "reset    end"),
        ("می‌خواهم 👩‍👩‍👧 Köln 東京", "می‌خواهم 👩‍👩‍👧 Köln 東京"),
        ("a\ufeffb\u2060c\U000e0041d", "abcd"),
    ],
)
def test_printable_has_no_commands_and_keeps_writing(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "<img src=x onerror=alert(1)>", "[a](javascript:alert(1))", "![a](https://evil.org/x.png)", "`code`", "```\nx",
        "a | b", "\\`x`", "\\[a](b)", "<https://evil.org>", "# heading", "> quote", "- item", "1. item", "===", "---",
        "&lt;script&gt;", "~~a~~", "$x$", "https://evil.org/?x=1", "www.evil.org", "*a* _b_",
    ],
)  # fmt: skip
def test_markdown_shows_a_text_as_it_is(text: str) -> None:
    """Rendered by a parser of CommonMark with tables and links, the line is one text again."""
    parser = MarkdownIt("commonmark", {"html": True, "linkify": False}).enable(["table", "strikethrough"])
    tokens = parser.parse(for_markdown(text))
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    children = tokens[1].children or []
    assert {token.type for token in children} <= {"text", "text_special"}
    assert "".join(token.content for token in children) == printable(text)
    code = parser.parse(for_code(text))[1].children or []
    assert [token.type for token in code] == ["code_inline"]


@pytest.mark.parametrize("cell", ["=1+1", "+x", "-x", "@sum(a)", "\t=1", " =1", "\n=1", "-1+cmd|'/c calc'!a1"])
def test_a_formula_is_a_text(cell: str) -> None:
    assert for_csv(cell).startswith("'")


@pytest.mark.parametrize("cell", ["-1.5", "+2e-3", "de", "a=b", "-inf", 1.5, 3])
def test_what_is_no_formula_stays(cell: object) -> None:
    assert for_csv(cell) == cell


def test_a_table_of_results_holds_no_formula(tmp_path: Path) -> None:
    setting = Setting("monolingual", "=cmd()", "@x")
    measure = Measure.parse("map")
    values = SettingResult(setting, ("q",), np.zeros(1, np.int64), {measure: np.ones(1)})
    result = Result("-1+1", ("=cmd()",), {"=cmd()": 1}, {"=cmd()": 1}, "f", (values,), {}, ())
    write_table(tmp_path / "table.csv", [result])
    with (tmp_path / "table.csv").open(newline="", encoding="utf-8") as file:
        (line,) = csv.DictReader(file)
    assert (line["benchmark"], line["query_language"], line["pool"]) == ("'-1+1", "'=cmd()", "'@x")


def test_a_search_shows_no_commands() -> None:
    hit = Hit(1, 0.5, 0.5, "\x1b[31men", f"p{HOSTILE[:4]}", "\u202etitle", f"text {HOSTILE}")
    found = [(Query("1", "\x1b[31mwhere?"), [hit])]
    table = "".join(as_table(found, 100))
    assert not set(table) & set("\x1b\x9b\x00\x07\u202e\u2066\u2028\r") and "text red" in table
    (line,) = as_json(found)
    assert not set(line.rstrip("\n")) & set("\x1b\x9b\x00\x07\u202e\u2066\u2028\r")
    assert json.loads(line)["hits"][0]["text"] == hit.text  # as data it is whole
    assert for_json(json.dumps("a\U000e0041", ensure_ascii=False)) == '"a\\udb40\\udc41"'


EVIL = "../../x<script>alert(1)</script>`[a](b)|\x1b[31m\u202e\n# h"


def test_results_of_somebody_else_stay_in_the_report(checkpoint: Path, tmp_path: Path) -> None:
    """Names in them lead to no other folder, and bring nothing into its pages that is not text."""
    run, planted = checkpoint.parents[1], json.dumps(EVIL)[1:-1]
    for path in [run / "results.json", *run.glob("evaluations/*.json")]:
        path.write_text(path.read_text(encoding="utf-8").replace('"world', f'"{planted}'), encoding="utf-8")
    (run / "per_query.parquet").unlink()
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    said = report([str(run), "--out", str(tmp_path / "place" / "report"), "--samples", "10"])
    written = {path for path in tmp_path.rglob("*") if path.is_file()} - before
    assert written and all(path.is_relative_to(tmp_path / "place" / "report") for path in written)
    texts = [path.read_text(encoding="utf-8") for path in written]
    assert not any(
        set(text) & set("\x1b\u202e") or "<script>alert" in text or "\n# h" in text for text in [*texts, said]
    )
    page = (tmp_path / "place" / "report" / "report.html").read_text(encoding="utf-8")
    assert "alert(1)" in page
    assert not any("\x1b" in name for name in read_results(run / "results.json").metrics)


def test_a_card_shows_what_a_checkpoint_says_as_text(checkpoint: Path) -> None:
    """Prompts, corpora, notes and values of a configuration, which end in a page on the hub."""

    def plant(content: dict) -> None:
        content["encoder_blueprint"] |= {"query_prefix": EVIL + "```\n", "passage_prefix": EVIL}
        config = content["hyper_parameters"]
        config["data"]["corpora"] = {EVIL: {"languages": [EVIL]}}
        config["loss"]["temperature"] = config["seed"] = config["sampler"]["name"] = EVIL
        config["model"]["name_or_path"] = "/" + EVIL
        config["optim"]["schedule"] = EVIL

    encoder = load_checkpoint_encoder(changed(checkpoint, plant))
    origin = read_origin(checkpoint, "none")
    facts = {"weights": "w", "hybrid_ir": "1", "commit": None, "libraries": {"torch": "2"}}
    card = model_card("name", encoder, Origin(origin.config, origin.step), facts, None, False)
    body = card.partition("\n# name")[2]
    assert body.count("```") == 4  # the fences of its own two examples
    assert not set(body) & set("\x1b\u202e") and "\n# h" not in body
    tokens = [
        child for token in MarkdownIt("gfm-like", {"linkify": False}).parse(body) for child in token.children or []
    ]
    shown = [token for token in tokens if token.type in ("html_inline", "image", "link_open")]
    assert [token.attrGet("href") for token in shown] == ["https://arxiv.org/abs/2408.10536"]
