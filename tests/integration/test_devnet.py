"""The chain under everything: what it carries, how its prices move, and that it leaves nothing behind."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import ape
import pytest
import requests

from everstock.chain import addresses, artifacts, devnet, publisher
from everstock.chain.devnet import ChainError, Mode
from everstock.chain.feeds import Feeds
from everstock.chain.hermes import HermesServer
from everstock.chain.publisher import PricePublisher
from everstock.chain.transactions import Reverted, call

BTC = addresses.PYTH_BTC_USD
ETH = addresses.PYTH_ETH_USD
FOREVER = 2**64 - 1
BASE_PRICE = 77_777_00000000


@pytest.fixture
def base_itself(offline, monkeypatch):
    """A stand-in for Base: a chain that has Base's genesis, as far as `mode` knows, and feeds that are not ours."""
    with devnet.lookalike() as base:
        Feeds(base.w3, PricePublisher()).set_chainlink("BTC", BASE_PRICE)
        base.rpc("anvil_setCode", addresses.PYTH, "0x00")
        # Later than the prices that ours left in Pyth's storage, where Base's own would keep them elsewhere.
        base.advance(60)
        monkeypatch.setenv(devnet.BASE_RPC_URL, base.url)
        monkeypatch.setenv(devnet.BASE_FORK_BLOCK, str(base.w3.eth.block_number))
        monkeypatch.setattr(addresses, "GENESIS_HASH", base.w3.eth.get_block(0)["hash"].to_0x_hex())
        yield base


@pytest.fixture
def offline(monkeypatch):
    """As if BASE_RPC_URL were not set."""
    monkeypatch.delenv(devnet.BASE_RPC_URL, raising=False)


def contract(chain, name, address):
    return artifacts.load(name).at(chain.w3, address)


# What is there


def test_chain__says_what_it_is(chain):
    assert chain.mode is devnet.mode(chain.w3)
    assert chain.w3.eth.chain_id == 8453
    assert ("LOOK-ALIKE" in str(chain.banner().title)) == (chain.mode is Mode.DEVNET)


def test_mode__a_fork_says_what_its_upstream_says(chain):
    with devnet.fork(chain.url) as second:
        assert second.mode is chain.mode


def test_mode__the_mark_taken_away_or_put_on_another_chain__is_noticed(offline):
    with devnet.lookalike() as base:
        base.rpc("anvil_setCode", devnet.MARKER, "0x")
        with pytest.raises(ChainError, match="does not carry the look-alike's mark"):
            devnet.mode(base.w3)
        with pytest.raises(ChainError), devnet.fork(base):
            pass
    with devnet.Anvil() as other, pytest.raises(ChainError, match="chain id 31337 is not Base's"):
        devnet.mode(other.web3())


def test_predeploys__answer(chain):
    usdc = contract(chain, "USDC", addresses.USDC)
    weth = contract(chain, "WETH9", addresses.WETH)
    multicall = contract(chain, "Multicall3", addresses.MULTICALL3)
    assert (call(usdc.functions.symbol()), call(usdc.functions.decimals())) == ("USDC", 6)
    assert (call(weth.functions.symbol()), call(weth.functions.decimals())) == ("WETH", 18)
    assert call(multicall.functions.getChainId()) == 8453


def test_feeds__answer_with_prices_of_now(chain, feeds):
    for name, feed in feeds.chainlink.items():
        id_, answer, _, updated_at, _ = call(feed.functions.latestRoundData())
        assert call(feed.functions.decimals()) == 8
        assert name in call(feed.functions.description())
        assert answer > 0
        assert 0 <= chain.now - updated_at < 60
        assert call(feed.functions.getRoundData(id_))[1] == answer
        assert call(feeds.pyth.functions.getPriceUnsafe(addresses.PYTH_IDS[name]))[0] > 0
    _, answer, started_at, _, _ = call(feeds.sequencer.functions.latestRoundData())
    assert answer == 0
    assert chain.now - started_at >= devnet.SEQUENCER_AGE


def test_base_fee__is_bases_and_stays(chain):
    for _ in range(20):
        chain.mine()
    assert chain.w3.eth.get_block("latest")["baseFeePerGas"] == devnet.BASE_FEE


