"""The index of a user's corpus: a self-describing folder with the passages and their vectors."""
