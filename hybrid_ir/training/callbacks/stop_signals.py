"""Handling of SIGTERM and Ctrl-C during training: the run stops after the current step."""

import os
import signal
import threading
from types import FrameType
from typing import Any

STDERR = 2
SIGNALS = (signal.SIGTERM, signal.SIGINT)
_asked: signal.Signals | None = None


class StoppedBySignalError(SystemExit):
    """Ends the program with the shell's exit status for a signal: 143 after SIGTERM, 130 after Ctrl-C."""


def asked() -> signal.Signals | None:
    """The signal that this process's newest training received, even if it then ended by itself; None without one."""
    return _asked


class StopSignals:
    """Signal handlers that record SIGTERM and SIGINT instead of ending the process; a second SIGINT interrupts at once.

    They replace Lightning's handler of SIGTERM, which calls a collective wherever the process happens to be and exits
    with status 0. Lightning keeps the signal of a Slurm requeue (SIGUSR1). In a submitit job, submitit keeps SIGTERM:
    it ignores it and requeues the job on another signal.

    Attributes:
        received: the signal received; None without one.
    """

    def __init__(self) -> None:
        self.received: signal.Signals | None = None
        self._before: dict[signal.Signals, Any] = {}
        self._process = 0

    def install(self) -> None:
        """Install the handlers; does nothing outside the main thread, the only one to which Python delivers signals."""
        global _asked
        _asked = None
        if threading.current_thread() is not threading.main_thread():
            return
        self._process = os.getpid()
        self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        if (bypass := _of_submitit(self._before[signal.SIGTERM])) is not None:
            signal.signal(signal.SIGTERM, bypass)

    def restore(self) -> None:
        """Restore the previous handlers."""
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        self._before = {}

    def _note(self, number: int, _: FrameType | None) -> None:
        global _asked
        if os.getpid() != self._process:  # a forked worker has inherited the handler
            return
        if self.received == number == signal.SIGINT:
            raise KeyboardInterrupt
        self.received = _asked = signal.Signals(number)
        again = "; press Ctrl-C again to stop at once" if number == signal.SIGINT else ""
        # os.write is reentrant; print is not.
        os.write(STDERR, f"{self.received.name}: stopping after this step{again}\n".encode())


def _of_submitit(handler: Any) -> Any:
    """Submitit's handler, by itself or among those that Lightning has combined; None if there is none."""
    handlers = getattr(handler, "signal_handlers", [handler])
    return next((one for one in handlers if (getattr(one, "__module__", None) or "").startswith("submitit.")), None)
