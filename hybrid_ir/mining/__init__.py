"""Hard negative mining: finds the passages that a system confuses with the answers of a training corpus."""
