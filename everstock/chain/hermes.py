"""A local HTTP server that hands out price updates as Pyth's Hermes does.

Paths, parameters and answers are those of https://hermes.pyth.network/docs: `/v2/updates/price/latest` and
`/v2/updates/price/{publish_time}`, the latter with each feed's first update at or after that time. A keeper cannot
tell the two apart, except that Hermes wants an API key.
"""

import base64
import json
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from everstock.chain.publisher import Batch, PricePublisher, PriceUpdate, cut

PREFIX = "/v2/updates/price/"


class HermesServer:
    """Serves a publisher's updates on 127.0.0.1; a context manager, or `start` and `stop`. `port` 0: a free one."""

    def __init__(self, publisher: PricePublisher, port: int = 0) -> None:
        class Handler(_Handler):
            source = publisher

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="hermes", daemon=True)

    @property
    def url(self) -> str:
        """Its address, to which a client appends `/v2/...`."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and free the port."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Handler(BaseHTTPRequestHandler):
    source: PricePublisher
    protocol_version = "HTTP/1.1"
    # Headers and body go out as two small writes: do not let the second wait for the first's acknowledgement.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:  # noqa: N802 (the library's name)
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        ids = [_normalised(id_) for key in ("ids[]", "ids") for id_ in query.get(key, [])]
        encoding = query.get("encoding", ["hex"])[-1]
        if not url.path.startswith(PREFIX):
            return self._answer(HTTPStatus.NOT_FOUND, "")
        when = url.path.removeprefix(PREFIX)
        if not ids or encoding not in ("hex", "base64") or not (when == "latest" or when.isdecimal()):
            return self._answer(HTTPStatus.BAD_REQUEST, "Failed to deserialize query string or path")

        publish_time = None if when == "latest" else int(when)
        if query.get("ignore_invalid_price_ids", ["false"])[-1] == "true":
            known = set(self.source.ids)
            ids = [id_ for id_ in ids if id_ in known]
        try:
            selection = self.source.select(ids, publish_time)
        except KeyError as error:
            return self._answer(HTTPStatus.NOT_FOUND, f"Price ids not found: {', '.join(error.args)}")

        data = [blob.hex() if encoding == "hex" else base64.b64encode(blob).decode() for blob in cut(selection)]
        answer: dict[str, Any] = {"binary": {"encoding": encoding, "data": data}}
        if query.get("parsed", ["true"])[-1] != "false":
            answer["parsed"] = [_parsed(batch, update) for batch, update in selection]
        return self._answer(HTTPStatus.OK, answer)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the library's name)
        """Keep quiet: the terminal belongs to whoever started this."""

    def _answer(self, status: HTTPStatus, body: str | dict[str, Any]) -> None:
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain" if isinstance(body, str) else "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _normalised(id_: str) -> str:
    return f"0x{id_.lower().removeprefix('0x')}"


def _parsed(batch: Batch, update: PriceUpdate) -> dict[str, Any]:
    return {
        "id": update.id.removeprefix("0x"),
        "price": _price(update, update.price, update.conf),
        "ema_price": _price(update, update.ema_price, update.ema_conf),
        "metadata": {
            "slot": batch.slot,
            "proof_available_time": update.publish_time,
            "prev_publish_time": update.prev_publish_time,
        },
    }


def _price(update: PriceUpdate, price: int, conf: int) -> dict[str, Any]:
    return {"price": str(price), "conf": str(conf), "expo": update.expo, "publish_time": update.publish_time}
