"""Starts programs as processes of their own without the seconds that loading the libraries takes.

A server loads them once for the whole suite, and forks a process for each program that is asked for: with its own
arguments, variables, folder, files and signals, as Python would start it. `python()` is the command that asks it; what
such a program starts in turn by `sys.executable`, as torchrun and Lightning do, comes from the server too. A program
that must prove that it starts from nothing takes `sys.executable`.

    python -m tests.warm SOCKET PID        serves until the process PID has ended

The two halves meet in one socket: arguments and the three standard files go in, the exit status comes out. A client
that is killed takes its program along.
"""

import atexit
import contextlib
import fcntl
import gc
import importlib
import json
import os
import pkgutil
import random
import runpy
import secrets
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
PLACE = "HYBRID_IR_WARM"  # the variable that has the server's socket, and the process that it serves
PACKAGE = "hybrid_ir"
CLIENT = REPOSITORY / "tests" / "warm_client.py"
DEADLINE = 300.0  # seconds until the server has loaded everything, however busy the machine


def python() -> str:
    """A command that takes the arguments of Python: a script or `-m MODULE`, and their arguments."""
    if not hasattr(os, "pidfd_open"):  # not Linux
        return sys.executable
    place = reserve()
    place.parent.mkdir(mode=0o700, exist_ok=True)
    with place.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            _start(place)
    return _command(place)


def reserve() -> Path:
    """Where the server of this process will be, and of the workers that it starts after this call."""
    name = f"{tempfile.gettempdir()}/warm-{secrets.token_hex(8)}/{os.getpid()}"
    return Path(os.environ.setdefault(PLACE, name))


def _command(place: Path) -> str:
    """An executable file: the client under this Python, which needs none of its libraries."""
    command = place.with_name("python")
    if not command.exists():
        draft = command.with_suffix(f".{os.getpid()}")
        draft.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S -E "{CLIENT}" "{sys.executable}" "{place}" "$@"\n')
        draft.chmod(0o755)
        draft.replace(command)
    return str(command)


def _start(place: Path) -> None:
    with place.with_suffix(".log").open("w") as log:
        subprocess.Popen(
            [sys.executable, "-m", "tests.warm", str(place), place.name],
            cwd=REPOSITORY, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + DEADLINE
    while not place.exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"the server of warm processes did not start: {place.with_suffix('.log').read_text()}")
        time.sleep(0.05)


def load() -> None:
    """The libraries that programs need, and the package, without what is run as a program."""
    import datasets  # noqa: F401
    import hydra._internal.hydra  # noqa: F401
    import lightning.pytorch
    import scipy.stats  # noqa: F401
    import torch
    import torch.distributed.run
    import transformers
    from hydra.core.plugins import Plugins

    torch.set_num_threads(1)
    assert lightning.pytorch
    Plugins.instance()  # of Hydra: launchers and sweepers
    for name in ("AutoModel", "AutoConfig", "AutoTokenizer", "BertModel", "PreTrainedTokenizerFast", "get_scheduler"):
        getattr(transformers, name)  # loaded when first asked for
    import hybrid_ir

    rooms = [room.name for room in pkgutil.iter_modules(hybrid_ir.__path__) if room.ispkg and room.name != "commands"]
    for room in rooms:
        folder = str(Path(hybrid_ir.__path__[0]) / room)
        for module in pkgutil.walk_packages([folder], f"{PACKAGE}.{room}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)


def serve(place: Path, served: int) -> None:
    """Fork a process for every connection until the process `served` has ended."""
    load()
    gc.freeze()  # or every fork would copy what it only looks at
    entrance = socket.socket(socket.AF_UNIX)
    draft = place.with_suffix(".draft")
    entrance.bind(str(draft))
    entrance.listen(64)
    draft.rename(place)  # it is there when it can be used
    waiting = selectors.DefaultSelector()
    waiting.register(entrance, selectors.EVENT_READ)
    waiting.register(os.pidfd_open(served), selectors.EVENT_READ, "served")
    while True:
        for key, _ in waiting.select():
            if key.data == "served":
                shutil.rmtree(place.parent, ignore_errors=True)
                return
            if key.data is None:
                connection, _ = entrance.accept()
                started = _accept(connection, [entrance.fileno(), waiting.fileno()])
                if started:
                    waiting.register(os.pidfd_open(started), selectors.EVENT_READ, (started, connection))
                    waiting.register(connection, selectors.EVENT_READ, started)
            elif isinstance(key.data, tuple):  # a program has ended
                process, connection = key.data
                status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
                with contextlib.suppress(OSError):
                    connection.sendall(f"{status}\n".encode())
                for one in (key.fileobj, connection):
                    with contextlib.suppress(KeyError):
                        waiting.unregister(one)
                connection.close()
                os.close(key.fd)
            else:  # a client says no more: it has ended
                waiting.unregister(key.fileobj)
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(key.data, signal.SIGKILL)


def _accept(connection: socket.socket, ours: list[int]) -> int | None:
    message, files, _, _ = socket.recv_fds(connection, 2**22, 3)
    while not message.endswith(b"\n"):
        more = connection.recv(2**22)
        if not more:
            return None
        message += more
    request = json.loads(message)
    process = os.fork()
    if process:
        for file in files:
            os.close(file)
        connection.sendall(f"{process}\n".encode())
        return process
    status = 1
    try:
        os.setsid()
        for number, file in enumerate(files):
            os.dup2(file, number)
        for file in (*files, *ours, connection.fileno()):
            os.close(file)
        status = _run(request)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _run(request: dict[str, Any]) -> int:
    """As Python runs a program, up to the exit status."""
    os.environ.clear()
    os.environ.update(request["variables"])
    os.chdir(request["folder"])
    random.seed()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.executable = request["command"]
    arguments = request["arguments"]
    while arguments[0] in ("-u",):
        arguments = arguments[1:]
        sys.stdout.reconfigure(write_through=True)  # type: ignore[union-attr]
    module = arguments[0] == "-m"
    sys.argv = arguments[module:]
    sys.path[0] = request["folder"] if module else str(Path(sys.argv[0]).resolve().parent)
    copied = (Path(sys.path[0]) / PACKAGE).resolve() != REPOSITORY / PACKAGE
    gone = ("tests", PACKAGE) if copied else ("tests",)
    for name in [name for name in sys.modules if name.partition(".")[0] in gone]:
        del sys.modules[name]
    status = 0
    try:
        if module:
            runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
    except BaseException:
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
        status = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    return status & 0xFF


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
