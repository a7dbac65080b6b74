"""A bar in a terminal, plain lines elsewhere."""

import io
import os
import pty
import re
from dataclasses import replace

import pytest
from rich.console import Console

from hybrid_ir.training.callbacks.display import LiveBar, PlainLines, Standing, display_for

POSITION = {"epoch": 2, "epochs": 30, "step": 39, "steps": 810}
STANDING = Standing(**POSITION, loss=1.23456, kind="crosslingual", pairs_per_second=1034.4, seconds_left=192.3)
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\x9b]")


def terminal(width: int) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=width, color_system=None, legacy_windows=False)


def test_plain_lines_say_everything_without_control_codes() -> None:
    console = Console(file=io.StringIO(), width=40)
    display = display_for(console)
    assert isinstance(display, PlainLines)
    display.show(STANDING)
    display.evaluating("xquad_r", 39)
    display.clear()
    text = console.file.getvalue()
    assert text.splitlines() == [
        "epoch 2/30  step 39/810  loss 1.235  crosslingual  1034 pairs/s  0:03:12 left",
        "step 39: evaluating on xquad_r",
    ]
    assert not CONTROL.search(text)
    words = replace(STANDING, epochs=None, pairs_per_second=None, seconds_left=None).words
    assert (words["epoch"], words["rate"], words["left"]) == ("epoch 2", "- pairs/s", "- left")  # nothing is made up


@pytest.mark.parametrize(("display", "seconds"), [(PlainLines, 30.0), (LiveBar, 0.2)])
def test_a_display_is_due_at_once_and_then_now_and_then(display: type, seconds: float) -> None:
    now = 100.0
    shown = display(terminal(80), clock=lambda: now)
    assert shown.due()
    shown.show(STANDING)
    now += seconds - 0.01
    assert not shown.due()
    now += 0.02
    assert shown.due()
    shown.clear()


@pytest.mark.parametrize("width", [80, 120])
def test_the_bar_is_one_line_of_everything_and_leaves_nothing_behind(width: int) -> None:
    console = terminal(width)
    bar = LiveBar(console)
    bar.show(STANDING)
    bar.evaluating("xquad_r", 39)
    bar.show(replace(STANDING, step=40))
    bar.clear()
    text = console.file.getvalue()
    line = next(line for line in re.split(r"\x1b\[[\d?;]*[a-zA-Z]|[\r\n]", text) if "epoch" in line)
    for part in ("epoch 2/30", "step 39/810", "loss 1.235", "crosslingual", "1034 pairs/s", "0:03:12 left"):
        assert part in line
    assert len(line) <= width and "step 39: evaluating on xquad_r" in text
    assert text.endswith("\x1b[2K")  # the line is erased
    assert "\x1b[?25h" in text.rsplit("step 40/810", 1)[1]  # and the cursor is shown again


@pytest.mark.parametrize(("terminal", "expected"), [("xterm-256color", LiveBar), ("dumb", PlainLines)])
def test_a_pseudo_terminal_gets_a_bar_and_a_dumb_one_lines(
    terminal: str, expected: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", terminal)
    master, slave = pty.openpty()
    with os.fdopen(slave, "w") as file:
        assert isinstance(display_for(Console(file=file)), expected)
    os.close(master)
