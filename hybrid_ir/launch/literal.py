"""Values of the command line that are taken letter by letter: commas, quotes and braces mean themselves in a question.

Hydra has a grammar for values. Here a value goes past it: the argument becomes a reference to a resolver that gives the
value back.
"""

import sys
from collections.abc import Collection

from omegaconf import OmegaConf

MARK = "x"  # before the digits, which might pass for a number


def take_literally(keys: Collection[str]) -> None:
    """Change the arguments of this program, so that the values of `keys` reach the configuration as they were typed."""
    OmegaConf.register_new_resolver("literal", lambda text: bytes.fromhex(text[len(MARK) :]).decode(), replace=True)
    sys.argv[1:] = [literal(word) if word.partition("=")[0] in keys and "=" in word else word for word in sys.argv[1:]]


def literal(word: str) -> str:
    """`key=value` with the value as a reference."""
    key, _, value = word.partition("=")
    return f"{key}=${{literal:{MARK}{value.encode().hex()}}}"
