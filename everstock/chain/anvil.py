"""One Anvil process: started on a free port, found to be ready, and stopped with whoever started it.

The platform package's binary is run itself: npm's wrapper leaves its child alive when it is killed. A small watcher
beside the binary holds the read end of a pipe from this process and stops Anvil when the pipe closes, so that
nothing is left behind even if this process is killed outright.
"""

import os
import platform
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import requests
from web3 import HTTPProvider, Web3

ROOT = Path(__file__).resolve().parents[2]

READY_SECONDS = 60
STOP_SECONDS = 5
LOG_TAIL_LINES = 20

# Anvil becomes the shell's own process (so its pid is ours to wait for); the watcher stops it when stdin closes.
_WATCHED = 'exec 3<&0; (while read -r _ <&3; do :; done; kill -TERM $$ 2>/dev/null) & exec "$@" 3<&- </dev/null'


class AnvilError(RuntimeError):
    """Anvil is not installed, did not start, or died; the message ends with the tail of its log."""


def binary() -> Path:
    """Path of the Anvil binary that `npm ci` installed for this platform.

    Raises `AnvilError` if there is none.
    """
    system = {"Linux": "linux", "Darwin": "darwin"}.get(platform.system())
    machines = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
    machine = machines.get(platform.machine().lower())
    path = ROOT / "node_modules" / "@foundry-rs" / f"anvil-{system}-{machine}" / "bin" / "anvil"
    if not path.is_file():
        raise AnvilError(f"Anvil is not installed for {platform.system()} {platform.machine()}: run `make setup`")
    return path


class Anvil:
    """An Anvil process as a context manager: ready on entry, gone on exit.

    `arguments` are Anvil's own, without host and port. `port` 0 takes a free one. With `log_path` its log is kept
    there, otherwise it is thrown away at the end. Several can run side by side.
    """

    def __init__(self, arguments: Sequence[str] = (), *, port: int = 0, log_path: Path | None = None) -> None:
        self._arguments = list(arguments)
        self._port = port
        self._log_path = log_path
        self._log: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The port it listens on; 0 before `start` unless one was asked for."""
        return self._port

    @property
    def url(self) -> str:
        """Its HTTP endpoint."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        """The process id of Anvil itself. Raises `AnvilError` if it was not started."""
        if self._process is None:
            raise AnvilError("Anvil was not started")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process was started and lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it and return once it answers.

        Raises `AnvilError` with the tail of the log if it dies or is not ready after `READY_SECONDS`.
        """
        if self._process is not None:
            raise AnvilError("Anvil was started already")
        if self._log_path is None:
            self._log = tempfile.TemporaryFile()
        else:
            self._log_path.parent.mkdir(parents=True, exist_ok=True)
            self._log = self._log_path.open("w+b")
        listen = ["--host", "127.0.0.1", "--port", str(self._port)]
        command = [str(binary()), *listen, "--color", "never", *self._arguments]
        # A session of its own: Ctrl-C reaches us, and we stop Anvil once we are done with it.
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", _WATCHED, "anvil", *command],
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop it, by force after `STOP_SECONDS`. Does nothing if it does not run."""
        if self._process is not None:
            process, self._process = self._process, None
            # The group is Anvil and its watcher; while the watcher lives its number cannot be anybody else's.
            with suppress(ProcessLookupError):
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

    def web3(self, timeout: float = 120) -> Web3:
        """A new `Web3` for this chain; `timeout` in seconds per request."""
        return Web3(HTTPProvider(self.url, request_kwargs={"timeout": timeout}))

    def log_tail(self) -> str:
        """The last lines of its log."""
        return "\n".join(self._read_log().splitlines()[-LOG_TAIL_LINES:])

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                raise AnvilError(f"Anvil ended while starting:\n{self.log_tail()}")
            listening = self._port_in_log()
            if listening:
                self._port = listening
                if self._answers():
                    return
            time.sleep(0.02)
        raise AnvilError(f"Anvil was not ready after {READY_SECONDS} s:\n{self.log_tail()}")

    def _port_in_log(self) -> int:
        match = re.search(r"^Listening on 127\.0\.0\.1:(\d+)", self._read_log(), re.M)
        return int(match.group(1)) if match else 0

    def _read_log(self) -> str:
        if self._log is None:
            return ""
        # Without moving the position, which Anvil writes at.
        descriptor = self._log.fileno()
        return os.pread(descriptor, os.fstat(descriptor).st_size, 0).decode(errors="replace")

    def _answers(self) -> bool:
        request = {"jsonrpc": "2.0", "id": 1, "method": "web3_clientVersion", "params": []}
        try:
            answer = requests.post(self.url, json=request, timeout=5)
        except requests.ConnectionError:
            return False
        return answer.ok and "anvil" in answer.text
