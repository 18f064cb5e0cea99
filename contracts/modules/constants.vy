# pragma version 0.4.3
"""
@title Constants of the protocol
@license AGPL-3.0-only
@notice Scales, times and bounds that no market may change. What a market may change is a parameter of its RiskBook.
"""

# Scales.
WAD: constant(uint256) = 10**18  # marks, moneyness, fractions, the book scale D
GAIN: constant(uint256) = 10**24  # gain indexes G, `owed`
RATE: constant(uint256) = 10**10  # premium rates and variances, per year
PERMILLE: constant(uint256) = 1_000
BASIS: constant(uint256) = 100_000  # fine parameters: 1 is 0.001%

# Times, in seconds.
YEAR: constant(uint256) = 365 * 86_400
HOUR: constant(uint256) = 3_600
SETTLE_WINDOW: constant(uint256) = 600
# From a notice until it binds: one more than an order lives (OrderDesk.EXEC_WINDOW). And from then until a series retires.
NOTICE_DELAY: constant(uint256) = 61
NOTICE_PERIOD: constant(uint256) = 3 * 86_400
# How long a request of a liquidity provider waits before it may execute, and how much longer until it is overdue.
DEPOSIT_WAIT: constant(uint256) = 600
REDEMPTION_WAIT: constant(uint256) = 3 * 86_400
MAX_WAIT: constant(uint256) = 7 * 86_400

# Oldest price, in seconds, that an action may use.
TRADE_MAX_AGE: constant(uint256) = 60
LIQUIDATION_MAX_AGE: constant(uint256) = 15

# An account's legs, an order's legs, and a batch.
MAX_LEGS: constant(uint256) = 8
# Active series of one underlying, and underlyings of one market.
MAX_SERIES: constant(uint256) = 16
MAX_UNDERLYINGS: constant(uint256) = 2

# Moneyness (wad): a touch clamps to the first pair, opening wants the second, listing the third.
MIN_MONEYNESS: constant(uint256) = 10**14
MAX_MONEYNESS: constant(uint256) = 10**22
MIN_OPEN_MONEYNESS: constant(uint256) = WAD // 2
MAX_OPEN_MONEYNESS: constant(uint256) = 2 * WAD

# A book scaled down to a millionth has nothing left to scale: terminal settlement.
LEAST_SCALE: constant(uint256) = 10**12
