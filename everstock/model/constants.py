"""Scales, times and bounds that no market may change; the same as in the contracts' module `constants`."""

from typing import Final

# Scales.
WAD: Final = 10**18  # marks, moneyness, fractions, the book scale D
GAIN: Final = 10**24  # gain indexes G, `owed`
RATE: Final = 10**10  # premium rates and variances, per year
PERMILLE: Final = 1_000
BASIS: Final = 100_000  # fine parameters: 1 is 0.001%

# Times, in seconds.
YEAR: Final = 365 * 86_400
HOUR: Final = 3_600
SETTLE_WINDOW: Final = 600
# From a notice until it binds: one more than an order lives (OrderDesk.EXEC_WINDOW). And from then until a series retires.
NOTICE_DELAY: Final = 61
NOTICE_PERIOD: Final = 3 * 86_400
DEPOSIT_WAIT: Final = 600
REDEMPTION_WAIT: Final = 3 * 86_400
MAX_WAIT: Final = 7 * 86_400

# Oldest price, in seconds, that an action may use.
TRADE_MAX_AGE: Final = 60
LIQUIDATION_MAX_AGE: Final = 15

# A book scaled down to a millionth has nothing left to scale: terminal settlement.
LEAST_SCALE: Final = 10**12

MAX_LEGS: Final = 8
MAX_SERIES: Final = 16
MAX_UNDERLYINGS: Final = 2

# Moneyness (wad): a touch clamps to the first pair, opening wants the second.
MIN_MONEYNESS: Final = 10**14
MAX_MONEYNESS: Final = 10**22
MIN_OPEN_MONEYNESS: Final = WAD // 2
MAX_OPEN_MONEYNESS: Final = 2 * WAD
