"""A trained encoder as a folder that other libraries load."""
