"""Corpus readers, one per source format: functions `read(...) -> ParallelCorpus` that a configuration names.

A reader checks that its files exist, computes their fingerprint, and passes a stream of examples to `build_corpus`,
which consumes it only if there is no build with that fingerprint yet.
"""
