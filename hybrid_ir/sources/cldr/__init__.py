"""Real facts of Unicode CLDR (territories, languages, scripts, currencies, places) in eleven languages, built in.

Everything comes from the Babel package: no download, no network, the same on every machine for one version of Babel.
"""

from hybrid_ir.sources.cldr.entities import LANGUAGES
from hybrid_ir.sources.cldr.examples import heldout_examples, train_examples
from hybrid_ir.sources.cldr.facts import Fact, facts

__all__ = ["LANGUAGES", "Fact", "facts", "heldout_examples", "train_examples"]