def test_transaction__costs_what_it_costs_on_base(chain, wallet):
    before = wallet.balance
    receipt = wallet.transfer(chain.wallet(8).address, 1)
    assert receipt["effectiveGasPrice"] > 0
    assert before - wallet.balance == 1 + receipt["gasUsed"] * receipt["effectiveGasPrice"]


def test_ape__is_on_the_same_chain(chain, provider):
    assert provider.network_choice == "base:mainnet-fork:foundry"
    assert provider.chain_id == 8453
    assert ape.chain.blocks.height == chain.w3.eth.block_number
    weth = ape.accounts.test_accounts[0].deploy(ape.project.WETH9)
    assert chain.w3.eth.get_code(weth.address)
    with ape.reverts():
        weth.withdraw(1, sender=ape.accounts.test_accounts[1])


def test_usdc__is_given(chain, wallet):
    chain.give_usdc(wallet.address, 5_000000)
    usdc = contract(chain, "USDC", addresses.USDC)
    assert call(usdc.functions.balanceOf(wallet.address)) == 5_000000


# How prices move


def test_pyth__signed_update__moves_the_price(chain, feeds, wallet):
    time_ = chain.now + 2
    update = feeds.set_prices({"BTC": 90_000_00000000, "ETH": 3_000_00000000}, time_)
    chain.mine(time_)
    feeds.bring(wallet, [update])
    price, conf, expo, publish_time = call(feeds.pyth.functions.getPriceNoOlderThan(BTC, 60))
    assert (price, conf, expo, publish_time) == (90_000_00000000, 45_00000000, -8, time_)
    assert call(feeds.chainlink["ETH"].functions.latestRoundData())[1] == 3_000_00000000


@pytest.mark.parametrize(
    ("tampering", "error"),
    [
        (publisher.forged, "InvalidWormholeVaa"),
        (publisher.tampered, "InvalidUpdateData"),
        (publisher.elsewhere, "InvalidUpdateDataSource"),
        (publisher.truncated, "InvalidUpdateData"),
    ],
)
def test_pyth__update_of_anyone_else__reverts(feeds, wallet, tampering, error):
    before = call(feeds.pyth.functions.getPriceUnsafe(BTC))
    with pytest.raises(Reverted) as caught:
        feeds.bring(wallet, [tampering(feeds.publisher.latest(BTC))])
    assert caught.value.reason == error
    assert call(feeds.pyth.functions.getPriceUnsafe(BTC)) == before


def test_pyth__fee_not_paid__reverts(feeds, wallet):
    update = feeds.publisher.blobs([BTC, ETH])
    assert call(feeds.pyth.functions.getUpdateFee(update)) == 2
    with pytest.raises(Reverted, match="InsufficientFee"):
        wallet.transact(feeds.pyth.functions.updatePriceFeeds(update), value=1)


def test_pyth_unique__takes_the_first_price_of_a_range_only(chain, feeds):
    start = chain.now + 10
    prices = [90_000_00000000, 91_000_00000000, 92_000_00000000]
    updates = [feeds.publish({"BTC": price}, start + 2 * i) for i, price in enumerate(prices)]

    def unique(update, min_time):
        parse = feeds.pyth.functions.parsePriceFeedUpdatesUnique([update], [BTC], min_time, FOREVER)
        return call(parse, {"value": 1})[0][1][0]

    # From start + 1 on the first is the one at start + 2; that at start + 4 has a predecessor in the range.
    assert unique(updates[1], start + 1) == unique(updates[1], start + 2) == prices[1]
    for update, min_time in ((updates[0], start + 1), (updates[2], start + 1), (updates[1], start)):
        with pytest.raises(Reverted, match="PriceFeedNotFoundWithinRange"):
            unique(update, min_time)


def test_chainlink__round_of_anyone_else__reverts(feeds, wallet):
    with pytest.raises(Reverted, match="chainlink_feed: operator only"):
        wallet.transact(feeds.chainlink["BTC"].functions.publish(1, 2, 3))


def test_sequencer__goes_down_and_comes_back(chain, feeds):
    feeds.set_sequencer(up=False)
    assert call(feeds.sequencer.functions.latestRoundData())[1] == 1
    chain.advance(600)
    feeds.set_sequencer(up=True)
    _, answer, started_at, _, _ = call(feeds.sequencer.functions.latestRoundData())
    assert answer == 0
    assert chain.now - started_at <= 1


