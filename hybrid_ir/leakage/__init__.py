"""The leakage guard: finds texts of the evaluation sets in the training corpora before training starts."""
