"""Texts that differ by the content of a slot: "the currency of Japan", "... of Peru", "... of Chad" are no copies.

Likeness alone cannot tell a damaged copy from another fact in the same words. What tells them apart is a third text: if
it, too, has something else where the two differ, and something else again, then that place is a slot, and what stands
in it is the content. Where the other similar texts have there what the evaluation text has, the place is part of the
wording, and the difference is damage. Without other similar texts there is no formula, and likeness decides.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.leakage.sketches import Sketches

FILLER = 3  # n-grams, at least, of what stands in a slot: nothing added or nothing left out is no other filler
NEEDED = 2  # similar texts with other contents
MOSTLY = 0.5  # of the n-grams by which two texts differ


def differ_by_a_slot(text: str, suspects: Sequence[str], others: Sequence[str]) -> NDArray[np.bool_]:
    """Which of the suspects differ from a text by the content of a slot.

    Let L be the n-grams of the text that a suspect lacks, and A those that the suspect has added. Another text shows a
    slot if it lacks most of L and has at most half of A: three texts, three fillers. L and A are of at least FILLER.

    Args:
        text: the evaluation text.
        suspects: S texts that are much like it.
        others: texts that are like it, the suspects among them or not.

    Returns:
        bool (S,): whether at least NEEDED different texts show a slot.
    """
    sketches = Sketches.of([text, *suspects, *others])
    vocabulary, columns = np.unique(sketches.grams, return_inverse=True)
    grams = np.zeros((len(sketches), len(vocabulary)), dtype=np.float32)
    grams[np.repeat(np.arange(len(sketches)), sketches.sizes), columns] = 1
    own, suspect, witness = grams[0], grams[1 : 1 + len(suspects)], grams[1 + len(suspects) :]
    _, first = np.unique(sketches.digests[1 + len(suspects) :], return_index=True)
    witness = witness[first]
    lost, added = own * (1 - suspect), (1 - own) * suspect
    lost_too, added_too = lost @ (1 - witness).T, added @ witness.T
    lost_in_all, added_in_all = lost.sum(axis=1, keepdims=True), added.sum(axis=1, keepdims=True)
    filled = np.minimum(lost_in_all, added_in_all) >= FILLER
    shows = filled & (lost_too > MOSTLY * lost_in_all) & (added_too <= MOSTLY * added_in_all)
    return np.asarray(shows.sum(axis=1) >= NEEDED)
