"""The keeper as a process of its own, on a forked chain with real base fees, doing all that it is there for."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from everstock.bench.stage import (
    DELAY,
    DEPOSIT_WAIT,
    FACE,
    GAS_LIMIT,
    NO_DEADLINE,
    NO_LIMIT,
    OPENING,
    account_of,
    build,
    price,
)
from everstock.chain import devnet
from everstock.chain.hermes import HermesServer
from everstock.chain.transactions import call

PROGRAM = Path(sys.executable).parent / "everstock"
# A wallet that no actor has.
KEEPER = 90
HOUR = 3_600
EXEC_WINDOW = 60
PATIENCE = 30


@pytest.fixture(scope="module")
def built():
    """One market with 32 open series on a fork of its own."""
    with devnet.fork(prices={name: price(usd) for name, usd in OPENING.items()}) as chain:
        made = build(chain)
        chain.fund(chain.wallet(KEEPER).address)
        yield made


@pytest.fixture
def stage(built):
    """The same, undone after each test, with blocks as transactions come."""
    with built.rewound():
        yield built
        built.chain.rpc("evm_setAutomine", True)


@pytest.fixture
def hermes(stage):
    with HermesServer(stage.feeds.publisher) as server:
        yield server


@pytest.fixture
def keeper(stage, hermes, tmp_path):
    with running(stage, hermes, tmp_path) as process:
        yield process


@dataclass
class Process:
    """A running keeper."""

    popen: subprocess.Popen
    log: Path
    url: str = ""
    exit_code: int = 0  # what it is to end with

    @property
    def status(self) -> dict[str, Any]:
        return requests.get(f"{self.url}/status", timeout=5).json()

    def kill(self) -> None:
        """End it without a chance to finish anything."""
        self.exit_code = -signal.SIGKILL
        self.popen.kill()

    def events(self, name: str) -> list[dict[str, Any]]:
        """Lines of its log."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [line for line in lines if line["event"] == name]


@contextmanager
def running(stage, hermes, folder: Path) -> Iterator[Process]:
    """A keeper; at the end it is told to stop, and must."""
    manifest, log = folder / "manifest.json", folder / f"keeper-{time.monotonic_ns()}.log"
    stage.manifest.save(manifest)
    where = ["--manifest", manifest, "--rpc", stage.chain.url, "--hermes", hermes.url, "--metrics-port", "0"]
    command = [PROGRAM, "keeper", *where, "--key-index", str(KEEPER), "--poll", "0.02", "--log", "json", "--verbose"]
    with log.open("wb") as stderr:
        process = Process(subprocess.Popen(list(map(str, command)), stderr=stderr), log)
    try:
        (serving,) = until(lambda: process.events("serving"), process)
        process.url = serving["status"].removesuffix("/status")
        until(lambda: process.status["block"] >= stage.chain.w3.eth.block_number, process)
        yield process
        process.popen.send_signal(signal.SIGTERM)
        assert process.popen.wait(PATIENCE) == process.exit_code
    finally:
        process.popen.kill()
        process.popen.wait()


