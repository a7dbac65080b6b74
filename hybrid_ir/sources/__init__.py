"""Sources of text: file formats, pinned downloads and built-in CLDR facts, parsed into plain records.

Training corpora (`hybrid_ir.data`) and benchmarks (`hybrid_ir.evaluation`) are both built from these records. Nothing
in this package imports either.
"""
