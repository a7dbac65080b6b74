"""A hash for choices that must come out the same in every process; Python's own differs from one to the next."""

from hashlib import blake2b


def stable_hash(text: str) -> int:
    """64 bits of the text, as a non-negative integer."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest())
