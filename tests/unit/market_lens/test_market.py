"""A market and its series, unpacked."""

import pytest

from everstock.chain.in_process import OPENING, START, VARIANCES, Protocol, account_of, price

from .views import WAD, Lens, stored_series

ATM_CALL, ATM_PUT, OTM_CALL = 0, 1, 2


def test_market__new__is_level(protocol, lens):
    market = lens.market()
    unit = protocol.unit
    assert (market.main, market.claims, market.insurance, market.treasury) == (10_000 * unit, 0, 1_000 * unit, 0)
    assert market.equity == market.stored_equity == 10_000 * unit
    assert (market.requirement, market.owed, market.accrued, market.written_face, market.open_legs) == (0, 0, 0, 0, 0)
    assert market.scale == WAD
    assert market.series_count == 8
    assert (market.checkpoint_time, market.anchor_time) == (START, START)
    assert (market.window_end, market.negative_since, market.utilisation) == (0, 0, 0)
    granule = protocol.risk_book.market_words().granule
    assert market.depth == 10_000 * unit // granule * granule
    assert not market.is_due and not market.is_booked
    for name, exposure in zip(OPENING, market.exposures, strict=True):
        assert exposure.price == exposure.checkpoint_price == exposure.anchor_price == price(OPENING[name])
        assert list(exposure.losses) == [0] * 6
        assert (exposure.delta, exposure.long_face, exposure.short_face) == (0, 0, 0)


def test_market__after_trades__open_interest_delta_and_requirement(protocol, lens, series):
    writer, holder = protocol.trader("writer"), protocol.trader("holder")
    protocol.trade(writer, (series[ATM_CALL], -100), (series[4], -30))
    protocol.trade(holder, (series[ATM_CALL], 40), (series[ATM_PUT], 10))
    market = lens.market()
    unit = protocol.unit
    btc, eth = market.exposures
    assert (btc.long_face, btc.short_face) == (50 * unit, 100 * unit)
    assert (eth.long_face, eth.short_face) == (0, 30 * unit)
    assert market.open_legs == 4
    assert 130 * unit <= market.written_face <= 131 * unit
    # 60 calls written, half a delta each, and ten puts bought: about minus 35.
    assert -40 * unit < btc.delta < -30 * unit
    # The pool holds what traders have written: it loses when the index falls, and gains when it rises.
    assert btc.losses[0] > btc.losses[1] > 0 > btc.losses[2] > btc.losses[3]
    worst = max(0, *btc.losses) + max(0, *eth.losses)
    assert market.requirement - 100 <= worst + market.written_face * 5 // 100 <= market.requirement + 10**6
    assert market.requirement > 0 and market.utilisation == 0


def test_market__crash__due_then_a_window_with_gains_booked(protocol, lens, series):
    protocol.trade(protocol.trader("writer"), (series[ATM_CALL], -100))
    protocol.set_prices(after=60, BTC=100_000)
    market = lens.market()
    assert market.is_due and not market.is_booked
    assert (market.exposures[0].price, market.exposures[0].checkpoint_price) == (price(100_000), price(120_000))
    assert market.stored_equity != market.equity

    protocol.clearing_house.checkpoint()
    market = lens.market()
    assert not market.is_due and market.is_booked
    assert market.window_end == protocol.now + 600
    assert market.exposures[0].checkpoint_price == price(100_000)
    assert market.exposures[0].anchor_price == price(120_000)
    assert market.utilisation > 0


def test_market__pool_without_equity__says_since_when(protocol, lens, series):
    """A pool of 10,000 against calls on 3,000 at twice the index."""
    holder = protocol.trader("holder", 3_000)
    protocol.endow(protocol.main_pool.address, 20_000)
    protocol.clearing_house.checkpoint()
    protocol.trade(holder, (series[ATM_CALL], 9_000))
    protocol.set_prices(after=3_600, BTC=600_000)
    protocol.clearing_house.checkpoint()
    market = lens.market()
    assert market.equity < 0 and market.depth == 0 and market.utilisation == 10_000
    assert market.negative_since == protocol.now and market.is_booked
    # Due again with every block, so that it is seen at once when equity comes back.
    assert not market.is_due
    protocol.wait(1)
    assert lens.market().is_due


