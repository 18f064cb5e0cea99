"""A client of Pyth's Hermes: signed prices, the latest and the first at or after a time.

https://hermes.pyth.network/docs. Whatever it answers is checked before it is believed to be an update; whether its
signatures are good, the chain will say. After trouble it is left alone for a while.
"""

import time
from collections.abc import Callable, Sequence
from typing import Annotated, Final, Literal

import requests
from pydantic import BaseModel, Field, StringConstraints, ValidationError

from everstock.keeper.state import Price, Update

DECIMALS: Final = 8
# What PriceOracle takes: blobs of one call and bytes of each.
MAX_BLOBS: Final = 2
MAX_BLOB: Final = 4_096
# Far more than any answer has.
MAX_ANSWER: Final = 1_000_000
# Seconds of rest after trouble, the second time twice as long, and so on; and after "too many requests", which
# Hermes' documentation puts at 60.
FIRST_REST: Final = 0.5
LONGEST_REST: Final = 8.0
RATE_REST: Final = 60.0

_Hex = Annotated[str, StringConstraints(pattern=r"^([0-9a-fA-F]{2})+$", max_length=2 * MAX_BLOB)]


class HermesError(RuntimeError):
    """There is no usable answer."""


class NotFound(HermesError):
    """Hermes works and has no such price, or not yet."""


class _Price(BaseModel):
    price: int
    expo: int = Field(ge=-18, le=0)
    publish_time: int = Field(gt=0, lt=2**32)


class _Feed(BaseModel):
    id: str
    price: _Price


class _Binary(BaseModel):
    encoding: Literal["hex"]
    data: list[_Hex] = Field(min_length=1, max_length=MAX_BLOBS)


class _Answer(BaseModel):
    binary: _Binary
    parsed: list[_Feed]


class Hermes:
    """Hermes at `url`, for the feeds `ids` in the order of the oracle. Not safe for threads.

    `headers` go along with every request, such as an API key's. `timeout` is in seconds.
    """

    def __init__(
        self,
        url: str,
        ids: Sequence[str],
        *,
        headers: dict[str, str] | None = None,
        timeout: float = 2,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url.rstrip("/")
        self._ids = [_normalised(id_) for id_ in ids]
        self._timeout = timeout
        self._clock = clock
        self._session = requests.Session()
        self._session.headers.update(headers or {})
        self._rest = 0.0
        self._resting_until = 0.0
        self._trouble = ""

    def latest(self) -> Update:
        """The newest update. Raises `HermesError`."""
        return self._get("latest")

    def first_from(self, publish_time: int) -> Update:
        """Each feed's first update at or after `publish_time`. Raises `NotFound` if there is none, `HermesError`."""
        update = self._get(str(publish_time))
        if any(price.publish_time < publish_time for price in update.prices):
            raise HermesError(f"Hermes gave a price from before {publish_time}")
        return update

    def close(self) -> None:
        """Let go of the connection."""
        self._session.close()

    def _get(self, when: str) -> Update:
        if self._clock() < self._resting_until:
            raise HermesError(f"Hermes is left alone for a while: {self._trouble}")
        try:
            status, body = self._fetch(f"{self._url}/v2/updates/price/{when}")
        except requests.RequestException as error:
            # Not its words, which name the URL, and that may hold a key.
            raise self._troubled(f"Hermes does not answer: {type(error).__name__}") from error
        if status == requests.codes.not_found:
            raise NotFound(f"Hermes has no price at {when}: {body[:100]!r}")
        if status != requests.codes.ok:
            rest = RATE_REST if status == requests.codes.too_many_requests else None
            raise self._troubled(f"Hermes answered {status}: {body[:100]!r}", rest)
        try:
            update = self._update(_Answer.model_validate_json(body))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise self._troubled(f"Hermes' answer is none: {where} {first['msg']}") from error
        self._rest = 0.0
        return update

    def _fetch(self, url: str) -> tuple[int, bytes]:
        parameters = {"ids[]": self._ids, "encoding": "hex", "parsed": "true"}
        deadline = self._clock() + self._timeout
        with self._session.get(url, params=parameters, timeout=self._timeout, stream=True) as response:
            body = b""
            for chunk in response.iter_content(65_536):
                body += chunk
                if len(body) > MAX_ANSWER or self._clock() > deadline:
                    raise self._troubled("Hermes' answer does not end")
            return response.status_code, body

    def _update(self, answer: _Answer) -> Update:
        prices = {_normalised(feed.id): feed.price for feed in answer.parsed}
        missing = [id_ for id_ in self._ids if id_ not in prices]
        if missing:
            raise self._troubled(f"Hermes' answer lacks {', '.join(missing)}")
        return Update(
            blobs=tuple(bytes.fromhex(data) for data in answer.binary.data),
            prices=tuple(_price(prices[id_]) for id_ in self._ids),
        )

    def _troubled(self, trouble: str, rest: float | None = None) -> HermesError:
        """Rest from now on; the error to raise."""
        self._rest = rest or min(max(2 * self._rest, FIRST_REST), LONGEST_REST)
        self._resting_until = self._clock() + self._rest
        self._trouble = trouble
        return HermesError(trouble)


def _normalised(id_: str) -> str:
    return f"0x{id_.lower().removeprefix('0x')}"


def _price(raw: _Price) -> Price:
    """With 8 decimals, rounded down, as PriceOracle has it."""
    places = raw.expo + DECIMALS
    scaled = raw.price * 10**places if places >= 0 else raw.price // 10**-places
    return Price(scaled, raw.publish_time)
