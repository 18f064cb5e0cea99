"""The contracts' packed words as the model's objects. Layouts stand above the words in the contracts."""

from collections.abc import Iterable, Sequence

from everstock.model.checkpoints import Anchors, State
from everstock.model.parameters import Parameters
from everstock.model.pool_risk import Exposure, Totals
from everstock.model.positions import Leg
from everstock.model.price_oracle import Word
from everstock.model.series_book import Series
from everstock.parameters import RATES


def bits(word: int, place: int, width: int) -> int:
    """`width` bits of a word from bit `place` on."""
    return (word >> place) & ((1 << width) - 1)


def signed(word: int, place: int, width: int) -> int:
    """The same as a two's complement number."""
    value = bits(word, place, width)
    return value - (1 << width) if value >> (width - 1) else value


def leg(word: int) -> Leg:
    """A leg out of its word."""
    return Leg(series=bits(word, 0, 16), units=signed(word, 16, 113), entry=signed(word, 129, 127))


def legs(words: Iterable[int]) -> list[Leg]:
    """An account's legs; words of 0 are none."""
    return [leg(word) for word in words if word]


def leg_word(leg: Leg) -> int:
    """A leg as one word."""
    return leg.series | (leg.units % 2**113) << 16 | (leg.entry % 2**127) << 129


def series(words: Sequence[int]) -> Series:
    """A series out of its three words."""
    price, gain, size = words
    return Series(
        strike=bits(price, 0, 56),
        is_put=bool(bits(price, 56, 1)),
        underlying=bits(price, 57, 7),
        time=bits(price, 64, 32),
        price=bits(price, 96, 64),
        long_rate=signed(price, 160, 48),
        short_rate=signed(price, 208, 48),
        long_gain=signed(gain, 0, 128),
        short_gain=signed(gain, 128, 128),
        long_units=bits(size, 0, 112),
        short_units=bits(size, 112, 112),
        notice=bits(size, 224, 32),
    )


def state(word: int) -> State:
    """What the last checkpoint left behind."""
    return State(
        scale=bits(word, 0, 60),
        time=bits(word, 60, 32),
        window_end=bits(word, 92, 32),
        negative_since=bits(word, 124, 32),
        frozen=bool(bits(word, 156, 1)),
        utilisation=bits(word, 176, 16),
        depth=bits(word, 192, 64),
    )


def anchors(word: int) -> tuple[Anchors, int]:
    """The anchors, and the main pool's queued redemptions."""
    return Anchors(prices=[bits(word, 0, 64), bits(word, 64, 64)], time=bits(word, 128, 32)), bits(word, 160, 96)


def exposure(words: Sequence[int]) -> Exposure:
    """One underlying's exposure out of its two words."""
    first, second = words
    return Exposure(
        losses=[signed(first, 64 * i, 64) for i in range(4)] + [signed(second, 64 * i, 64) for i in range(2)],
        delta=signed(second, 128, 64),
        checkpoint_price=bits(second, 192, 64),
    )


def totals(word: int) -> Totals:
    """Sums over both underlyings."""
    return Totals(
        worst=bits(word, 0, 64), written=bits(word, 64, 64), accrued=bits(word, 128, 96), open_legs=bits(word, 224, 32)
    )


def active(word: int) -> list[int]:
    """Ids of an underlying's active series, in the order of their list."""
    ids = [bits(word, 16 * i, 16) for i in range(16)]
    return [id_ for id_ in ids if id_]


def set_parameters(parameters: Parameters, rates: int, limits: int) -> None:
    """Write a market's two words of parameters into `parameters`."""
    for key, name in enumerate(RATES):
        setattr(parameters, name, bits(rates, 16 * key, 16))
    parameters.min_margin = bits(limits, 0, 96)
    parameters.min_face = bits(limits, 96, 96)
    parameters.carry = [signed(limits, 192, 16), signed(limits, 208, 16)]
    parameters.deleverage_target = bits(limits, 224, 16)


def oracle_word(word: int) -> Word:
    """What the oracle keeps of one underlying."""
    return Word(
        price=bits(word, 0, 64),
        publish_time=bits(word, 64, 32),
        fast=bits(word, 96, 40),
        slow=bits(word, 136, 40),
        restricted=bool(bits(word, 176, 1)),
    )
