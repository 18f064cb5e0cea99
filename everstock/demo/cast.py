"""Who takes part: traders of several kinds, with margin and temper, and liquidity providers. Same seed, same people."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What a trader is after."""

    CALL_BUYER = "call buyers"
    PUT_BUYER = "put buyers"
    CALL_WRITER = "call writers"
    PUT_WRITER = "put writers"
    CALL_SPREAD = "call spreads"
    PUT_SPREAD = "put spreads"
    STRADDLE_BUYER = "straddle buyers"
    STRADDLE_WRITER = "straddle writers"
    BOTH = "both underlyings"

    @property
    def one(self) -> str:
        """What one of them is called."""
        return "holder of both" if self is Kind.BOTH else self.value.removesuffix("s")


MIN_TRADERS: Final = 2 * len(Kind)

# After one of each kind, the kinds of further traders, again and again.
_MORE: Final = (
    Kind.CALL_BUYER,
    Kind.PUT_WRITER,
    Kind.PUT_BUYER,
    Kind.CALL_WRITER,
    Kind.STRADDLE_WRITER,
    Kind.CALL_SPREAD,
    Kind.BOTH,
    Kind.STRADDLE_BUYER,
    Kind.PUT_SPREAD,
)

# Whole tokens of a trader's margin are drawn from this range, dollars at the stock's price.
_MARGIN_USD: Final = (8_000, 60_000)


@dataclass(frozen=True)
class Profile:
    """A trader before the first price.

    name: unique. market: symbol of the stock token that is margin. underlying: 0 or 1, the one preferred. margin:
    whole tokens. use: part of the equity that an order may take as initial margin. moneyness: index / strike of the
    options preferred. prudence: how likely a position near its margin is cut. restlessness: chance to do something
    when there is no need. seed: of all that is left to chance.
    """

    name: str
    kind: Kind
    market: str
    underlying: int
    margin: int
    use: float
    moneyness: float
    prudence: float
    restlessness: float
    seed: int


@dataclass(frozen=True)
class Provider:
    """A liquidity provider of a pool: `deposit` in whole tokens; `leaves` is the part of its shares it will redeem."""

    name: str
    market: str
    pool: str  # role in the manifest
    deposit: int
    leaves: float = 0.0


def traders(markets: Sequence[tuple[str, float]], count: int, seed: int) -> list[Profile]:
    """`count` traders spread evenly over `markets` (symbol, dollars of one token).

    Raises `ValueError` for fewer than one of each kind in each market.
    """
    if count < len(Kind) * len(markets):
        raise ValueError(f"at least {len(Kind) * len(markets)} traders are wanted, one of each kind in each market")
    profiles = []
    for number in range(count):
        symbol, price_usd = markets[number % len(markets)]
        place = number // len(markets)
        kinds = list(Kind)
        kind = kinds[place] if place < len(kinds) else _MORE[(place - len(kinds)) % len(_MORE)]
        profiles.append(_profile(number, kind, symbol, price_usd, place % 2, seed))
    return profiles


def providers(markets: Sequence[str], main: int, insurance: int) -> list[Provider]:
    """Two LPs of each pool of each market, who bring `main` and `insurance` whole tokens together.

    The smaller of a main pool's two will leave with a part of what it has.
    """
    found = []
    for symbol in markets:
        found += [
            Provider(f"{symbol} main LP 1", symbol, "main_pool", main * 3 // 4),
            Provider(f"{symbol} main LP 2", symbol, "main_pool", main - main * 3 // 4, leaves=0.4),
            Provider(f"{symbol} insurance LP 1", symbol, "insurance_pool", insurance * 2 // 3),
            Provider(f"{symbol} insurance LP 2", symbol, "insurance_pool", insurance - insurance * 2 // 3),
        ]
    return found


def _profile(number: int, kind: Kind, symbol: str, price_usd: float, underlying: int, seed: int) -> Profile:
    chance = random.Random(f"everstock demo trader {seed} {number}")
    margin = round(chance.uniform(*_MARGIN_USD) / price_usd)
    use = chance.choice((0.35, 0.5, 0.65, 0.8, 0.9))
    # In the money, at it and out of it; an option deep in the money is a leveraged position in the index.
    near = chance.choice((0.94, 1.0, 1.0, 1.06, 1.15))
    bought_put = kind in (Kind.PUT_BUYER, Kind.PUT_SPREAD)
    moneyness = 2 - near if bought_put else near
    if kind in (Kind.CALL_WRITER, Kind.PUT_WRITER, Kind.STRADDLE_BUYER, Kind.STRADDLE_WRITER):
        moneyness = 1.0
    return Profile(
        name=f"{kind.one} {number + 1}",
        kind=kind,
        market=symbol,
        underlying=underlying,
        margin=margin,
        use=use,
        moneyness=moneyness,
        prudence=chance.choice((0.0, 0.0, 0.3, 0.8)),
        restlessness=chance.uniform(0.02, 0.10),
        seed=chance.randrange(2**32),
    )
