"""Typed schemas of the configuration groups that are this project's own.

They make Hydra refuse a misspelt key or a wrong type. Readers, benchmark loaders, trainer, loggers and callbacks are
plain YAML: they name a function or class by `_target_` and list its arguments.
"""