def test_market__queued_redemptions__as_the_pool_told(protocol, lens):
    protocol.risk_book.set_queued_redemptions(77, sender=protocol.main_pool.address)
    assert lens.market().queued_redemptions == 77


def test_market__ledgers__claims_and_treasury(protocol, lens, series):
    """Gains realised in a settle window are claims; fees end up with insurance and treasury."""
    holder = protocol.trader("holder", 100)
    protocol.trade(holder, (series[ATM_CALL], 200))
    protocol.set_prices(after=60, BTC=140_000)
    protocol.clearing_house.settle(account_of(holder))
    market = lens.market()
    assert market.claims == lens.of(holder).claim > 0
    assert (market.main, market.claims, market.insurance, market.treasury) == tuple(protocol.clearing_house.ledgers())
    # Two windows later gains are paid and the common share is swept.
    for _ in range(2):
        protocol.set_prices(after=700)
        protocol.clearing_house.checkpoint()
    assert lens.market().treasury == protocol.clearing_house.ledgers().treasury > 0


def test_option_chain__new_market__every_series_at_its_mark(protocol, lens, lens_contract, series):
    chain = lens.chain()
    for underlying, name in zip(chain.underlyings, OPENING, strict=True):
        assert underlying == (
            list(OPENING).index(name),
            17,
            price(OPENING[name]),
            START,
            VARIANCES[name],
            VARIANCES[name],
            False,
            10_000,
        )
    assert [one.id for one in chain.series] == series
    for one in chain.series:
        stored = stored_series(protocol, one.id)
        assert (one.strike, one.is_put, one.underlying) == (stored["strike"], stored["is_put"], stored["underlying"])
        assert one.moneyness == chain.underlyings[one.underlying].price * WAD // one.strike
        assert one.mark == lens_contract.mark(one.moneyness, 17, not one.is_put)
        assert one.slope == lens_contract.slope(one.moneyness, 17, not one.is_put)
        assert one.long_rate > one.short_rate
        assert (one.notice, one.long_units, one.short_units, one.long_gain, one.short_gain) == (0, 0, 0, 0, 0)


def test_option_chain__units_and_faces__at_the_books_scale(protocol, lens, series):
    protocol.trade(protocol.trader("holder"), (series[ATM_CALL], 40))
    protocol.trade(protocol.trader("writer"), (series[ATM_CALL], -70))
    one = lens.series(series[ATM_CALL])
    assert (one.long_units, one.short_units) == (40 * protocol.unit, 70 * protocol.unit)
    assert (one.long_face, one.short_face) == (40 * protocol.unit, 70 * protocol.unit)


def test_option_chain__time_and_price_pass__gains_as_of_now_and_last_touch_as_stored(protocol, lens, series):
    protocol.trade(protocol.trader("holder"), (series[ATM_CALL], 40))
    touched = protocol.now
    protocol.set_prices(after=50, BTC=121_000)
    one = lens.series(series[ATM_CALL])
    assert one.last_touch == touched
    assert one.long_gain > 0 > one.short_gain
    assert stored_series(protocol, one.id)["long_gain"] == 0


def test_option_chain__variances_and_restriction__of_the_oracle(protocol, lens):
    protocol.oracle.set_variances(1, 10**9, 2 * 10**9, sender=protocol.owner)
    protocol.wait(10)
    update = protocol.publish()
    protocol.chainlink["ETH"].publish(price(4_500 * 1.02), protocol.now, protocol.now, sender=protocol.operator)
    protocol.store(update)
    btc, eth = lens.chain().underlyings
    assert (eth.fast_variance, eth.slow_variance, eth.is_restricted) == (10**9, 2 * 10**9, True)
    assert not btc.is_restricted and btc.publish_time == eth.publish_time == protocol.now


