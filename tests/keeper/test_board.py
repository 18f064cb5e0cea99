"""What a keeper tells the outside."""

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from everstock.keeper.actions import KINDS
from everstock.keeper.board import Board, BoardServer


@pytest.fixture
def board():
    return Board("0xKeeper")


@pytest.fixture
def url(board):
    with BoardServer(board, 0) as server:
        yield server.url


def metrics(url):
    """Every sample by name and labels."""
    text = requests.get(f"{url}/metrics", timeout=5).text
    return {
        (sample.name.removeprefix("everstock_keeper_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def handle(board, number, **changes):
    board.handled(number, 1_000 + number, **({"pending": (), "balance": 10**18, "seconds": 0.01} | changes))


def test_status__from_the_start(url):
    status = requests.get(f"{url}/status", timeout=5).json()
    nothing = dict.fromkeys(KINDS, 0)
    assert status == {
        "block": 0,
        "time": 0,
        "pending": [],
        "sent": nothing,
        "failed": nothing,
        "errors": 0,
        "last_error": "",
        "address": "0xKeeper",
        "balance": 0,
    }


def test_status__counts_what_happened(board, url):
    board.action("orders", "sent")
    board.action("orders", "mined")
    board.action("orders", "refused", "order_desk: too early")
    board.action("fulfil", "idle")
    board.action("liquidations", "reverted", "price_oracle: stale price")
    board.error("hermes", "Hermes answered 500")
    board.error("node", "the node does not answer")
    handle(board, 7, pending=("0xaa", "0xbb"))
    status = requests.get(f"{url}/status", timeout=5).json()
    assert (status["block"], status["time"], status["pending"]) == (7, 1_007, ["0xaa", "0xbb"])
    assert (status["sent"]["orders"], status["failed"]["orders"]) == (1, 1)
    assert (status["sent"]["fulfil"], status["failed"]["fulfil"]) == (0, 0)
    assert status["failed"]["liquidations"] == 1
    assert (status["errors"], status["last_error"]) == (2, "the node does not answer")


def test_metrics__say_the_same_to_prometheus(board, url):
    board.action("orders", "sent")
    board.action("orders", "refused", "nonce too low: next nonce 5, tx nonce 3 of 0xAbC " + "x" * 200)
    board.action("orders", "refused", "nonce too low: next nonce 6, tx nonce 4 of 0xDeF " + "x" * 200)
    board.error("hermes", "Hermes answered 500")
    board.market("TSLA.M", orders=3, below=1, watched=40)
    board.price_age("BTC", 12)
    board.went_back()
    handle(board, 7, balance=5 * 10**17, pending=("0xaa",))
    board.head(9)
    found = metrics(url)
    assert found["actions_total", "orders", "sent"] == 1
    assert found["errors_total", "hermes"] == 1
    assert found["orders_waiting", "TSLA.M"] == 3
    assert found["accounts_below", "TSLA.M"] == 1
    assert found["accounts_watched", "TSLA.M"] == 40
    assert found["price_age_seconds", "BTC"] == 12
    assert found["rollbacks_total",] == 1
    assert (found["block",], found["blocks_behind",]) == (7, 2)
    assert (found["balance_ether",], found["transactions_pending",]) == (0.5, 1)
    assert found["block_seconds_count",] == 1
    (reason,) = [key[2] for key in found if key[0] == "failures_total"]
    assert reason.startswith("nonce too low: next nonce #, tx nonce # of # xxx")
    assert len(reason) == 80


def test_server__anything_else__is_not_found(url):
    assert requests.get(f"{url}/", timeout=5).status_code == 404


def test_server__port_that_is_taken__says_so(board, url):
    with pytest.raises(OSError, match="in use"):
        BoardServer(board, int(url.rsplit(":", 1)[1]))
