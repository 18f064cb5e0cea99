"""The demo on a chain of its own: a short made-up crash from the deployment to the report, and its driver alone."""

import io
import json
from contextlib import contextmanager

import pytest
from rich.console import Console

from everstock.chain import devnet
from everstock.chain.transactions import call
from everstock.demo import keeper_process, report
from everstock.demo.cast import MIN_TRADERS
from everstock.demo.driver import DemoError
from everstock.demo.keeper_process import KeeperProcess, free_port
from everstock.demo.live import PlainView
from everstock.demo.reader import account_of
from everstock.demo.run import Settings, perform
from everstock.demo.stage import DEPOSIT_GAS, FOREVER, NO_LIMIT, OWNER, TOKEN, opened, wallet
from everstock.demo.summary import statement_of
from everstock.replay.bars import Bars
from everstock.replay.sources import Replay
from everstock.replay.ticks import Pace, Tick, ticks

START = 1_584_000_000
KEYS = (
    "episode",
    "price_source",
    "mode",
    "blocks",
    "transactions",
    "orders_executed",
    "orders_cancelled",
    "liquidations",
    "bad_debt",
    "insurance_start",
    "insurance_end",
    "main_pool_equity_start",
    "main_pool_equity_end",
    "premium_paid",
    "fees_paid",
    "conservation_error",
    "keeper_errors",
)
NOT_PER_MARKET = {"episode", "price_source", "mode", "blocks", "transactions", "keeper_errors"}


