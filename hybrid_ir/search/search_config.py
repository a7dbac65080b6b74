"""The words that options of a search take: balances, output formats, and `own` for the language of each question."""

NONE, CENTROID, ROUND_ROBIN = "none", "centroid", "round_robin"
BALANCES = (NONE, CENTROID, ROUND_ROBIN)
FORMATS = ("table", "jsonl", "trec")
OWN = "own"
