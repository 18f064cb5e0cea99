def test_total_assets__equity_as_of_the_last_touches(protocol, pool, unit):
    protocol.trade(protocol.trader("buyer"), (protocol.call, 200))
    assert pool.totalAssets() == protocol.clearing_house.equity()
    protocol.set_prices(after=1, BTC=protocol.index["BTC"] * 1.04)
    stale = pool.totalAssets()
    protocol.clearing_house.checkpoint()
    assert pool.totalAssets() == protocol.clearing_house.equity() < stale - unit


def test_total_assets__equity_below_zero__zero(protocol, pool):
    protocol.trade(protocol.trader("buyer", 1_000), (protocol.call, 1_000))
    protocol.set_prices(after=1, BTC=protocol.index["BTC"] * 2.5)
    protocol.clearing_house.checkpoint()
    assert protocol.clearing_house.equity() < 0
    assert pool.totalAssets() == 0
    assert pool.convertToAssets(pool.totalSupply()) == 0
    assert pool.convertToShares(1) > 0


def test_total_assets__without_a_price_or_in_a_window__never_reverts(protocol, pool):
    protocol.trade(protocol.trader("buyer"), (protocol.call, 200))
    pool.open_settle_window()
    assert pool.totalAssets() > 0
    protocol.wait(86_400)
    assert pool.totalAssets() > 0
