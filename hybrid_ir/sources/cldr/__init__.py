"""The built-in parallel data: facts of Unicode CLDR about territories, languages, scripts, currencies and cities.

Questions and passages in eleven languages are generated from the Babel package. This needs no download, and the result
is the same on every machine for one version of Babel.
"""

from hybrid_ir.sources.cldr.entities import LANGUAGES
from hybrid_ir.sources.cldr.examples import heldout_examples, train_examples
from hybrid_ir.sources.cldr.facts import Fact, facts

__all__ = ["LANGUAGES", "Fact", "facts", "heldout_examples", "train_examples"]