def test_hermes__what_it_hands_out_is_taken_by_pyth(chain, feeds, wallet):
    time_ = chain.now + 5
    feeds.publish({"BTC": 95_000_00000000, "ETH": 3_500_00000000}, time_)
    feeds.publish({"BTC": 96_000_00000000}, time_ + 5)
    with HermesServer(feeds.publisher) as hermes:
        ids = f"ids[]={BTC}&ids[]={ETH}"
        latest = requests.get(f"{hermes.url}/v2/updates/price/latest?{ids}", timeout=5).json()
        earlier = requests.get(f"{hermes.url}/v2/updates/price/{time_ - 1}?{ids}", timeout=5).json()
    for answer, expected in ((earlier, 95_000_00000000), (latest, 96_000_00000000)):
        feeds.bring(wallet, [bytes.fromhex(data) for data in answer["binary"]["data"]])
        assert call(feeds.pyth.functions.getPriceUnsafe(BTC))[0] == expected


# Alone and side by side


def test_fork__shares_nothing_but_its_start(offline):
    with devnet.lookalike() as base, devnet.fork(base) as one, devnet.fork(base) as two:
        someone = one.wallet(0).address
        one.fund(someone, 7)
        one.feeds.set_chainlink("BTC", 1)
        assert two.w3.eth.get_balance(someone) == base.w3.eth.get_balance(someone) == devnet.ACCOUNT_BALANCE
        for other in (base, two):
            answer = call(other.feeds.chainlink["BTC"].functions.latestRoundData())[1]
            assert answer == devnet.OPENING_PRICES["BTC"]


def test_fork__opens_with_the_prices_it_was_given(offline):
    with devnet.fork(prices={"BTC": 8_000_00000000, "ETH": 200_00000000}) as chain:
        assert call(chain.feeds.chainlink["ETH"].functions.latestRoundData())[1] == 200_00000000
        assert chain.publisher.latest(BTC).price == 8_000_00000000


def test_fork_of_base__starts_at_the_pinned_block_with_its_own_feeds(base_itself):
    pinned = base_itself.w3.eth.block_number
    base_itself.mine()
    with devnet.fork(movable_prices=False) as chain:
        assert chain.mode is Mode.FORK
        assert chain.rpc("anvil_nodeInfo")["forkConfig"]["forkBlockNumber"] == pinned
        assert "FORK OF BASE" in str(chain.banner().title)
        assert "LOOK-ALIKE" not in str(chain.banner().title)
        with pytest.raises(ChainError, match="prices of this chain cannot be moved"):
            _ = chain.feeds


def test_fork_of_base__our_feeds_open_with_bases_prices(base_itself):
    with devnet.fork() as chain:
        assert (chain.mode, chain.movable) == (Mode.FORK, True)
        feed = chain.feeds.chainlink["BTC"]
        # A feed of its own: round 1 is ours, not one that the replaced contract left behind.
        assert call(feed.functions.latestRoundData())[:2] == [(1 << 64) + 1, BASE_PRICE]
        assert chain.publisher.latest(BTC).price == BASE_PRICE
        assert not devnet.prices_movable(base_itself.w3)


def test_isolated__undoes_what_happened_inside(chain, wallet):
    before = wallet.balance
    with chain.isolated():
        wallet.transfer(chain.wallet(8).address, 10**18)
    assert wallet.balance == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_devnet_command__ends_with_all_that_it_started(offline, number):
    program = Path(sys.executable).parent / "everstock"
    process = subprocess.Popen(
        [str(program), "devnet", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    lines = []
    while not lines or "Ctrl-C" not in lines[-1]:
        lines.append(process.stdout.readline())
        assert lines[-1], f"it ended early: {''.join(lines)}"
    printed = "".join(lines)
    services = set(re.findall(r"http://127\.0\.0\.1:\d+", printed))
    assert "LOOK-ALIKE" in printed
    # The chain, what it forks, and the prices.
    assert len(services) == 3
    assert all(answers(url) for url in services)

    process.send_signal(number)
    process.wait(10)
    process.stdout.close()
    deadline = time.monotonic() + 5
    while (left := [url for url in services if answers(url)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []


def answers(url: str) -> bool:
    try:
        requests.post(url, json={"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}, timeout=2)
    except requests.ConnectionError:
        return False
    return True
