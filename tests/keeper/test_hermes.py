"""Hermes as it should be, and as it may be."""

import json
import time
from dataclasses import dataclass

import pytest

from everstock.chain import addresses
from everstock.chain.hermes import HermesServer
from everstock.chain.publisher import PricePublisher
from everstock.keeper.hermes import LONGEST_REST, RATE_REST, Hermes, HermesError, NotFound
from everstock.keeper.state import Price
from tests.keeper.servers import break_off, hang_up, serving

BTC, ETH = addresses.PYTH_BTC_USD, addresses.PYTH_ETH_USD
IDS = [BTC, ETH]
USD = 10**8


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def feed(id_=BTC, price="100", expo=-8, publish_time=1_000):
    return {"id": id_[2:], "price": {"price": price, "conf": "1", "expo": expo, "publish_time": publish_time}}


def answer(*feeds, data=("00ff",), encoding="hex"):
    return {"binary": {"encoding": encoding, "data": list(data)}, "parsed": list(feeds)}


GOOD = answer(feed(BTC), feed(ETH))


def giving(*answers):
    """A server that gives one answer after another: (status, body), or a body."""
    left = list(answers)

    def give(_handler, _body):
        found = left.pop(0) if len(left) > 1 else left[0]
        status, body = found if isinstance(found, tuple) else (200, found)
        return status, body if isinstance(body, bytes) else json.dumps(body).encode()

    return serving(give)


@pytest.fixture
def publisher():
    made = PricePublisher()
    for time_, btc, eth in ((1_000, 100, 10), (1_004, 101, 11), (1_010, 102, 12)):
        made.publish({BTC: btc * USD, ETH: eth * USD}, time_)
    return made


# As it should be


def test_latest__newest_prices_in_the_oracles_order(publisher):
    with HermesServer(publisher) as server:
        update = Hermes(server.url, [ETH, BTC]).latest()
    assert update.prices == (Price(12 * USD, 1_010), Price(102 * USD, 1_010))
    assert update.blobs == tuple(publisher.blobs([ETH, BTC]))


@pytest.mark.parametrize(("asked", "found"), [(990, 1_000), (1_000, 1_000), (1_001, 1_004), (1_010, 1_010)])
def test_first_from__the_first_at_or_after(publisher, asked, found):
    with HermesServer(publisher) as server:
        assert Hermes(server.url, IDS).first_from(asked).published((0, 1)) == (found, found)


def test_first_from__not_there_yet__is_not_found_and_no_reason_to_rest(publisher):
    with HermesServer(publisher) as server:
        hermes = Hermes(server.url, IDS)
        with pytest.raises(NotFound):
            hermes.first_from(1_011)
        assert hermes.latest()


def test_request__asks_for_all_ids_with_the_key():
    with giving(GOOD) as server:
        Hermes(f"{server.url}/hermes/", IDS, headers={"Authorization": "Bearer secret"}).latest()
    path, query = server.paths[0].split("?")
    assert path == "/hermes/v2/updates/price/latest"
    assert query.count("ids%5B%5D=") == 2
    assert server.headers[0]["Authorization"] == "Bearer secret"


@pytest.mark.parametrize(
    ("price", "expo", "scaled"),
    [("12345", -8, 12345), ("12345", -5, 12_345_000), ("12345", -10, 123), ("-5", -8, -5), ("7", 0, 7 * USD)],
)
def test_price__in_eight_decimals(price, expo, scaled):
    with giving(answer(feed(BTC, price, expo), feed(ETH))) as server:
        assert Hermes(server.url, IDS).latest().prices[0] == Price(scaled, 1_000)


