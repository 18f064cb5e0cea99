"""Faults that people make, one by one, and the machine that must find each."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Fault:
    """`old` stands once in the contract's file under contracts/; `new` takes its place.

    `machine` is to find it: one of the stateful machines, or where it must be met on purpose a file of tests/unit.
    """

    what: str
    file: str
    old: str
    new: str
    machine: str = "market"


FAULTS: Final = (
    # The option
    Fault(
        "time value above the strike with exponent n instead of n - 1",
        "modules/everlasting.vy",
        "exponent = unsafe_sub(exponent, 1)",
        "exponent = unsafe_sub(exponent, 0)",
    ),
    Fault(
        "a long's premium rate rounded down",
        "modules/everlasting.vy",
        "long=integers._ceil_div(long, 10**25)",
        "long=integers._floor_div(long, 10**25)",
    ),
    Fault(
        "load left out of what a long pays",
        "modules/everlasting.vy",
        "unsafe_add(unsafe_mul(unsafe_add(long_gamma, drift), 10**7), long_load)",
        "unsafe_mul(unsafe_add(long_gamma, drift), 10**7)",
    ),
    Fault(
        "carry charged to a short with the wrong sign",
        "modules/everlasting.vy",
        "unsafe_add(short_gamma, drift), 10**7)",
        "unsafe_sub(short_gamma, drift), 10**7)",
    ),
    Fault(
        "longs pay on the smaller variance",
        "modules/series_book.vy",
        "long_variance=max(fast, slow)",
        "long_variance=min(fast, slow)",
    ),
    # A series
    Fault(
        "a long's gain rounded up",
        "modules/series_book.vy",
        "long_gain: int256 = integers._floor_div(\n        unsafe_mul(scale, unsafe_sub(rise",
        "long_gain: int256 = integers._ceil_div(\n        unsafe_mul(scale, unsafe_sub(rise",
    ),
    Fault(
        "premium applied twice to longs",
        "modules/series_book.vy",
        "unsafe_sub(rise, unsafe_mul(long_rates, span))",
        "unsafe_sub(rise, unsafe_mul(unsafe_mul(2, long_rates), span))",
    ),
    Fault(
        "owed forgets the shorts",
        "modules/series_book.vy",
        "unsafe_mul(convert(s.long_units, int256), long_gain), unsafe_mul(convert(s.short_units, int256), short_gain)",
        "unsafe_mul(convert(s.long_units, int256), long_gain), unsafe_mul(0, short_gain)",
    ),
    Fault(
        "after an idle hour a long pays the smaller end",
        "modules/series_book.vy",
        "long_rates = unsafe_mul(2, max(s.long_rate, rates.long))",
        "long_rates = unsafe_mul(2, min(s.long_rate, rates.long))",
    ),
    Fault(
        "surcharge on the side the pool is with",
        "modules/series_book.vy",
        "    if s.long_units > s.short_units:\n        long_multiple",
        "    if s.long_units < s.short_units:\n        long_multiple",
    ),
    Fault(
        "insurance's and treasury's share of the load not split off",
        "modules/series_book.vy",
        "c.RATE * c.PERMILLE * c.YEAR\n    )\n    return grown",
        "c.RATE * c.PERMILLE * c.YEAR * c.WAD\n    )\n    return grown",
    ),
    Fault(
        "a leg follows the gain index of the other side",
        "modules/series_book.vy",
        "    if units > 0:\n        return s.long_gain\n    return s.short_gain",
        "    if units < 0:\n        return s.long_gain\n    return s.short_gain",
    ),
    Fault(
        "units of a leg that shrinks stay in its side",
        "modules/series_book.vy",
        "resized.short_units = unsafe_sub(resized.short_units, integers._size(before))",
        "resized.short_units = resized.short_units",
    ),
    Fault(
        "a frozen series goes on gaining",
        "modules/series_book.vy",
        "if s.notice == FROZEN or terms.price == 0 or (s.time",
        "if terms.price == 0 or (s.time",
        "tests/unit/series_listing/test_retire.py",
    ),
    Fault(
        "the list of active series loses its first instead of the retired one",
        "modules/series_book.vy",
        "self.active[underlying] = (ids ^ ((id ^ (ids & (2**16 - 1))) << place)) >> 16",
        "self.active[underlying] = ids >> 16",
    ),
    # The book
    Fault(
        "a checkpoint does not add to owed what it touched",
        "modules/market_book.vy",
        "    totals.accrued += growth.accrued\n    self.owed += growth.owed",
        "    totals.accrued += growth.accrued",
    ),
    Fault(
        "a skipped account's series are touched without their growth",
        "modules/market_book.vy",
        "    pool_risk._store_totals(totals)\n    self.owed = unsafe_add(self.owed, growth.owed)",
        "    pool_risk._store_totals(totals)\n    self.owed = unsafe_add(self.owed, 0)",
    ),
    Fault(
        "the hourly checkpoint is skipped",
        "modules/checkpoints.vy",
        "block.timestamp >= state.time + c.HOUR\n",
        "block.timestamp >= state.time + 100 * c.HOUR\n",
    ),
    Fault(
        "a checkpoint is due after half the move",
        "modules/checkpoints.vy",
        "self._moved(prices[0], checkpoint_prices[0], shock, 4)",
        "self._moved(prices[0], checkpoint_prices[0], shock, 8)",
    ),
    Fault(
        "anchors follow every checkpoint",
        "modules/checkpoints.vy",
        "if block.timestamp >= ((word >> 128) & (2**32 - 1)) + c.SETTLE_WINDOW:",
        "if block.timestamp >= ((word >> 128) & (2**32 - 1)):",
    ),
    Fault(
        "anchors wipe out the queued redemptions",
        "modules/checkpoints.vy",
        "(block.timestamp << 128) | (word >> 160 << 160)",
        "(block.timestamp << 128)",
    ),
    Fault(
        "no settle window while equity is gone",
        "modules/market_book.vy",
        "if checkpoints._has_jumped(prices, pool_shock) or (equity <= 0 and totals.open_legs != 0):",
        "if checkpoints._has_jumped(prices, pool_shock):",
    ),
    Fault(
        "gains are paid although the last checkpoint saw no equity",
        "modules/checkpoints.vy",
        "return block.timestamp < state.window_end or state.negative_since != 0",
        "return block.timestamp < state.window_end",
    ),
    Fault(
        "sweeps are paid while claims wait",
        "modules/market_book.vy",
        "swept = min(totals.accrued, main - claims)",
        "swept = min(totals.accrued, main)",
        "tests/unit/waterfall/test_sweep.py",
    ),
    Fault(
        "utilisation is not fixed at checkpoints",
        "modules/market_book.vy",
        "state.utilisation = min(10_000, requirement * 10_000 // convert(equity, uint256))",
        "state.utilisation = book.state.utilisation",
    ),
    Fault(
        "E rounds what is owed down",
        "modules/market_book.vy",
        "owed: int256 = integers._ceil_div(unsafe_add(self.owed, growth), integers._int(c.GAIN))",
        "owed: int256 = integers._floor_div(unsafe_add(self.owed, growth), integers._int(c.GAIN))",
    ),
    # R and margin
    Fault(
        "losses of the pool rounded down to granules",
        "modules/pool_risk.vy",
        "    if unsafe_mul(sum, divisor) < effect:",
        "    if unsafe_mul(sum, divisor) > effect:",
    ),
    Fault(
        "R without the default charge",
        "modules/pool_risk.vy",
        "unsafe_add(unsafe_mul(totals.worst, c.BASIS), unsafe_mul(default_charge, totals.written))",
        "unsafe_mul(totals.worst, c.BASIS)",
    ),
    Fault(
        "the far points count in full for an account",
        "modules/portfolio_margin.vy",
        "return max(max(unsafe_mul(3, near), max(losses[4], losses[5])), 0)",
        "return max(max(unsafe_mul(3, near), unsafe_mul(3, max(losses[4], losses[5]))), 0)",
    ),
    Fault(
        "gross margin forgets that face grows with moneyness",
        "modules/portfolio_margin.vy",
        "weight: uint256 = max(c.WAD, moneyness)",
        "weight: uint256 = c.WAD",
    ),
    Fault(
        "initial margin rounded down",
        "modules/portfolio_margin.vy",
        "unsafe_div(unsafe_add(unsafe_mul(maintenance, initial_ratio), 999), c.PERMILLE)",
        "unsafe_div(unsafe_mul(maintenance, initial_ratio), c.PERMILLE)",
    ),
    Fault(
        "a liquidation closes a unit too little",
        "modules/portfolio_margin.vy",
        "unsafe_div(unsafe_mul(unsafe_sub(target, left), wad), unsafe_sub(target, penalty)), 1",
        "unsafe_div(unsafe_mul(unsafe_sub(target, left), wad), unsafe_sub(target, penalty)), 0",
    ),
    Fault(
        "what is left after a liquidation may be dust",
        "modules/portfolio_margin.vy",
        "    if unsafe_sub(left, unsafe_div(unsafe_mul(penalty, fraction), wad)) < smallest:\n        return c.WAD\n",
        "",
    ),
    # An action
    Fault(
        "realising forgets to take the gain out of owed",
        "modules/positions.vy",
        "unsafe_sub(unsafe_add(market_book.owed, account.growth.owed), account.realised)",
        "unsafe_add(market_book.owed, account.growth.owed)",
    ),
    Fault(
        "legs that close stay counted",
        "modules/positions.vy",
        "unsafe_sub(unsafe_add(totals.open_legs, account.count), account.visited)",
        "max(totals.open_legs, unsafe_sub(unsafe_add(totals.open_legs, account.count), account.visited))",
    ),
    Fault(
        "an order that reduces may open the other side",
        "modules/positions.vy",
        '        checks._require(units != 0, "trade: nothing to reduce")\n        size = 0',
        '        checks._require(units != 0, "trade: nothing to reduce")',
    ),
    Fault(
        "the fee of a leg is not rounded up",
        "modules/trade_costs.vy",
        "sum.fee = unsafe_add(unsafe_add(cost.fee, min(by_face, by_mark)), 1)",
        "sum.fee = unsafe_add(cost.fee, min(by_face, by_mark))",
    ),
    Fault(
        "impact ignores what traders hold already",
        "modules/trade_costs.vy",
        "unsafe_mul(order, unsafe_add(unsafe_mul(2, net), order))",
        "unsafe_mul(order, order)",
    ),
    Fault(
        "a trade that adds nothing to the margin needs initial margin",
        "RiskBook.vy",
        "    if sum_after > sum_before:",
        "    if sum_after >= sum_before:",
    ),
    Fault(
        "waiting redemptions do not count against new risk",
        "RiskBook.vy",
        "        queued = checkpoints._queued_redemptions()",
        "        queued = 0",
    ),
    Fault(
        "capacity is asked before the gain is booked",
        "RiskBook.vy",
        "totals.accrued) - account.gain",
        "totals.accrued)",
    ),
    Fault(
        "risk may be added while Chainlink disagrees",
        "RiskBook.vy",
        "        market_book._only_near_chainlink(book.restricted)\n        result.initial",
        "        result.initial",
    ),
    Fault(
        "the penalty is that of the whole account",
        "RiskBook.vy",
        "result.penalty = penalty_rate * result.scenario_sum * result.fraction // (c.PERMILLE * c.WAD)",
        "result.penalty = penalty_rate * result.scenario_sum // c.PERMILLE",
    ),
    Fault(
        "a withdrawal is measured before it left",
        "RiskBook.vy",
        "integers._int(base) + account.gain - integers._int(amount)",
        "integers._int(base) + account.gain",
    ),
    Fault(
        "LP requests execute although a checkpoint is due",
        "RiskBook.vy",
        '    checks._require(not market_book._is_stale(book), "risk_book: checkpoint due")\n',
        "",
        "pool",
    ),
    # Money
    Fault(
        "a loss forgives a claim that main still owes",
        "modules/cash_ledger.vy",
        "        m.claims -= forgiven\n",
        "",
    ),
    Fault(
        "cash collected from a loser is not main's",
        "modules/cash_ledger.vy",
        "        m.cash += collected\n",
        "",
    ),
    Fault(
        "insurance pays main out of nothing",
        "modules/cash_ledger.vy",
        "    backstop.insurance -= insured\n",
        "",
    ),
    Fault(
        "the treasury's share is paid twice",
        "modules/cash_ledger.vy",
        "Main(cash=main.cash - insurance - treasury, claims=main.claims)",
        "Main(cash=main.cash - insurance, claims=main.claims)",
    ),
    Fault(
        "a trade costs the better of its two totals",
        "ClearingHouse.vy",
        "total: int256 = max(t.total, t.own_total)",
        "total: int256 = t.total",
    ),
    Fault(
        "the liquidator's reward is insurance's too",
        "ClearingHouse.vy",
        "cash_ledger._insure(penalty - reward)",
        "cash_ledger._insure(penalty)",
    ),
    Fault(
        "a liquidation pays claims while they are frozen",
        "ClearingHouse.vy",
        "cash_ledger._realise(a.purse, main, l.gain, l.booked)",
        "cash_ledger._realise(a.purse, main, l.gain, False)",
    ),
    Fault(
        "legs that closed stay in storage",
        "modules/margin_accounts.vy",
        "        if legs[i] != before.legs[i]:\n",
        "        if legs[i] != before.legs[i] and legs[i] != 0:\n",
    ),
    Fault(
        "main pays LPs out of what it owes as claims",
        "ClearingHouse.vy",
        "assert main.cash >= main.claims + amount,",
        "assert main.cash >= amount,",
        "pool",
    ),
    # The pools
    Fault(
        "a redemption pays the price of its execution",
        "modules/pool_shares.vy",
        "assets: uint256 = min(request.assets, self._to_assets_down(request.shares, equity, supply))",
        "assets: uint256 = self._to_assets_down(request.shares, equity, supply)",
        "pool",
    ),
    Fault(
        "shares are handed out without the virtual ones",
        "modules/pool_shares.vy",
        "return assets * (supply + VIRTUAL_SHARES) // (equity + 1)",
        "return assets * max(supply, VIRTUAL_SHARES) // (equity + 1)",
        "pool",
    ),
    Fault(
        "deposits enter where they pay for a loss",
        "modules/pool_shares.vy",
        "if b.equity < 0 or (b.equity == 0 and b.supply != 0):",
        "if b.equity < 0:",
        "pool",
    ),
    Fault(
        "a redemption that is paid in part keeps its whole worth in the queue",
        "modules/pool_shares.vy",
        "            b.queue.queued_redemptions -= worth\n",
        "",
        "pool",
    ),
    Fault(
        "a deposit may be taken back before it is overdue",
        "modules/pool_shares.vy",
        "block.timestamp >= request.requested_at + c.DEPOSIT_WAIT + c.MAX_WAIT",
        "block.timestamp >= request.requested_at + c.DEPOSIT_WAIT",
        "pool",
    ),
    Fault(
        "a claim in part rounds up",
        "modules/pool_shares.vy",
        "assets: uint256 = claimable.assets * shares // claimable.shares\n    self._claim_assets",
        "assets: uint256 = self._ceil_div(claimable.assets * shares, claimable.shares)\n    self._claim_assets",
        "pool",
    ),
    Fault(
        "redemptions leave the main pool below its buffer",
        "MainPool.vy",
        "limit: int256 = batch.equity - self._kept(flow.requirement)",
        "limit: int256 = batch.equity",
        "pool",
    ),
    Fault(
        "insurance may leave while the main pool has no equity",
        "InsurancePool.vy",
        "    if stage == waterfall.SETTLED or flow.equity > 0 or self._is_idle(ledgers):\n        batch",
        "    if True:\n        batch",
        "pool",
    ),
    # Deleveraging, settlement and the waterfall
    Fault(
        "deleveraging inside a settle window while E is above R / 2",
        "modules/market_book.vy",
        "if 2 * equity >= requirement and (equity >= requirement or block.timestamp < state.window_end):",
        "if equity >= requirement:",
    ),
    Fault(
        "deleveraging to R instead of the target",
        "modules/market_book.vy",
        "needed: uint256 = parameters._deleverage_target(limits) * requirement",
        "needed: uint256 = c.PERMILLE * requirement",
    ),
    Fault(
        "an overdue redemption takes nothing of the book along",
        "modules/market_book.vy",
        "free -= min(leaving * c.PERMILLE, free)",
        "free -= 0",
        "pool",
    ),
    Fault(
        "utilisation after deleveraging is that before",
        "modules/market_book.vy",
        "requirement = pool_risk._requirement(totals, charge, state.scale, pool_risk.GRANULE)\n        state.util",
        "state.util",
    ),
    Fault(
        "an overdue redemption is paid out of cash owed as claims",
        "MainPool.vy",
        "if min(overdue, cash) > limit:\n            batch = pool_shares._execute_redemptions(batch, 1, min(overdue, cash))",
        "if min(overdue, cash) > limit:\n            batch = pool_shares._execute_redemptions(batch, 1, overdue)",
        "pool",
    ),
    Fault(
        "insurance is entered at its ledger alone",
        "InsurancePool.vy",
        "pool_shares._execute_deposits(batch, deposits, self._expected(flow.accrued))",
        "pool_shares._execute_deposits(batch, deposits, 0)",
        "pool",
    ),
    Fault(
        "main absorbs bad debt that insurance could pay",
        "modules/waterfall.vy",
        "    m, insured = cash_ledger._cover(main, missing)\n",
        "    m, insured = cash_ledger._cover(main, missing // 2)\n",
    ),
    Fault(
        "checkpoints count twice within three minutes",
        "modules/waterfall.vy",
        "block.timestamp >= s.counted + COUNT_GAP",
        "block.timestamp >= s.counted",
    ),
    Fault(
        "an interrupted run of checkpoints goes on counting",
        "modules/waterfall.vy",
        "    if s.since != since:\n        s.count = 0\n",
        "",
    ),
    Fault(
        "claims are paid from main alone",
        "modules/waterfall.vy",
        "paid: uint256 = min(main.claims, main.cash + backstop.insurance)",
        "paid: uint256 = min(main.claims, main.cash)",
    ),
    Fault(
        "main gets back what insurance had paid",
        "modules/waterfall.vy",
        "insurance: uint256 = min(left, began_with)",
        "insurance: uint256 = min(left, backstop.insurance - from_insurance)",
    ),
    Fault(
        "a claim is paid in full although h is below 1",
        "modules/waterfall.vy",
        "return claim * (word & (2**128 - 1)) // (word >> 128)",
        "return claim",
    ),
    Fault(
        "settlement is finished while legs are open",
        "ClearingHouse.vy",
        '    assert pool_risk._decode_totals(words.totals).open_legs == 0, "clearing_house: accounts to resolve"\n',
        "",
    ),
    Fault(
        "trading goes on in settlement",
        "modules/checkpoints.vy",
        '    checks._require(not state.frozen, "risk_book: in settlement")',
        "    pass",
    ),
    Fault(
        "the treasury leaves below its least balance",
        "Treasury.vy",
        "assert ledgers.treasury >= self.least_balance,",
        "assert ledgers.treasury + self.least_balance >= 0,",
    ),
    # The order desk and the oracle
    Fault(
        "an order may execute a second early",
        "OrderDesk.vy",
        "assert block.timestamp >= order.requested_at + DELAY,",
        "assert block.timestamp + 1 >= order.requested_at + DELAY,",
        "order",
    ),
    Fault(
        "an order may execute a second late",
        "OrderDesk.vy",
        "assert block.timestamp <= order.requested_at + EXEC_WINDOW,",
        "assert block.timestamp <= order.requested_at + EXEC_WINDOW + 1,",
        "order",
    ),
    Fault(
        "a later order shares the first price of an earlier one",
        "OrderDesk.vy",
        '            assert published >= orders[i].requested_at + DELAY, "order_desk: not the first price"\n',
        "",
        "order",
    ),
    Fault(
        "an order past its deadline is traded",
        "OrderDesk.vy",
        "    if block.timestamp > order.deadline:",
        "    if block.timestamp > order.deadline + 10:",
        "order",
    ),
    Fault(
        "an order may be cancelled when its price exists",
        "OrderDesk.vy",
        "assert block.timestamp < order.requested_at + DELAY,",
        "assert block.timestamp < order.requested_at + EXEC_WINDOW,",
        "order",
    ),
    Fault(
        "margin may leave under a live order",
        "OrderDesk.vy",
        "nonce | ((block.timestamp + EXEC_WINDOW) << 64)",
        "nonce | (block.timestamp << 64)",
        "order",
    ),
    Fault(
        "an executed order can be executed again",
        "OrderDesk.vy",
        "    self.order_hash[order.account][order.nonce] = empty(bytes32)\n    return True",
        "    return True",
        "order",
    ),
    Fault(
        "an older price takes the place of a newer one",
        "PriceOracle.vy",
        "    if published.publishTime > self._publish_time(underlying):\n        restricted",
        "    if True:\n        restricted",
        "order",
    ),
    Fault(
        "prices more than a minute old are stored",
        "PriceOracle.vy",
        '            assert published.publishTime + c.TRADE_MAX_AGE >= block.timestamp, "price_oracle: stale price"\n',
        "",
        "order",
    ),
    Fault(
        "an uncertain price is stored",
        "PriceOracle.vy",
        "    assert convert(published.conf, uint256) * c.BASIS <= raw * feed.max_confidence,",
        "    assert convert(published.conf, uint256) * c.BASIS <= raw * c.BASIS,",
    ),
    Fault(
        "prices far from Chainlink's are stored unrestricted",
        "PriceOracle.vy",
        "restricted: bool = gap > feed.narrow_gap",
        "restricted: bool = gap > feed.wide_gap",
    ),
    Fault(
        "actions run on prices older than their age limit",
        "PriceOracle.vy",
        "unsafe_sub(block.timestamp, oldest) <= max_age,",
        "unsafe_sub(block.timestamp, oldest) <= max_age + 5,",
    ),
    # Listing and parameters
    Fault(
        "a strike may be listed twice",
        "SeriesListing.vy",
        '        assert other.strike != strike or other.is_put != is_put, "series_listing: already listed"\n',
        "",
    ),
    Fault(
        "a series on notice is retired at once",
        "SeriesListing.vy",
        '    assert block.timestamp >= s.notice + c.NOTICE_PERIOD, "series_listing: notice period"\n',
        "",
    ),
    Fault(
        "parameters change without a checkpoint",
        "RiskBook.vy",
        "    extcall IClearingHouse(CLEARING_HOUSE).checkpoint()\n",
        "",
    ),
    # Volatility
    Fault(
        "a sample weighs as much as one of ten minutes, whatever time it covers",
        "VolatilityOracle.vy",
        "self._kept(elapsed, HALF_LIVES[i])",
        "self._kept(SPAN, HALF_LIVES[i])",
    ),
    Fault(
        "a squared return over ten minutes, whatever time it took",
        "VolatilityOracle.vy",
        "// (elapsed * c.WAD * c.WAD)",
        "// (SPAN * c.WAD * c.WAD)",
    ),
    Fault(
        "a jump adds to volatility without bound",
        "VolatilityOracle.vy",
        "min(added, MOST[i])",
        "added",
    ),
    Fault(
        "the two variances change places",
        "VolatilityOracle.vy",
        "self._bounded(variances[0], track.floor), self._bounded(variances[1], track.floor)",
        "self._bounded(variances[1], track.floor), self._bounded(variances[0], track.floor)",
    ),
)