def test_option_chain__on_notice__and_retired(protocol, lens, series):
    protocol.set_prices(after=60, BTC=270_000)
    protocol.series_listing.give_notice(series[ATM_CALL])
    assert lens.series(series[ATM_CALL]).notice == protocol.now + 61
    protocol.set_prices(after=61 + 3 * 86_400, BTC=270_000)
    protocol.series_listing.retire(series[ATM_CALL])
    assert series[ATM_CALL] not in [one.id for one in lens.chain().series]


def test_legs__of_an_account__faces_gains_and_marks(protocol, lens, series):
    trader = protocol.trader("trader")
    protocol.trade(trader, (series[ATM_CALL], 40), (series[4], -30))
    protocol.set_prices(after=60, BTC=121_000)
    bought, written = lens.legs(trader)
    assert (bought.series, bought.underlying, bought.is_put, bought.is_retired) == (series[ATM_CALL], 0, False, False)
    assert (bought.units, bought.face) == (40 * protocol.unit, 40 * protocol.unit)
    assert (written.series, written.underlying, written.face) == (series[4], 1, -30 * protocol.unit)
    assert bought.gain > 0 and written.gain > 0  # by the move, by the premium
    assert bought.gain + written.gain <= lens.of(trader).gain <= bought.gain + written.gain + 1
    one = lens.series(series[ATM_CALL])
    assert (bought.mark, bought.slope, bought.strike) == (one.mark, one.slope, one.strike)
    assert bought.entry == 0


def test_legs__eight__are_all_there(protocol, lens, series):
    trader = protocol.trader("trader")
    protocol.trade(trader, *[(id_, 1 + place) for place, id_ in enumerate(series)])
    assert [(leg.series, leg.face) for leg in lens.legs(trader)] == [
        (id_, (1 + place) * protocol.unit) for place, id_ in enumerate(series)
    ]


def test_market_and_option_chain__sixteen_series_of_an_underlying__are_all_there(protocol, lens, series):
    """Half of them are listed already."""
    held = [id_ for id_ in series if lens.series(id_).underlying == 0]
    held += [protocol.list_series("BTC", 120 / strike) for strike in (*range(91, 100), 110, 130, 150)]
    traders = [protocol.trader("first"), protocol.trader("second")]
    for trader, ids in zip(traders, (held[:8], held[8:]), strict=True):
        protocol.trade(trader, *[(id_, 1) for id_ in ids])
    assert [one.id for one in lens.chain().series if one.underlying == 0] == held
    assert lens.market().exposures[0].long_face == 16 * protocol.unit


def test_legs__none__is_empty(protocol, lens):
    assert lens.legs(protocol.trader("trader")) == []


def test_legs__of_a_retired_series__stay_visible_until_paid(protocol, lens, series):
    trader = protocol.trader("trader")
    protocol.trade(trader, (series[OTM_CALL], 40))
    protocol.risk_book.set_notice(series[OTM_CALL], 1, sender=protocol.series_listing.address)
    (leg,) = lens.legs(trader)
    assert leg.is_retired and leg.face == 40 * protocol.unit


@pytest.fixture(scope="module")
def eth_market():
    """A market on ETH alone beside the usual one, with the same oracle."""
    protocol = Protocol()
    return protocol, protocol.deploy_market("NVDA.M", underlyings=(1,))


def test_market__of_one_underlying__is_shown_once(eth_market, lens_contract):
    protocol, market = eth_market
    house = market.clearing_house.address
    assert [underlying.oracle_id for underlying in lens_contract.option_chain(house).underlyings] == [1]
    assert [exposure.price for exposure in lens_contract.market(house).exposures] == [price(OPENING["ETH"])]
    id_ = market.series_listing.list_series(0, price(4_500), False)
    assert [one.id for one in lens_contract.option_chain(house).series] == [id_]
    # The other market of the same lens and oracle knows nothing of it.
    assert Lens(lens_contract, protocol).chain().series == []
