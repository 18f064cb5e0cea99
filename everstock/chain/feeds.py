"""Moving the prices of a chain whose feeds are ours: Chainlink rounds, the sequencer, and Pyth updates.

Prices are integers with 8 decimals, as both feeds have them; times are Unix seconds.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils import keccak
from web3 import Web3
from web3.contract import Contract
from web3.types import TxReceipt

from everstock.chain import addresses, artifacts
from everstock.chain.publisher import PricePublisher
from everstock.chain.transactions import Wallet

# No secret: whoever reads this has the key. Only our own feeds and tokens heed it.
DEVNET_OPERATOR: Final[LocalAccount] = Account.from_key(keccak(text="everstock devnet operator"))

# A round costs about 100k gas; no estimate is worth a request here.
ROUND_GAS: Final = 200_000

UP: Final = 0
DOWN: Final = 1


class Feeds:
    """The feeds of one chain, by underlying ("BTC", "ETH"). Its operator must have ether."""

    def __init__(self, w3: Web3, publisher: PricePublisher, before: Callable[[], None] = lambda: None) -> None:
        """`before` is called ahead of each transaction."""
        self.publisher = publisher
        self._w3 = w3
        self._before = before
        self._operator = Wallet(w3, DEVNET_OPERATOR)
        feed = artifacts.load("ChainlinkFeed")
        self.chainlink = {name: feed.at(w3, address) for name, address in addresses.CHAINLINK_FEEDS.items()}
        self.sequencer = feed.at(w3, addresses.SEQUENCER_UPTIME)
        self.pyth = artifacts.load("PythFeed").at(w3, addresses.PYTH)

    def set_prices(self, prices: Mapping[str, int], time: int | None = None) -> bytes:
        """Publish `prices` everywhere at `time` (the chain's now): a Chainlink round each and a signed Pyth update.

        The Pyth update is returned and kept for Hermes, not sent to the chain: whoever needs it brings it.
        """
        time = self._now() if time is None else time
        for underlying, price in prices.items():
            self.set_chainlink(underlying, price, time)
        return self.publish(prices, time)

    def publish(
        self, prices: Mapping[str, int], time: int | None = None, conf: Mapping[str, int] | None = None
    ) -> bytes:
        """Sign `prices` as Pyth's at `time` (the chain's now) and return the update; nothing is sent."""
        by_id = {addresses.PYTH_IDS[name]: price for name, price in prices.items()}
        conf_by_id = None if conf is None else {addresses.PYTH_IDS[name]: value for name, value in conf.items()}
        return self.publisher.publish(by_id, self._now() if time is None else time, conf_by_id)

    def set_chainlink(self, underlying: str, price: int, time: int | None = None) -> TxReceipt:
        """Publish a round with any `price`, updated at `time` (the chain's now)."""
        time = self._now() if time is None else time
        return self._publish(self.chainlink[underlying], price, time, time)

    def set_sequencer(self, up: bool, since: int | None = None) -> TxReceipt:
        """Say that the sequencer is up or down `since` then (the chain's now)."""
        since = self._now() if since is None else since
        return self._publish(self.sequencer, UP if up else DOWN, since, since)

    def bring(self, wallet: Wallet, updates: Iterable[bytes]) -> TxReceipt:
        """Store signed `updates` in Pyth, paid for by `wallet`. Raises `Reverted` with the name of Pyth's error."""
        updates = list(updates)
        fee = self.pyth.functions.getUpdateFee(updates).call()
        self._before()
        return wallet.transact(self.pyth.functions.updatePriceFeeds(updates), value=fee)

    def _publish(self, feed: Contract, answer: int, started_at: int, updated_at: int) -> TxReceipt:
        self._before()
        return self._operator.transact(feed.functions.publish(answer, started_at, updated_at), gas=ROUND_GAS)

    def _now(self) -> int:
        return self._w3.eth.get_block("latest")["timestamp"]
