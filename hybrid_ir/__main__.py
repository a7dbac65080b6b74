"""The programs next to train.py and evaluate.py: `python -m hybrid_ir COMMAND ...`, or `hybrid-ir COMMAND ...`."""

import runpy
import sys

from hybrid_ir.sources.errors import nearest

COMMANDS = {
    "check": "a training corpus: what is wrong with it, what looks odd; or the batches of a plan",
    "mine": "hard negatives for a training corpus",
    "index": "make an index of a corpus of your own",
    "search": "ask questions of an index",
    "export": "a trained encoder for sentence-transformers, the hub, ONNX",
    "report": "compare runs: tables, tests, plots, one HTML page",
    "condense": "keep what reports need of runs, small enough to commit",
    "pages": "generate the tables and figures of Markdown pages from runs",
}
HELP = ("-h", "--help", "help")


def main() -> None:
    """Run the command that the command line names, with the words after it."""
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    if command in COMMANDS:
        del sys.argv[1]
        runpy.run_module(f"hybrid_ir.commands.{command}", run_name="__main__", alter_sys=True)
        return
    listed = "\n".join(f"  {name:<10} {purpose}" for name, purpose in COMMANDS.items())
    usage = f"python -m hybrid_ir COMMAND ...\n\n{listed}\n\npython -m hybrid_ir COMMAND --help says more."
    if not command or command in HELP:
        print(usage)
        return
    near = nearest(command, COMMANDS)
    hint = f"did you mean {near!r}?" if near else f"there are {', '.join(COMMANDS)}"
    sys.exit(f"error: unknown command {command!r}; {hint}")


if __name__ == "__main__":
    main()
