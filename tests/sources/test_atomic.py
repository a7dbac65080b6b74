"""Atomic writes: files and folders are complete or absent."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hybrid_ir.sources.atomic import replacing, replacing_folder
from tests.commands import REPOSITORY


def test_a_folder_takes_the_place_of_another_when_it_is_whole(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    for content in ("old", "new"):
        with replacing_folder(out) as draft:
            (draft / content).write_text(content)
            assert not (out / content).exists()
        assert [path.name for path in out.iterdir()] == [content]
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_a_killed_process_leaves_a_draft_that_the_next_one_removes(tmp_path: Path) -> None:
    program = """
import os, signal, sys
from hybrid_ir.sources.atomic import replacing_folder
with replacing_folder(sys.argv[1]) as draft:
    (draft / "half").write_text("x")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    out, other = tmp_path / "o[u]t", tmp_path / ".other.1.draft"
    other.mkdir()
    done = subprocess.run([sys.executable, "-c", program, str(out)], cwd=REPOSITORY, env=os.environ)
    assert done.returncode == -signal.SIGKILL
    assert not out.exists() and len(list(tmp_path.iterdir())) == 2
    with replacing_folder(out) as draft:
        (draft / "whole").touch()
    assert {path.name for path in tmp_path.iterdir()} == {out.name, other.name}


@pytest.mark.parametrize("killed", [False, True])
def test_the_old_folder_outlives_a_failure_between_the_two_renames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed: bool
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "old").touch()
    if killed:  # right after the first of them
        out.rename(tmp_path / ".out.before")
    else:
        rename = os.replace

        def fail(source: Path, target: Path) -> None:
            if source.name.endswith(".draft"):
                raise OSError("no room")
            rename(source, target)

        monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="no room"), replacing_folder(out):
        raise OSError("no room")
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")] == ["out", "out/old"]
    if not killed:
        with pytest.raises(OSError, match="no room"), replacing_folder(out) as draft:
            (draft / "new").touch()
        assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")] == ["out", "out/old"]


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with replacing(path) as draft:
        draft.write_text("old")
        assert not path.exists()

    def interrupted() -> None:
        with replacing(path) as draft:
            draft.write_text("ne")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]
