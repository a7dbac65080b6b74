"""`python -m hybrid_ir.reporting.page`, the name that `python -m hybrid_ir pages` had until version 0.2."""

import runpy
import sys

if __name__ == "__main__":
    sys.argv.insert(1, "pages")
    runpy.run_module("hybrid_ir", run_name="__main__", alter_sys=True)
