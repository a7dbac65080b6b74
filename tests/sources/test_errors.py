"""Checks of language codes (those of texts are tested with the readers)."""

import pytest

from hybrid_ir.sources.errors import language_fault


@pytest.mark.parametrize("code", ["en", "id", "zh-Hans", "pt_BR", "es-419"])
def test_language_codes(code: str) -> None:
    assert language_fault(code) is None


@pytest.mark.parametrize("code", ["", "e n", "de/at", "-de", "de-", "1", None])
def test_no_language_codes(code: object) -> None:
    assert language_fault(code) == f"language code {code!r} must be made of letters, digits, '-' and '_'"
