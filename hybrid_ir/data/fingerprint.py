"""What tells the training corpora of one run from those of another."""

import hashlib
from collections.abc import Sequence

import numpy as np

from hybrid_ir.data.corpus import ParallelCorpus

SAMPLED = 64  # examples of each corpus


def corpora_fingerprint(corpora: Sequence[ParallelCorpus]) -> str:
    """SHA-256 of some examples of each corpus, spread over it: ids, texts of all languages, hard negatives, groups.

    The plan knows sizes and languages alone: this tells a corpus that was built anew from another source. It does not
    find the change of a single text. Of a view, it knows every example that is in it. Other seeds, samplers or held-out
    examples do not change it.

    Args:
        corpora: the corpora, in their order, before examples are held out.
    """
    digest = hashlib.sha256()
    for corpus in corpora:
        rows = np.linspace(0, len(corpus) - 1, SAMPLED).astype(np.int64)
        groups = [numbers.tolist() for numbers in corpus.groups(rows)]
        digest.update(repr((corpus.name, len(corpus), corpus.records(rows), groups)).encode())
        if corpus.rows is not None:
            digest.update(corpus.rows.tobytes())
    return digest.hexdigest()
