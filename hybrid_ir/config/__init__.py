"""Configuration: typed schemas, validation against the code, and rules between fields."""
