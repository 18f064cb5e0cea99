"""The price service answers as Hermes does."""

import base64

import pytest
import requests

from everstock.chain.hermes import HermesServer
from everstock.chain.publisher import PricePublisher

BTC = "b7" * 32
ETH = "e7" * 32


@pytest.fixture
def publisher():
    publisher = PricePublisher()
    for time in (100, 103):
        publisher.publish({f"0x{BTC}": 1_000 + time, f"0x{ETH}": 2_000 + time}, time)
    return publisher


@pytest.fixture
def get(publisher):
    with HermesServer(publisher) as server:
        yield lambda path: requests.get(f"{server.url}{path}", timeout=5)


def test_latest__holds_the_signed_update_and_its_content(get, publisher):
    answer = get(f"/v2/updates/price/latest?ids[]={BTC}&ids[]=0x{ETH}").json()
    assert answer["binary"] == {
        "encoding": "hex",
        "data": [blob.hex() for blob in publisher.blobs([f"0x{BTC}", f"0x{ETH}"])],
    }
    btc, eth = answer["parsed"]
    assert btc["id"] == BTC
    assert btc["price"] == {"price": "1103", "conf": "1", "expo": -8, "publish_time": 103}
    assert btc["metadata"] == {"slot": 2, "proof_available_time": 103, "prev_publish_time": 100}
    assert eth["id"] == ETH


@pytest.mark.parametrize(("wanted", "publish_time"), [(0, 100), (100, 100), (101, 103), (103, 103)])
def test_at_a_time__first_at_or_after_it(get, wanted, publish_time):
    answer = get(f"/v2/updates/price/{wanted}?ids[]={BTC}").json()
    assert answer["parsed"][0]["price"]["publish_time"] == publish_time


def test_at_a_time__not_published_yet__not_found(get):
    answer = get(f"/v2/updates/price/104?ids[]={BTC}")
    assert (answer.status_code, answer.text) == (404, f"Price ids not found: 0x{BTC}")


def test_encoding_and_parsed__as_asked(get, publisher):
    answer = get(f"/v2/updates/price/latest?ids[]={BTC}&encoding=base64&parsed=false").json()
    data = [base64.b64encode(blob).decode() for blob in publisher.blobs([f"0x{BTC}"])]
    assert answer == {"binary": {"encoding": "base64", "data": data}}


def test_unknown_ids__not_found_or_ignored(get):
    unknown = "00" * 32
    assert get(f"/v2/updates/price/latest?ids[]={unknown}").status_code == 404
    answer = get(f"/v2/updates/price/latest?ids[]={unknown}&ids[]={BTC}&ignore_invalid_price_ids=true")
    assert [parsed["id"] for parsed in answer.json()["parsed"]] == [BTC]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v2/updates/price/latest", 400),
        (f"/v2/updates/price/latest?ids[]={BTC}&encoding=octal", 400),
        (f"/v2/updates/price/-5?ids[]={BTC}", 400),
        (f"/v2/updates/price/soon?ids[]={BTC}", 400),
        ("/", 404),
    ],
)
def test_request_that_makes_no_sense__is_refused(get, path, status):
    assert get(path).status_code == status
