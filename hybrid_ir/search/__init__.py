"""Searching an index: questions in any language, passages with their scores."""
