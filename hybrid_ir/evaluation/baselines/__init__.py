"""Systems to compare with, evaluated by the same code as our encoders."""
