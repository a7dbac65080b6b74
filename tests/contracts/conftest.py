"""Tiny runs, as the tests of training configure them."""

from tests.training.conftest import configure

__all__ = ["configure"]
