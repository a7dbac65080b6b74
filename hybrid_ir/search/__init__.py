"""Search of a user's own corpus: building an index, and finding passages for questions in any language."""
