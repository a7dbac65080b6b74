"""The leakage guard: what of an evaluation set stands in the training corpora, found before anything is trained."""
