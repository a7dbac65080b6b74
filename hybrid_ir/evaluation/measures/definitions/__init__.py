"""The measures, a file for each family; modules in this folder are discovered automatically."""
