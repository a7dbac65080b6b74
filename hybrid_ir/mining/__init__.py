"""Hard negatives: the passages that an encoder confuses with the answers of a training corpus."""
