"""One reader a source format; each is a function `read(...) -> ParallelCorpus` that a configuration names.

A reader checks that its files are there, takes their fingerprint, and streams examples to `build_corpus`, which reads
them only where no build with that fingerprint exists.
"""
