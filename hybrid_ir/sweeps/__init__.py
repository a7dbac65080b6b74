"""Sweeps: names of jobs, their share of the machine, and what becomes of them when a command is repeated."""