def until(condition, process: Process):
    """What `condition` returns once it is true; fails if the keeper ends or time runs out."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert process.popen.poll() is None, f"the keeper ended:\n{process.log.read_text()}"
        assert time.monotonic() < deadline, f"waited in vain; the keeper's log:\n{process.log.read_text()}"
        time.sleep(0.01)
    return found


def publish(stage, after, **usd):
    """Prices `after` seconds from now, and a block in which they can be seen."""
    stage.publish(after, **usd)
    stage.chain.advance(1)


def logs(stage, event, **wanted):
    """Events of a contract of the market whose fields are as wanted."""
    found = event().get_logs(from_block=stage.manifest.first_block)
    return [log["args"] for log in found if all(log["args"][name] == value for name, value in wanted.items())]


def executed(stage, trader):
    return logs(stage, stage.order_desk.events.Executed, account=account_of(trader))


def market(stage):
    (output,) = stage.lens.get_function_by_name("market").abi["outputs"]
    view = call(stage.lens.functions.market(stage.clearing_house.address))
    return dict(zip([field["name"] for field in output["components"]], view, strict=True))


# What it is there for


def test_order__requested__is_executed_at_its_first_price_for_its_fee(stage, keeper):
    trader = stage.trader()
    before = stage.chain.w3.eth.get_balance(keeper.status["address"])
    stage.request(trader, (stage.series[0], FACE), (stage.series[-1], -FACE))
    publish(stage, DELAY, BTC=60_500)
    publish(stage, 5, BTC=61_000)
    (event,) = until(lambda: executed(stage, trader), keeper)
    assert event["prices"] == [price(60_500), price(stage.index["ETH"])]
    assert event["executor"] == keeper.status["address"]
    until(lambda: keeper.status["pending"] == [], keeper)
    assert stage.chain.w3.eth.get_balance(keeper.status["address"]) > before


def test_stop__its_price_is_reached__is_triggered_and_executed_at_the_first_price_after(stage, keeper):
    trader, index = stage.trader(), stage.index["BTC"]
    _, order = stage.request_conditional(trader, (stage.series[0], FACE), below=index * 0.995)
    before = stage.chain.w3.eth.get_balance(keeper.status["address"])
    publish(stage, DELAY + 1, BTC=index * 0.994)
    (event,) = until(lambda: logs(stage, stage.order_desk.events.Triggered, account=account_of(trader)), keeper)
    assert event["sender"] == keeper.status["address"]
    publish(stage, DELAY, BTC=index * 0.997)
    (event,) = until(lambda: executed(stage, trader), keeper)
    assert event["prices"][0] == price(index * 0.997)
    until(lambda: keeper.status["pending"] == [], keeper)
    sent = keeper.status["sent"]
    assert (sent["triggers"], sent["orders"]) == (1, 1)
    assert stage.chain.w3.eth.get_balance(keeper.status["address"]) > before
    assert call(stage.order_desk.functions.order_hash(order[0], order[1])) == bytes(32)


def test_orders__of_one_block__are_executed_together(stage, keeper):
    traders = [stage.trader() for _ in range(3)]
    stage.chain.rpc("evm_setAutomine", False)
    for trader in traders:
        fee = call(stage.order_desk.functions.min_fee(1, devnet.BASE_FEE))
        legs = [(stage.series[0], FACE)]
        function = stage.order_desk.functions.request(account_of(trader), legs, NO_LIMIT, NO_LIMIT, False, NO_DEADLINE)
        trader.submit(function, value=2 * fee, gas=300_000)
    stage.chain.mine()
    stage.chain.rpc("evm_setAutomine", True)
    publish(stage, DELAY)
    until(lambda: all(executed(stage, trader) for trader in traders), keeper)
    assert keeper.status["sent"]["orders"] == 1


def test_crash__the_account_that_fell_below_maintenance__is_liquidated(stage, keeper):
    writer, holder = stage.trader(), stage.trader()
    put_at_60k = stage.calls_on("BTC")[4] + 1
    face = stage.largest_face(writer, [put_at_60k], -1)
    for trader, size in ((writer, -face), (holder, FACE)):
        stage.request(trader, (put_at_60k, size))
    publish(stage, DELAY)
    until(lambda: executed(stage, writer) and executed(stage, holder), keeper)

    publish(stage, 20, BTC=54_000)
    (event, *_) = until(lambda: logs(stage, stage.clearing_house.events.Liquidated, account=account_of(writer)), keeper)
    assert event["fraction"] > 0
    assert event["rewarded"] == int(keeper.status["address"], 16) << 96
    assert event["reward"] > 0
    assert not logs(stage, stage.clearing_house.events.Liquidated, account=account_of(holder))
    assert not stage.is_liquidatable(writer)


def test_checkpoint__an_hour_later__is_made(stage, keeper):
    before = market(stage)["checkpoint_time"]
    publish(stage, HOUR)
    until(lambda: market(stage)["checkpoint_time"] >= before + HOUR, keeper)
    until(lambda: keeper.status["pending"] == [], keeper)
    sent = keeper.status["sent"]["checkpoint"]
    for _ in range(5):
        publish(stage, 2)
    until(lambda: keeper.status["block"] >= stage.chain.w3.eth.block_number, keeper)
    assert keeper.status["sent"]["checkpoint"] == sent == 1


def test_liquidity__requested__is_fulfilled_after_its_wait(stage, keeper):
    before = call(stage.main_pool.functions.queue())
    stage.request_deposit()
    publish(stage, DEPOSIT_WAIT - 5)
    publish(stage, 1)
    assert call(stage.main_pool.functions.queue())[1] == before[1]
    publish(stage, 10)
    until(lambda: call(stage.main_pool.functions.queue())[1] == before[1] + 1, keeper)


def test_order__without_a_price__is_voided_after_its_window(stage, keeper):
    trader = stage.trader()
    _, order = stage.request(trader, (stage.series[0], FACE))
    stage.chain.advance(EXEC_WINDOW + 1)
    until(lambda: logs(stage, stage.order_desk.events.Voided, account=account_of(trader)), keeper)
    assert call(stage.order_desk.functions.order_hash(order[0], order[1])) == bytes(32)


def test_price__old_while_positions_are_open__is_brought(stage, keeper):
    publish(stage, 60, BTC=60_100)
    until(lambda: call(stage.oracle.functions.word(0)) & (2**64 - 1) == price(60_100), keeper)


def test_boundary__passed__volatility_is_sampled_at_the_first_price_since(stage, keeper):
    volatility = stage.manifest.volatility_oracle_contract(stage.chain.w3)
    now = stage.chain.now
    publish(stage, (-now) % 600 + 5, BTC=60_500)
    until(lambda: call(volatility.functions.track(0))[1] >= now, keeper)
    assert call(volatility.functions.track(0))[0] == price(60_500)
    fast, slow = call(volatility.functions.variances(0))
    word = call(stage.oracle.functions.word(0))
    assert (word >> 96 & (2**40 - 1), word >> 136 & (2**40 - 1)) == (fast, slow)


# What it must survive


def test_someone_else_is_faster__its_transaction_reverts__and_it_goes_on(stage, keeper):
    trader = stage.trader()
    _, order = stage.request(trader, (stage.series[0], FACE))
    update = stage.publish(DELAY)
    stage.chain.rpc("evm_setAutomine", False)
    stage.chain.advance(1)
    (pending,) = until(lambda: keeper.status["pending"], keeper)

    # The same execution for a higher tip: it comes first in the block.
    rival = stage.keeper
    built = stage.order_desk.functions.execute([order], [update]).build_transaction(
        {
            "from": rival.address,
            "value": stage.fee([update]),
            "gas": GAS_LIMIT,
            "nonce": stage.chain.w3.eth.get_transaction_count(rival.address),
            "maxFeePerGas": 10**9,
            "maxPriorityFeePerGas": 10**8,
        }
    )
    stage.chain.w3.eth.send_raw_transaction(rival.account.sign_transaction(built).raw_transaction)
    stage.chain.mine()
    stage.chain.rpc("evm_setAutomine", True)
    assert stage.chain.w3.eth.get_transaction_receipt(pending)["status"] == 0
    (event,) = executed(stage, trader)
    assert event["executor"] == rival.address
    until(lambda: keeper.status["failed"]["orders"] == 1, keeper)
    (line,) = keeper.events("reverted")
    assert line["reason"] == "reverted in its block, though not upon the one before"

    other = stage.trader()
    stage.request(other, (stage.series[0], FACE))
    publish(stage, DELAY)
    until(lambda: executed(stage, other), keeper)
    assert keeper.status["errors"] == 0


def test_hermes_away__orders_wait__and_are_executed_when_it_is_back(stage, hermes, keeper, monkeypatch):
    trader = stage.trader()
    stage.request(trader, (stage.series[0], FACE))
    with monkeypatch.context() as patch:
        handler = hermes._server.RequestHandlerClass
        patch.setattr(handler, "do_GET", lambda handler: handler._answer(500, "not today"))
        publish(stage, DELAY)
        until(lambda: keeper.status["block"] >= stage.chain.w3.eth.block_number, keeper)
        assert keeper.status["errors"] == 1
        assert "Hermes answered 500" in keeper.status["last_error"]

    def again():
        # It leaves Hermes alone for a moment; blocks go on.
        stage.chain.advance(1)
        time.sleep(0.1)
        return executed(stage, trader)

    until(again, keeper)


def test_killed__another_goes_on_where_it_was(stage, hermes, tmp_path):
    trader = stage.trader()
    with running(stage, hermes, tmp_path) as first:
        stage.request(trader, (stage.series[0], FACE))
        until(lambda: first.status["block"] >= stage.chain.w3.eth.block_number, first)
        first.kill()
    publish(stage, DELAY)
    with running(stage, hermes, tmp_path) as second:
        until(lambda: executed(stage, trader), second)


def test_chain_goes_back__so_does_the_keeper(stage, keeper):
    trader = stage.trader()
    snapshot = stage.chain.snapshot()
    stage.request(trader, (stage.series[0], FACE))
    publish(stage, DELAY)
    until(lambda: executed(stage, trader), keeper)
    until(lambda: keeper.status["pending"] == [], keeper)
    time_then = stage.chain.now

    stage.chain.restore(snapshot)
    assert not executed(stage, trader)
    stage.request(trader, (stage.series[1], FACE))
    # The publisher does not notice that the chain went back, and publishes nothing from before its last price.
    publish(stage, time_then + DELAY - stage.chain.now)
    until(lambda: executed(stage, trader), keeper)
    until(lambda: keeper.status["block"] == stage.chain.w3.eth.block_number, keeper)
    assert keeper.events("the chain went back")


# How the demo steps a chain


def test_blocks_mined_by_hand__are_handled_before_what_was_sent_is_mined(stage, keeper):
    chain, trader = stage.chain, stage.trader()
    stage.request(trader, (stage.series[0], FACE))
    stage.publish(DELAY)
    chain.rpc("evm_setAutomine", False)
    for _ in range(20):
        chain.mine(chain.now + 2)
        head = chain.w3.eth.get_block("latest")
        until(lambda head=head: keeper.status["block"] >= head["number"], keeper)
        status = keeper.status
        assert (status["block"], status["time"]) == (head["number"], head["timestamp"])
        # Nothing is mined meanwhile, so what it sent is not.
        assert all(chain.w3.eth.get_transaction(hash_)["blockNumber"] is None for hash_ in status["pending"])
    assert executed(stage, trader)
    assert keeper.status["errors"] == 0


def test_metrics__are_served(keeper):
    text = requests.get(f"{keeper.url}/metrics", timeout=5).text
    assert "everstock_keeper_block " in text
    assert "everstock_keeper_balance_ether " in text
