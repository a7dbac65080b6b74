"""The client of `tests.warm`, started for every program: it needs nothing but a few modules of Python itself."""

import contextlib
import json
import os
import signal
import socket
import sys


def main(real: str, place: str, *arguments: str) -> int:
    """Have the server run the program, hand signals on, and end as it ends."""
    command = os.path.join(os.path.dirname(place), "python")
    server = socket.socket(socket.AF_UNIX)
    try:
        if not arguments or (arguments[0] not in ("-u", "-m") and not arguments[0].endswith(".py")):
            raise OSError("not a program that the server can run")
        server.connect(place)
    except OSError:
        os.execv(real, [real, *arguments])
    request = {"arguments": arguments, "variables": dict(os.environ), "folder": os.getcwd(), "command": command}
    message = json.dumps(request).encode() + b"\n"
    sent = socket.send_fds(server, [message], [0, 1, 2])
    server.sendall(message[sent:])
    answers = server.makefile("r")
    process = int(answers.readline())

    def hand_on(number: int, _: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process, number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGHUP):
        signal.signal(number, hand_on)
    status = int(answers.readline() or "1")
    if status < 0:
        signal.signal(-status, signal.SIG_DFL) if -status != signal.SIGKILL else None
        os.kill(os.getpid(), -status)
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
