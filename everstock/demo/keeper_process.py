"""The keeper as a process of its own: started, waited for after each block, and stopped with the demo."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

from everstock.demo.driver import DemoError

READY_SECONDS: Final = 30
BLOCK_SECONDS: Final = 30
STOP_SECONDS: Final = 5
POLL_SECONDS: Final = 0.02
# Between two looks at its status.
LOOK_SECONDS: Final = 0.005
LOG_TAIL_LINES: Final = 15

# The keeper becomes the shell's own process; the watcher beside it stops it when our end of the pipe closes, so that it
# does not outlive us however we end.
_WATCHED: Final = 'exec 3<&0; (while read -r _ <&3; do :; done; kill -TERM $$ 2>/dev/null) & exec "$@" 3<&- </dev/null'


def command(manifest: Path, rpc: str, hermes: str, key_index: int, port: int) -> list[str]:
    """How to run `everstock keeper` for a deployment, with its page of status at `port`."""
    return [
        sys.executable,
        "-c",
        "from everstock.cli import main; main()",
        "keeper",
        *("--manifest", str(manifest)),
        *("--rpc", rpc),
        *("--hermes", hermes),
        *("--key-index", str(key_index)),
        *("--poll", str(POLL_SECONDS)),
        *("--metrics-port", str(port)),
    ]


class KeeperProcess:
    """A keeper as a context manager: `command`, which serves its status at `port`; its log goes to `log_path`."""

    def __init__(self, command: Sequence[str], port: int, log_path: Path) -> None:
        self._command = list(command)
        self._log_path = log_path
        self._log: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and return once it answers. Raises `DemoError` with the end of its log if it does not."""
        self._log_path.parent.mkdir(parents=True, exist_ok=True)
        self._log = self._log_path.open("wb")
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", _WATCHED, "keeper", *self._command],
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            self._wait(lambda status: True, READY_SECONDS, "answer")
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop it, by force after `STOP_SECONDS`. Does nothing if it does not run."""
        self._connection.close()
        if self._process is not None:
            process, self._process = self._process, None
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdin is not None:
                process.stdin.close()
        if self._log is not None:
            self._log.close()
            self._log = None

    def follow(self, block: int) -> Sequence[str]:
        """Wait until it handled `block`; the transactions it has sent that no block holds yet.

        Raises `DemoError` if it died or takes longer than `BLOCK_SECONDS`.
        """
        status = self._wait(lambda status: status["block"] >= block, BLOCK_SECONDS, f"handle block {block}")
        return status["pending"]

    def status(self) -> dict[str, Any] | None:
        """What it says of itself; none while it does not answer."""
        try:
            self._connection.request("GET", "/status")
            answer = self._connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return None
        return json.loads(body) if answer.status == http.HTTPStatus.OK else None

    def _wait(self, enough: Callable[[dict[str, Any]], bool], seconds: float, what: str) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            status = self.status()
            if status is not None and enough(status):
                return status
            if self._process is None or self._process.poll() is not None:
                code = None if self._process is None else self._process.returncode
                raise DemoError(f"the keeper ended with code {code}:\n{self._log_tail()}")
            time.sleep(LOOK_SECONDS)
        raise DemoError(f"the keeper did not {what} within {seconds:.0f} s:\n{self._log_tail()}")

    def _log_tail(self) -> str:
        return "\n".join(self._log_path.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:])


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
