"""`python -m hybrid_ir.export`, the old name of `python -m hybrid_ir export` up to version 0.2."""

import runpy
import sys

if __name__ == "__main__":
    sys.argv.insert(1, "export")
    runpy.run_module("hybrid_ir", run_name="__main__", alter_sys=True)