@pytest.fixture(scope="module")
def offline():
    """As if BASE_RPC_URL were not set."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(devnet.BASE_RPC_URL, raising=False)
        yield


def crash():
    """Three calm hours, then a third of the price within one, and an hour at the bottom."""

    def bars(top):
        closes = [1.0] * 36 + [1 - i / 36 for i in range(1, 13)] + [2 / 3] * 12
        opens = [1.0, *closes[:-1]]
        rows = [(a * top, max(a, b) * top, min(a, b) * top, b * top) for a, b in zip(opens, closes, strict=True)]
        return Bars.of([(START + 300 * i, *row) for i, row in enumerate(rows)], 300)

    return Replay(
        "made-up", "A made-up crash", "It falls.", "a straight line", {"BTC": bars(9_000.0), "ETH": bars(200.0)}
    )


@pytest.fixture(scope="module")
def finished(offline, tmp_path_factory):
    """A whole run: its outcome and its folder."""
    out = tmp_path_factory.mktemp("demo")
    replay = crash()
    published = ticks(replay.series, Pace(heartbeat=1_800, deviation=0.03, ticks=40))
    view = PlainView(Console(file=io.StringIO()))
    settings = Settings(out=out, seed=2, traders=MIN_TRADERS, fast=True)
    return perform(replay, published, settings, view, lambda chain: None), out


@pytest.fixture(scope="module")
def stage(offline, tmp_path_factory):
    """A stage before its first tick, at prices that do not move."""
    still = [Tick(START, {"BTC": 9_000 * 10**8, "ETH": 200 * 10**8})]
    with opened(still, traders=MIN_TRADERS, seed=1, out=tmp_path_factory.mktemp("stage")) as stage:
        yield stage


def test_demo__adds_up_to_the_last_unit(finished):
    outcome, _ = finished
    assert outcome.problems == []
    for market in outcome.data["markets"].values():
        assert market["conservation_error"] == 0
        assert market["insurance_change"] == market["insurance_change_by_events"] != 0
        assert market["main_pool_unexplained"] == 0
        assert market["open_legs_end"] == market["claims_end"] == 0


def test_demo__people_traded_and_were_liquidated(finished):
    data = finished[0].data
    assert data["orders_executed"] >= MIN_TRADERS // 2
    assert data["liquidations"] > 0
    assert data["keeper_errors"] == 0
    assert sum(data["keeper_failed"].values()) == 0
    assert data["main_pool_withdrawn"] > 0


def test_demo__what_traders_lost_the_others_have(finished):
    """Per market: gains of traders, pools, treasury and liquidators are zero together, but for what LPs took out."""
    outcome, _ = finished
    for symbol, market in outcome.data["markets"].items():
        traders = sum(result.gain for result in outcome.results if result.profile.market == symbol)
        pool = market["main_pool_equity_end"] + market["main_pool_withdrawn"] - market["main_pool_deposited"]
        others = market["insurance_change"] + market["treasury_end"] + market["rewards_paid"]
        assert traders + pool + others == 0


def test_demo__leaves_its_files(finished):
    _, out = finished
    data = json.loads((out / "summary.json").read_text())
    assert set(KEYS) <= set(data)
    assert data["mode"] == "devnet"
    for market in data["markets"].values():
        assert set(KEYS) - NOT_PER_MARKET <= set(market)
    page = (out / "report.html").read_text()
    assert "A made-up crash" in page and "does not add up" not in page
    for chart in report.CHARTS:
        assert (out / f"{chart}.png").stat().st_size > 10_000
    assert (out / "keeper.log").is_file()


def test_driver__a_transaction_that_must_not_revert__says_which_and_why(stage):
    stranger = wallet(OWNER)
    house = stage.contracts["TSLA.M"]["clearing_house"].functions
    stage.driver.send(stranger.account, house.withdraw(stranger.id, 1, stranger.address), gas=DEPOSIT_GAS)
    with pytest.raises(DemoError, match="withdraw was reverted in block .*clearing_house: not enough cash"):
        stage.driver.mine()


def test_driver__one_that_may__tells_its_reason(stage):
    reasons = []
    stranger = wallet(OWNER)
    house = stage.contracts["TSLA.M"]["clearing_house"].functions
    withdraw = house.withdraw(stranger.id, 1, stranger.address)
    assert stage.driver.would_revert(stranger.account, withdraw) == "clearing_house: not enough cash"
    stage.driver.send(stranger.account, withdraw, gas=DEPOSIT_GAS, refused=reasons.append)
    stage.driver.mine()
    assert reasons == ["clearing_house: not enough cash"]


def test_driver__blocks_are_where_they_are_put(stage):
    time = stage.driver.now + 100
    stage.driver.mine(time)
    assert stage.chain.now == time
    stage.driver.mine()
    assert stage.chain.now == time + 2


def test_premium__of_one_long_at_an_unmoved_price__is_rate_times_time(stage):
    """Against the lens's rate, which the statement does not know."""
    (profile, actor), *_ = stage.traders
    contracts, symbol = stage.contracts[profile.market], profile.market
    time = stage.driver.now + 60
    stage.publish(stage.prices, time)
    stage.driver.burst(time)
    (chain,) = stage.reader.many([_chain_of(stage, symbol)], stage.chronicle.last_block)
    series = next(one for one in chain.series if not one.is_put)
    desk = contracts["order_desk"].functions
    request = desk.request(actor.id, [(series.id, 50 * TOKEN)], NO_LIMIT, NO_LIMIT, False, FOREVER)
    stage.driver.send(actor.account, request, value=call(desk.min_fee(1, devnet.BASE_FEE)), gas=500_000)
    stage.driver.mine()
    requested = stage.driver.now
    stage.publish(stage.prices, requested + 4, chainlink=False)
    stage.driver.burst(requested + 4)
    began = next(event.time for event in stage.chronicle.of("Traded", market=symbol))
    (chain,) = stage.reader.many([_chain_of(stage, symbol)], stage.chronicle.last_block)
    rate = next(one for one in chain.series if one.id == series.id).long_rate

    later = stage.driver.now + 1_800
    stage.publish(stage.prices, later)
    stage.driver.burst(later)
    told = statement_of(stage, symbol, stage.reader.read(stage.accounts())[symbol])
    # The keeper has sampled a volatility that falls while the price stands still: the mean of both ends.
    (chain,) = stage.reader.many([_chain_of(stage, symbol)], stage.chronicle.last_block)
    last_rate = next(one for one in chain.series if one.id == series.id).long_rate
    assert last_rate < rate
    expected = 50 * TOKEN * (rate + last_rate) * (stage.driver.now - began) // (2 * 365 * 86_400 * 10**10)
    assert told.price_result == 0
    assert told.premium == pytest.approx(expected, rel=1e-6)
    assert told.legs == {actor.id: {series.id: 50 * TOKEN}}


def test_reader__agrees_with_single_calls(stage):
    profile, actor = stage.traders[-1]
    reading = stage.reader.read(stage.accounts())[profile.market]
    stored = call(stage.contracts[profile.market]["clearing_house"].functions.account(actor.id))
    assert reading.accounts[actor.id].cash == stored[0] == profile.margin * TOKEN
    assert actor.id == account_of(actor.address)
    assert reading.tokens == call(
        stage.contracts[profile.market]["vault"].functions.balanceOf(
            stage.contracts[profile.market]["clearing_house"].address
        )
    )


def test_keeper__without_a_deployment__its_words_are_told(tmp_path):
    port = free_port()
    command = keeper_process.command(tmp_path / "none.json", "http://127.0.0.1:1", "http://127.0.0.1:1", 3, port)
    with pytest.raises(DemoError, match="there is no deployment at"), _started(command, port, tmp_path):
        pass


@contextmanager
def _started(command, port, folder):
    with KeeperProcess(command, port, folder / "keeper.log") as keeper:
        yield keeper


def _chain_of(stage, symbol):
    lens = stage.manifest.lens_contract(stage.chain.w3)
    return lens.functions.option_chain(stage.contracts[symbol]["clearing_house"].address)
