"""Allowed values of search options: balances, output formats, and `own` for each question's own language."""

NONE, CENTROID, ROUND_ROBIN = "none", "centroid", "round_robin"
BALANCES = (NONE, CENTROID, ROUND_ROBIN)
FORMATS = ("table", "jsonl", "trec")
OWN = "own"
