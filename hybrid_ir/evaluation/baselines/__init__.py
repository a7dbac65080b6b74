"""Baseline systems, evaluated by the same code as our encoders."""
