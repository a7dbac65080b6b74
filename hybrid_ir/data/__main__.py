"""Alias of `python -m hybrid_ir check`, which was `python -m hybrid_ir.data` until version 0.2."""

import runpy
import sys

if __name__ == "__main__":
    sys.argv.insert(1, "check")
    runpy.run_module("hybrid_ir", run_name="__main__", alter_sys=True)
