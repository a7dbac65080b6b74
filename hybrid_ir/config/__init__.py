"""Configuration: typed schemas, the rules between fields, and the command line."""
