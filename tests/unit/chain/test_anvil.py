"""Anvil lives exactly as long as whoever started it."""

import os
import signal
import subprocess
import sys
import time

import pytest

from everstock.chain.anvil import Anvil, AnvilError

# Starts Anvil, says its pid, and waits.
# A shell's background jobs ignore SIGINT, and so would their children.
CHILD = """
import signal, time
from everstock.chain.anvil import Anvil
signal.signal(signal.SIGINT, signal.default_int_handler)
with Anvil() as anvil:
    print(anvil.pid, flush=True)
    time.sleep(60)
"""


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def gone_within(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not alive(pid)


def test_ready_on_entry_and_gone_on_exit():
    with Anvil(["--chain-id", "77"]) as anvil:
        assert anvil.web3().eth.chain_id == 77
        pid = anvil.pid
        assert alive(pid)
    assert not anvil.running
    assert not alive(pid)


def test_gone__after_an_exception():
    with pytest.raises(ZeroDivisionError), Anvil() as anvil:
        pid = anvil.pid
        1 / 0  # noqa: B018
    assert not alive(pid)


def test_two_side_by_side():
    with Anvil(["--chain-id", "1"]) as one, Anvil(["--chain-id", "2"]) as two:
        assert one.port != two.port
        assert (one.web3().eth.chain_id, two.web3().eth.chain_id) == (1, 2)


def test_start__argument_it_does_not_know__raises_with_its_words():
    with pytest.raises(AnvilError, match="unexpected argument '--nonsense'"), Anvil(["--nonsense"]):
        pass


def test_start__port_in_use__raises():
    with Anvil() as anvil, pytest.raises(AnvilError, match="ended while starting"), Anvil(port=anvil.port):
        pass


def test_log__is_kept_where_asked(tmp_path):
    path = tmp_path / "logs" / "anvil.log"
    with Anvil(log_path=path) as anvil:
        assert "Listening on" in anvil.log_tail()
    assert "Listening on" in path.read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_gone__when_its_parent_is_ended(number):
    parent = subprocess.Popen(
        [sys.executable, "-c", CHILD], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    pid = int(parent.stdout.readline())
    assert alive(pid)
    parent.send_signal(number)
    parent.wait(10)
    assert gone_within(pid, 5)
