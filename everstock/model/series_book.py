"""Series, their gain indexes and units. Marks and premium live in a series' two gain indexes, so nothing is ever done per
position: a leg that entered at G_entry has gained units * (G - G_entry)."""

from dataclasses import dataclass, field, replace
from typing import Final

from everstock.model import everlasting
from everstock.model.constants import GAIN, HOUR, MAX_SERIES, PERMILLE, RATE, WAD, YEAR
from everstock.model.integers import floor_div
from everstock.model.parameters import Parameters
from everstock.model.reverts import require

OPEN: Final = 0
FROZEN: Final = 1
# Turns D (wad) * mark (wad) * two years into a gain (1e24).
GAIN_DIVISOR: Final = 2 * YEAR * WAD * WAD // GAIN

MAX_SIDE: Final = 2**112
MAX_GAIN: Final = 2**126


@dataclass(frozen=True)
class Series:
    """One series as of its last touch."""

    strike: int  # USD, 8 decimals
    is_put: bool
    underlying: int  # 0 or 1: which of the market's underlyings
    time: int = 0  # of the last touch
    price: int = 0  # of the index at the last touch, USD, 8 decimals
    long_rate: int = 0  # what a long pays at the last touch, per year in 1e-10
    short_rate: int = 0  # what a short receives
    long_gain: int = 0  # G of the longs, 1e24
    short_gain: int = 0  # G of the shorts
    long_units: int = 0
    short_units: int = 0
    notice: int = OPEN  # FROZEN: retired; else from when on it only closes

    @property
    def is_held(self) -> bool:
        """Whether any leg holds a unit of it."""
        return self.long_units != 0 or self.short_units != 0

    def opens(self, now: int) -> bool:
        """Whether its notice, if any, does not bind yet."""
        return self.notice == OPEN or now < self.notice

    def index(self, units: int) -> int:
        """G of the side that `units` are on, 1e24."""
        return self.long_gain if units > 0 else self.short_gain

    def gain(self, units: int, entry: int) -> int:
        """What a leg entered at G = `entry` has gained, exact, 1e24."""
        return abs(units) * (self.index(units) - entry)


@dataclass(frozen=True)
class Terms:
    """What every series of one underlying is valued with."""

    price: int  # USD, 8 decimals
    sharpness: int
    long_variance: int  # the larger of the two, per year in 1e-10
    short_variance: int  # the smaller
    carry: int  # per year in 1e-5
    load: int  # 1e-7
    surcharge: int  # kappa * utilisation, 1e-7
    scale: int  # D, wad
    share: int  # of load and surcharge that goes to insurance and treasury, 1e-3


@dataclass(frozen=True)
class Quote:
    """A series at the present price; wads."""

    moneyness: int
    mark: int
    time_value: int
    slope: int  # m v'


@dataclass(frozen=True)
class Growth:
    """What touches changed besides the series themselves."""

    owed: int = 0  # 1e24
    accrued: int = 0  # raw units of M

    def __add__(self, other: "Growth") -> "Growth":
        return Growth(self.owed + other.owed, self.accrued + other.accrued)


@dataclass
class SeriesBook:
    """All series by id, and per underlying the active ids in the order of their list."""

    series: dict[int, Series] = field(default_factory=dict)
    active: list[list[int]] = field(default_factory=lambda: [[], []])

    @property
    def count(self) -> int:
        """Ids given so far; they count up from 1 and are never reused."""
        return len(self.series)

    def add(self, s: Series) -> int:
        """Give a series an id and make it active. There is room for `MAX_SERIES` per underlying."""
        assert len(self.active[s.underlying]) < MAX_SERIES
        id_ = self.count + 1
        self.series[id_] = s
        self.active[s.underlying].append(id_)
        return id_

    def unlist(self, id_: int) -> None:
        """Take an active series off the list, the first of the list into its place."""
        ids = self.active[self.series[id_].underlying]
        ids[ids.index(id_)] = ids[0]
        del ids[0]


def terms(parameters: Parameters, underlying: int, price: int, variances: tuple[int, int], scale: int, utilisation: int) -> Terms:
    """What the series of one underlying (0 or 1) are valued with; `scale` is D, `utilisation` in 1e-4."""
    return Terms(
        price=price,
        sharpness=parameters.sharpness[underlying],
        long_variance=max(variances),
        short_variance=min(variances),
        carry=parameters.carry[underlying],
        load=parameters.load * 10_000,
        surcharge=parameters.kappa * utilisation,
        scale=scale,
        share=parameters.common_share,
    )


def quote(s: Series, price: int, sharpness: int) -> Quote:
    """The series at an index price (USD, 8 decimals)."""
    m = everlasting.moneyness(price, s.strike)
    worth = everlasting.value(m, sharpness, s.is_put)
    return Quote(moneyness=m, mark=worth.mark, time_value=worth.time_value, slope=worth.slope)


def rates(s: Series, t: Terms, q: Quote) -> everlasting.Rates:
    """Premium rates at the present price and units: the side the pool is against pays or forgoes the surcharge."""
    return everlasting.rates(
        q.time_value,
        q.slope,
        t.sharpness,
        t.long_variance,
        t.short_variance,
        t.carry,
        t.load + (t.surcharge if s.long_units > s.short_units else 0),
        t.load + (t.surcharge if s.short_units > s.long_units else 0),
    )


def grow(s: Series, t: Terms, q: Quote, now: int) -> tuple[Series, Growth]:
    """The series touched at `now`, and what that adds to `owed` and `accrued`.

    Premium of the time since the last touch runs at the mean of its two ends; after more than an hour a long pays the
    larger end and a short receives the smaller. Both gains round down. A frozen series stays as it is, and so does one
    touched before at this time and price.
    """
    if s.notice == FROZEN or (s.time == now and s.price == t.price):
        return s, Growth()
    r = rates(s, t, q)
    touched = replace(s, price=t.price, time=now, long_rate=r.long, short_rate=r.short)
    if not s.is_held:
        return touched, Growth()

    elapsed = now - s.time
    last_mark = everlasting.mark(everlasting.moneyness(s.price, s.strike), t.sharpness, s.is_put)
    long_rates = s.long_rate + r.long
    short_rates = s.short_rate + r.short
    if elapsed > HOUR:
        long_rates = 2 * max(s.long_rate, r.long)
        short_rates = 2 * min(s.short_rate, r.short)
    rise = (q.mark - last_mark) * 2 * YEAR
    span = elapsed * WAD // RATE
    long_gain = floor_div(t.scale * (rise - long_rates * span), GAIN_DIVISOR)
    short_gain = floor_div(t.scale * (short_rates * span - rise), GAIN_DIVISOR)
    loads = s.long_units * t.scale // WAD * r.long_load + s.short_units * t.scale // WAD * r.short_load
    touched = replace(touched, long_gain=s.long_gain + long_gain, short_gain=s.short_gain + short_gain)
    assert abs(touched.long_gain) < MAX_GAIN and abs(touched.short_gain) < MAX_GAIN
    return touched, Growth(
        owed=s.long_units * long_gain + s.short_units * short_gain,
        accrued=loads * t.share * elapsed // (RATE * PERMILLE * YEAR),
    )


def resized(s: Series, before: int, after: int) -> Series:
    """The series with one leg's units changed from `before` to `after`. Raises `Revert` when a side outgrows 112 bits."""
    long_units = s.long_units - max(before, 0) + max(after, 0)
    short_units = s.short_units + min(before, 0) - min(after, 0)
    require(max(long_units, short_units) < MAX_SIDE, "trade: face too large")
    return replace(s, long_units=long_units, short_units=short_units)
