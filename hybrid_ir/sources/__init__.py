"""Where text comes from: file formats, pinned downloads and the built-in facts, parsed into plain records.

Training corpora (`hybrid_ir.data`) and benchmarks (`hybrid_ir.evaluation`) are both built from these; nothing here
knows of either.
"""
