"""What a keeper tells the outside: metrics for Prometheus and a page of status, over HTTP.

GET /status answers with JSON, GET /metrics with Prometheus' text.
"""

import json
import re
import threading
from collections import Counter
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

import prometheus_client as prometheus

from everstock.keeper.actions import KINDS

# Seconds to handle a block, as the histogram's bounds.
_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
# What varies from one reason to the next would make a time series of each.
_VARYING = re.compile(r"0x[0-9a-fA-F]+|\d+")
_REASON_LENGTH = 80
# What says that an action did not work.
_FAILURES = ("refused", "reverted")
WEI_PER_ETHER = 10**18


class Board:
    """Counts and remembers what happened. Safe to read from other threads while one writes."""

    def __init__(self, address: str) -> None:
        self.registry = prometheus.CollectorRegistry()
        self._lock = threading.Lock()
        self._address = address
        self._block = 0
        self._time = 0
        self._pending: tuple[str, ...] = ()
        self._sent: Counter[str] = Counter(dict.fromkeys(KINDS, 0))
        self._failed: Counter[str] = Counter(dict.fromkeys(KINDS, 0))
        self._errors = 0
        self._last_error = ""
        self._balance = 0

        def metric(kind: Any, name: str, text: str, labels: tuple[str, ...] = (), **more: Any) -> Any:
            return kind(f"everstock_keeper_{name}", text, labels, registry=self.registry, **more)

        self._actions = metric(
            prometheus.Counter, "actions_total", "Actions by kind and by what became of them", ("kind", "outcome")
        )
        self._failures = metric(
            prometheus.Counter, "failures_total", "Actions that failed, by kind and reason", ("kind", "reason")
        )
        self._troubles = metric(
            prometheus.Counter, "errors_total", "Troubles with the node or Hermes", ("source",)
        )
        self._handled = metric(prometheus.Gauge, "block", "Last block fully handled")
        self._behind = metric(prometheus.Gauge, "blocks_behind", "Blocks between the head and the last one handled")
        self._flying = metric(prometheus.Gauge, "transactions_pending", "Transactions sent and not mined yet")
        self._ether = metric(prometheus.Gauge, "balance_ether", "Ether of the keeper's account")
        self._age = metric(
            prometheus.Gauge, "price_age_seconds", "Age of the oracle's price at the last block", ("underlying",)
        )
        self._waiting = metric(prometheus.Gauge, "orders_waiting", "Orders that wait", ("market",))
        self._below = metric(prometheus.Gauge, "accounts_below", "Accounts below maintenance", ("market",))
        self._watched = metric(prometheus.Gauge, "accounts_watched", "Accounts that may have legs", ("market",))
        self._rollbacks = metric(prometheus.Counter, "rollbacks_total", "Times that the chain went back")
        self._seconds = metric(
            prometheus.Histogram, "block_seconds", "Seconds it took to handle a block", buckets=_SECONDS
        )

    # What is told to the board

    def action(self, kind: str, outcome: str, reason: str = "") -> None:
        """Something became of an action."""
        self._actions.labels(kind, outcome).inc()
        with self._lock:
            self._sent[kind] += outcome == "sent"
            self._failed[kind] += outcome in _FAILURES
        if reason:
            self._failures.labels(kind, _VARYING.sub("#", reason)[:_REASON_LENGTH]).inc()

    def error(self, source: str, text: str) -> None:
        """The node or Hermes made trouble."""
        self._troubles.labels(source).inc()
        with self._lock:
            self._errors += 1
            self._last_error = text

    def head(self, number: int) -> None:
        """There is a block to handle."""
        self._behind.set(max(0, number - self._block))

    def went_back(self) -> None:
        """The chain went back on what it had said."""
        self._rollbacks.inc()

    def market(self, symbol: str, *, orders: int, below: int, watched: int) -> None:
        """How a market looks at the block being handled."""
        self._waiting.labels(symbol).set(orders)
        self._below.labels(symbol).set(below)
        self._watched.labels(symbol).set(watched)

    def price_age(self, name: str, seconds: int) -> None:
        """How old an underlying's stored price is."""
        self._age.labels(name).set(seconds)

    def handled(self, number: int, time: int, *, pending: tuple[str, ...], balance: int, seconds: float) -> None:
        """A block is dealt with: all that it calls for was sent."""
        self._handled.set(number)
        self._behind.set(0)
        self._flying.set(len(pending))
        self._ether.set(balance / WEI_PER_ETHER)
        self._seconds.observe(seconds)
        with self._lock:
            self._block, self._time, self._pending, self._balance = number, time, pending, balance

    # What it tells

    def status(self) -> dict[str, Any]:
        """The page of status."""
        with self._lock:
            return {
                "block": self._block,
                "time": self._time,
                "pending": list(self._pending),
                "sent": dict(self._sent),
                "failed": dict(self._failed),
                "errors": self._errors,
                "last_error": self._last_error,
                "address": self._address,
                "balance": self._balance,
            }


class BoardServer:
    """Serves a board on `host` (127.0.0.1); a context manager. `port` 0: a free one."""

    def __init__(self, board: Board, port: int, host: str = "127.0.0.1") -> None:
        """Raises `OSError` if the port is taken."""

        class Handler(_Handler):
            shown = board

        self._server = ThreadingHTTPServer((host, port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="board", daemon=True)

    @property
    def url(self) -> str:
        """Its address."""
        host, port = self._server.server_address[:2]
        return f"http://{host}:{port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    shown: Board
    protocol_version = "HTTP/1.1"
    # Headers and body go out as two small writes: do not let the second wait for the first's acknowledgement.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:  # noqa: N802 (the library's name)
        if self.path == "/status":
            self._answer(HTTPStatus.OK, "application/json", json.dumps(self.shown.status()).encode())
        elif self.path == "/metrics":
            text = prometheus.generate_latest(self.shown.registry)
            self._answer(HTTPStatus.OK, prometheus.CONTENT_TYPE_LATEST, text)
        else:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"/status or /metrics\n")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the library's name)
        """Keep quiet: the log is the keeper's."""

    def _answer(self, status: HTTPStatus, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
