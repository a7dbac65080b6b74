"""Checks of input: usable texts and language codes."""

import pytest

from hybrid_ir.sources.errors import language_fault, text_fault


@pytest.mark.parametrize("text", ["a", " a ", "文", "😀", "line\nline", "\ufeffa"])
def test_usable_text_has_no_fault(text: str) -> None:
    assert text_fault(text) is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (None, "is NoneType, not a string"),
        ("", "is empty"),
        ("\t\n \u3000", "is empty"),
        ("ab\0", "has a NUL character at position 2"),
        ("a\udc80", "has a lone surrogate (half a character) at position 1"),
    ],
)
def test_a_fault_is_named(text: object, fault: str) -> None:
    assert text_fault(text) == fault


@pytest.mark.parametrize("code", ["en", "id", "zh-Hans", "pt_BR", "es-419"])
def test_language_codes(code: str) -> None:
    assert language_fault(code) is None


@pytest.mark.parametrize("code", ["", "e n", "de/at", "-de", "de-", "1", None])
def test_no_language_codes(code: object) -> None:
    assert language_fault(code) == f"language code {code!r} must be made of letters, digits, '-' and '_'"
