"""`python -m hybrid_ir.mine`, the name that `python -m hybrid_ir mine` had until version 0.2."""

import runpy
import sys

if __name__ == "__main__":
    sys.argv.insert(1, "mine")
    runpy.run_module("hybrid_ir", run_name="__main__", alter_sys=True)
