"""The keeper as a process: waited for, watched, and stopped."""

import sys
import time

import pytest

from everstock.demo import keeper_process
from everstock.demo.driver import DemoError
from everstock.demo.keeper_process import KeeperProcess, free_port

# Serves a status whose block grows every 50 ms.
SERVER = """
import json, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer
started = time.monotonic()
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        block = int((time.monotonic() - started) / 0.05)
        body = json.dumps({"block": block, "pending": ["0xab"] if block % 2 else []}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *arguments):
        pass
print("serving", flush=True)
HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def keeper(tmp_path, code=SERVER):
    port = free_port()
    return KeeperProcess([sys.executable, "-c", code, str(port)], port, tmp_path / "keeper.log")


def test_follow__returns_when_the_block_is_handled(tmp_path):
    with keeper(tmp_path) as process:
        target = process.status()["block"] + 3
        pending = process.follow(target)
        assert process.status()["block"] >= target
        assert pending in ([], ["0xab"])
    assert process.status() is None
    assert (tmp_path / "keeper.log").read_text() == "serving\n"


def test_start__one_that_dies__its_last_words_are_told(tmp_path):
    with pytest.raises(DemoError, match="ended with code 3:\nno such deployment"):
        keeper(tmp_path, "print('no such deployment', flush=True); raise SystemExit(3)").start()


def test_follow__one_that_dies_later__is_told(tmp_path):
    dying = SERVER.replace(
        "HTTPServer((", "import threading, os; threading.Timer(0.5, os._exit, (7,)).start(); HTTPServer(("
    )
    with keeper(tmp_path, dying) as process, pytest.raises(DemoError, match="ended with code 7"):
        process.follow(10**9)


def test_follow__one_that_never_gets_there__is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(keeper_process, "BLOCK_SECONDS", 0.3)
    with keeper(tmp_path) as process, pytest.raises(DemoError, match="did not handle block 1000000 within"):
        process.follow(10**6)


def test_stop__one_that_does_not_listen__is_stopped_by_force(tmp_path, monkeypatch):
    monkeypatch.setattr(keeper_process, "STOP_SECONDS", 0.3)
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SERVER
    process = keeper(tmp_path, deaf)
    process.start()
    started = time.monotonic()
    process.stop()
    assert time.monotonic() - started < 3
    process.stop()
