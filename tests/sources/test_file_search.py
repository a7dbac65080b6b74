"""Files are found by patterns that may be literal paths, and through links."""

from pathlib import Path

from hybrid_ir.sources.file_search import files_below, matching


def test_a_path_that_exists_is_no_pattern(tmp_path: Path) -> None:
    for name in ("part[1]/a.jsonl", "part[1]/b?.jsonl", "part[1]/bc.jsonl", "part1/a.jsonl", "part2/a.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    def found(pattern: str) -> list[str]:
        return [str(Path(path).relative_to(tmp_path)) for path in matching(str(tmp_path / pattern))]

    assert found("part[1]/b?.jsonl") == ["part[1]/b?.jsonl"]
    assert found("part[1]/*.jsonl") == ["part[1]/a.jsonl", "part[1]/b?.jsonl", "part[1]/bc.jsonl"]
    assert found("part[12]/a.jsonl") == ["part1/a.jsonl", "part2/a.jsonl"]
    assert found("part3/*") == []


def test_links_are_followed_once(tmp_path: Path) -> None:
    for name in ("here/run", "there/one", "there/two"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "x").touch()
    here = tmp_path / "here"
    (here / "again").symlink_to(here / "run")
    (here / "loop").symlink_to(here)
    (here / "all").symlink_to(tmp_path / "there")
    (here / "one").symlink_to(tmp_path / "there" / "one")
    (here / "gone").symlink_to(tmp_path / "gone")
    assert sorted(str(path.relative_to(here)) for path in files_below(here, "x")) == ["all/one/x", "all/two/x", "run/x"]
