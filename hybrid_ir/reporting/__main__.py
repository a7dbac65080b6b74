"""`python -m hybrid_ir.reporting`, the name that `python -m hybrid_ir report` had until version 0.2."""

import runpy
import sys

if __name__ == "__main__":
    sys.argv.insert(1, "report")
    runpy.run_module("hybrid_ir", run_name="__main__", alter_sys=True)
