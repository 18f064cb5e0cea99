def test_total_assets__the_insurance_ledger(protocol, pool, unit):
    assert pool.totalAssets() == protocol.clearing_house.ledgers().insurance >= 100 * unit


def test_total_assets__a_swept_fee__counts_at_once(protocol, pool):
    protocol.trade(protocol.trader("buyer"), (protocol.call, 100))
    before = pool.totalAssets()
    protocol.set_prices(after=3_600)
    protocol.clearing_house.checkpoint()
    assert pool.totalAssets() > before


def test_total_assets__main_pools_fortunes__leave_it_alone(protocol, pool, unit):
    before = pool.totalAssets()
    protocol.endow(protocol.main_pool.address, 100)
    protocol.set_prices(after=1, BTC=protocol.index["BTC"] * 0.97)
    assert pool.totalAssets() == before


def test_total_assets__without_a_price_or_in_a_window__never_reverts(protocol, pool):
    before = pool.totalAssets()
    protocol.set_prices(after=1, BTC=protocol.index["BTC"] * 0.8)
    protocol.clearing_house.checkpoint()
    assert pool.totalAssets() == before
    protocol.wait(86_400)
    assert pool.totalAssets() == before
