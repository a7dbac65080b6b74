"""Tests of the test suite: plants one fault at a time in a copy of the package and runs the tests that should fail.

    python -m tests.planted_faults              all faults; exit status 1 if any is missed
    python -m tests.planted_faults holm seed    those whose names contain one of these words
    python -m tests.planted_faults --list       names only

A fault is a piece of code and its replacement. The code is searched for in the whole package, so files may move; code
that is not found exactly once is an error. Libraries are loaded once, and each test run is forked from this process.
The tests run without a fault first, since a test that fails anyway proves nothing.
"""

import argparse
import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.faults import FAULTS, Fault

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = "hybrid_ir"
COPIED, LINKED = (PACKAGE, "tests", "conf"), ("docs", "studies", "benchmarks")
SECONDS = 900  # a fault may make a test wait for ever


def sources(root: Path) -> dict[Path, str]:
    """Every module of the package below `root`."""
    return {path: path.read_text(encoding="utf-8") for path in sorted((root / PACKAGE).rglob("*.py"))}


def planted(fault: Fault, root: Path) -> Path:
    """The only module that has the code.

    Raises:
        LookupError: no module has it, or several places do.
    """
    places = [(path, text.count(fault.code)) for path, text in sources(root).items() if fault.code in text]
    if [count for _, count in places] != [1]:
        where = ", ".join(f"{path.relative_to(root)} ({count})" for path, count in places) or "nowhere"
        raise LookupError(f"{fault.name}: the code must be in exactly one place, found: {where}: {fault.code!r}")
    return places[0][0]


@contextlib.contextmanager
def scratch_copy(repository: Path) -> Iterator[Path]:
    """A copy of what the tests need, to plant faults in."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "repository"
        root.mkdir()
        for name in COPIED:
            shutil.copytree(repository / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        for path in repository.iterdir():
            if path.is_file():
                shutil.copy(path, root)
        for name in LINKED:
            if (repository / name).exists():
                (root / name).symlink_to(repository / name)
        yield root


def load_libraries() -> None:
    """What every test needs, once: processes forked from this one have it."""
    import hydra  # noqa: F401
    import hypothesis  # noqa: F401
    import lightning  # noqa: F401
    import pytest  # noqa: F401
    import scipy.stats  # noqa: F401
    import torch
    import torchmetrics  # noqa: F401
    import transformers

    torch.set_num_threads(1)
    for name in ("AutoModel", "BertModel", "XLMRobertaModel", "AutoTokenizer", "PreTrainedTokenizerFast"):
        getattr(transformers, name)  # loaded lazily


def run_tests(root: Path, tests: Sequence[str], log: Path, *options: str) -> int:
    """The exit status of pytest in a forked process; -9 where it took too long."""
    child = os.fork()
    if child == 0:
        status = 70
        try:
            os.setpgid(0, 0)
            with log.open("w") as file:
                os.dup2(file.fileno(), 1)
                os.dup2(file.fileno(), 2)
            os.chdir(root)
            sys.path[:] = [str(root), *(entry for entry in sys.path if Path(entry or ".").resolve() != REPOSITORY)]
            for name in [name for name in sys.modules if name.partition(".")[0] in (PACKAGE, "tests")]:
                del sys.modules[name]
            import pytest

            status = int(pytest.main(["-q", "-p", "no:cacheprovider", "--tb=line", *options, *tests]))
            sys.stdout.flush()
        finally:
            os._exit(status)
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.05)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, 9)
    os.waitpid(child, 0)
    return -9


def tests_of(fault: Fault, root: Path) -> list[str]:
    """Where its tests are; the folder where a file is gone."""
    found = []
    for name in fault.tests.split():
        path = root / "tests" / name
        path = path if path.exists() else path.parent
        found.append(str(path.relative_to(root)))
    return list(dict.fromkeys(found))


def verdict(status: int) -> str:
    """What pytest's exit status says of a fault."""
    return {0: "MISSED", 1: "caught", -9: "caught (by waiting for ever)"}.get(status, f"BROKEN (status {status})")


def main(arguments: Sequence[str] | None = None) -> int:
    """See the module. Returns 0 where every fault was caught."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="parts of names")
    parser.add_argument("--list", action="store_true", help="show the names alone")
    parser.add_argument("--without-control", action="store_true", help="trust that the tests pass without a fault")
    given = parser.parse_args(arguments)
    chosen = [fault for fault in FAULTS if not given.words or any(word in fault.name for word in given.words)]
    if given.list:
        print("\n".join(fault.name for fault in chosen))
        return 0
    return plant(chosen, REPOSITORY, control=not given.without_control)


def plant(faults: Sequence[Fault], repository: Path, control: bool = True) -> int:
    """Plant each fault alone and say what came of it."""
    gone = []
    for fault in faults:
        try:
            planted(fault, repository)
        except LookupError as error:
            gone.append(str(error))
    if gone:
        print("\n".join(gone), file=sys.stderr)
        return 2
    os.environ.setdefault("HYBRID_IR_SHARED", str(repository.parent / "shared"))
    os.environ.update(OMP_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false", HF_HUB_OFFLINE="1", WANDB_MODE="offline")
    load_libraries()
    verdicts = []
    with scratch_copy(repository) as root, tempfile.TemporaryDirectory() as logs:
        log = Path(logs) / "log"
        if control:
            every = sorted({test for fault in faults for test in tests_of(fault, root)})
            if run_tests(root, every, log) != 0:
                print(log.read_text(), "\nthese fail without a fault, and prove nothing", file=sys.stderr)
                return 2
        for fault in faults:
            path, started = planted(fault, root), time.monotonic()
            intact = path.read_text(encoding="utf-8")
            path.write_text(intact.replace(fault.code, fault.fault), encoding="utf-8")
            verdicts.append(verdict(run_tests(root, tests_of(fault, root), log, "-x")))
            path.write_text(intact, encoding="utf-8")
            by = [line for line in log.read_text().splitlines() if line.startswith(("FAILED", "ERROR"))]
            print(
                f"{verdicts[-1]:<8} {time.monotonic() - started:5.1f} s  {fault.name}  {' '.join(by)[:120]}", flush=True
            )
    caught = sum(one.startswith("caught") for one in verdicts)
    print(f"{caught} of {len(faults)} caught")
    return 0 if caught == len(faults) else 1


if __name__ == "__main__":
    raise SystemExit(main())
