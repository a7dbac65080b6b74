"""The common form of what CLDR says: subject code -> value codes."""

from collections.abc import Mapping

Answers = Mapping[str, tuple[str, ...]]
"""Subject code -> value codes in a meaningful order; an empty tuple, as a missing subject, means no answer."""

WORLD = "001"  # CLDR's territory of what has no smaller one
