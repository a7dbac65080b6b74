"""An index of one's own corpus: its passages and their vectors in one folder that says what it holds."""
