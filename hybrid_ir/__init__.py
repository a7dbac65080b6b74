"""Multilingual dense retrieval: hybrid-batch training and zero-shot evaluation."""

__version__ = "0.1.0"