# As it may be


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"<html>",
        b"\xff\xfe\x00",
        b"null",
        b"[]",
        b"{}",
        {"binary": GOOD["binary"]},
        {"parsed": GOOD["parsed"]},
        {**GOOD, "parsed": None},
        answer(feed(BTC), feed(ETH), encoding="base64"),
        answer(feed(BTC), feed(ETH), data=()),
        answer(feed(BTC), feed(ETH), data=("zz",)),
        answer(feed(BTC), feed(ETH), data=("0ff",)),
        answer(feed(BTC), feed(ETH), data=("0xff",)),
        answer(feed(BTC), feed(ETH), data=("00", "00", "00")),
        answer(feed(BTC), feed(ETH), data=("00" * 4_097,)),
        answer(feed(BTC)),
        answer(feed(BTC), feed("0x" + "00" * 32)),
        answer(feed(BTC, "much"), feed(ETH)),
        answer(feed(BTC, "1.5"), feed(ETH)),
        answer(feed(BTC, expo=-99), feed(ETH)),
        answer(feed(BTC, expo=3), feed(ETH)),
        answer(feed(BTC, publish_time=0), feed(ETH)),
        answer(feed(BTC, publish_time=2**32), feed(ETH)),
        b'{"a":' * 10_000,
        b"[" + b"1," * 600_000,
    ],
)
def test_garbage__is_no_update(garbage):
    with giving(garbage) as server, pytest.raises(HermesError):
        Hermes(server.url, IDS).latest()


def test_first_from__a_price_from_before__is_refused():
    with giving(answer(feed(BTC, publish_time=999), feed(ETH))) as server, pytest.raises(HermesError, match="before"):
        Hermes(server.url, IDS).first_from(1_000)


@pytest.mark.parametrize("ends", [hang_up, break_off])
def test_connection_that_breaks__is_trouble(ends):
    with serving(ends) as server, pytest.raises(HermesError, match="does not answer"):
        Hermes(server.url, IDS).latest()


def test_answer_that_never_ends__is_not_waited_for():
    def drip(handler, _body):
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        for _ in range(100):
            handler.wfile.write(b"x" * 70_000)
            time.sleep(0.03)

    started = time.monotonic()
    with serving(drip) as server, pytest.raises(HermesError):
        Hermes(server.url, IDS, timeout=0.1).latest()
    assert time.monotonic() - started < 3


def test_url__with_a_key_in_it__is_not_told():
    with pytest.raises(HermesError) as caught:
        Hermes("http://127.0.0.1:1/secret-key", IDS).latest()
    assert "secret-key" not in str(caught.value)


# Rest after trouble


def test_trouble__is_followed_by_rest_that_grows_and_ends(publisher):
    clock = Clock()
    with giving((500, b"oops")) as server:
        hermes = Hermes(server.url, IDS, clock=clock)
        rests = []
        for _ in range(8):
            with pytest.raises(HermesError, match="500"):
                hermes.latest()
            asked = len(server.paths)
            start = clock.now
            while len(server.paths) == asked and clock.now < start + 100:
                clock.now += 0.25
                with pytest.raises(HermesError):
                    hermes.latest()
            rests.append(clock.now - start)
            server.paths.clear()
    assert rests[0] < 1
    assert all(earlier <= later for earlier, later in zip(rests, rests[1:], strict=False))
    assert rests[-1] <= LONGEST_REST


def test_trouble__over__is_forgotten():
    clock = Clock()
    with giving((500, b""), GOOD, (500, b""), GOOD) as server:
        hermes = Hermes(server.url, IDS, clock=clock)
        for _ in range(2):
            with pytest.raises(HermesError):
                hermes.latest()
            clock.now += 0.5
            assert hermes.latest()


def test_too_many_requests__are_followed_by_a_long_rest():
    clock = Clock()
    with giving((429, b""), GOOD) as server:
        hermes = Hermes(server.url, IDS, clock=clock)
        with pytest.raises(HermesError, match="429"):
            hermes.latest()
        clock.now = RATE_REST - 1
        with pytest.raises(HermesError, match="left alone"):
            hermes.latest()
        clock.now = RATE_REST
        assert hermes.latest()
