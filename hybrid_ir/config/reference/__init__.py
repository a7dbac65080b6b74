"""The configuration reference, made of schemas, docstrings and the comments in `conf/`."""
