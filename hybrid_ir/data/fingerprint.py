"""Fingerprint of the training corpora, by which a resumed run recognises them."""

import hashlib
from collections.abc import Sequence

import numpy as np

from hybrid_ir.data.corpus import ParallelCorpus

SAMPLED = 64  # examples of each corpus, evenly spaced


def corpora_fingerprint(corpora: Sequence[ParallelCorpus]) -> str:
    """SHA-256 of a sample of each corpus: ids, texts in all languages, hard negatives and groups.

    The batch plan only depends on sizes and languages, so it cannot detect a corpus that was rebuilt from another
    source; this fingerprint can. It does not detect a change of a single text. For a view it covers the row numbers of
    all examples. It does not depend on seeds, samplers or held-out examples.

    Args:
        corpora: the corpora, in order, before examples are held out.
    """
    fingerprint = hashlib.sha256()
    for corpus in corpora:
        rows = np.linspace(0, len(corpus) - 1, SAMPLED).astype(np.int64)
        groups = [numbers.tolist() for numbers in corpus.groups(rows)]
        fingerprint.update(repr((corpus.name, len(corpus), corpus.records(rows), groups)).encode())
        if corpus.rows is not None:
            fingerprint.update(corpus.rows.tobytes())
    return fingerprint.hexdigest()
