"""A deployment to measure on: one market with 32 series open on both sides, on two underlyings, and its actors."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from eth_utils import keccak
from eth_utils.abi import function_abi_to_4byte_selector
from web3.contract import Contract
from web3.logs import DISCARD
from web3.types import TxReceipt

from everstock.chain import devnet, signed_orders
from everstock.chain.attestation import Attestation, VaultDomain, sign
from everstock.chain.deployment import UNDERLYINGS
from everstock.chain.launch import Stock, launch
from everstock.chain.manifest import Manifest
from everstock.chain.transactions import Reverted, Wallet, call
from everstock.model import words
from everstock.model.constants import NOTICE_DELAY
from everstock.model.order_desk import SignedOrder
from everstock.model.risk_book import OrderLeg
from everstock.model.volatility_oracle import SPAN
from everstock.parameters import ORDER_DELAY

TOKEN: Final = 10**18
STOCK: Final = Stock("TSLA.M", "Tesla, tokenized", price_usd=300.0, daily_limit=100_000_000 * TOKEN)
OPENING: Final = {"BTC": 60_000.0, "ETH": 3_000.0}
# Strikes of two digits around the index, eight to an underlying, a call and a put of each.
STRIKES: Final = {
    "BTC": (48_000, 51_000, 54_000, 57_000, 60_000, 64_000, 68_000, 72_000),
    "ETH": (2_400, 2_500, 2_700, 2_900, 3_000, 3_200, 3_400, 3_600),
}
MAIN_CAPITAL: Final = 1_000_000 * TOKEN
INSURANCE_CAPITAL: Final = 100_000 * TOKEN
MARGIN: Final = 1_000 * TOKEN
# Of each leg that opens the market.
FACE: Final = 20 * TOKEN
# Holders of the opening legs: each side of a series belongs to another.
HOLDERS: Final = 8
# From a request to its price, and from an LP's deposit to its execution; as the contracts have them.
DELAY: Final = ORDER_DELAY
DEPOSIT_WAIT: Final = 600
# A series without units may be put on notice this long after its last use.
UNUSED_WAIT: Final = 3_600
MAX_LEGS: Final = 8
# How long conditional orders wait here, seconds.
MONTH: Final = 30 * 86_400
NOBODY: Final = "0x" + 40 * "0"
NO_LIMIT: Final = 2**127 - 1
NO_DEADLINE: Final = 2**256 - 1
GAS_LIMIT: Final = 8_000_000


def price(usd: float) -> int:
    """A price or strike as the contracts have it: 8 decimals."""
    return round(usd * 10**8)


def account_of(wallet: Wallet) -> int:
    """A wallet's account 0 at a clearing house."""
    return int(wallet.address, 16) << 96


@dataclass
class Stage:
    """The market and its actors, on a chain whose prices move as told. Amounts in raw units."""

    chain: devnet.Chain
    manifest: Manifest
    index: dict[str, float] = field(default_factory=lambda: dict(OPENING))
    series: list[int] = field(default_factory=list)
    holders: list[Wallet] = field(default_factory=list)
    last_update: bytes = b""
    _actors: int = 2  # wallets taken: 0 deploys, 1 keeps

    def __post_init__(self) -> None:
        w3, market = self.chain.w3, self.manifest.markets[0]
        self.feeds = self.chain.feeds
        self.owner = self.chain.wallet(0)
        self.keeper = self.chain.wallet(1)
        self.oracle = self.manifest.oracle_contract(w3)
        self.lens = self.manifest.lens_contract(w3)
        self.vault = market.contract(w3, "vault")
        self.clearing_house = market.contract(w3, "clearing_house")
        self.risk_book = market.contract(w3, "risk_book")
        self.main_pool = market.contract(w3, "main_pool")
        self.insurance_pool = market.contract(w3, "insurance_pool")
        self.order_desk = market.contract(w3, "order_desk")
        self.liquidator = market.contract(w3, "liquidator")
        self.series_listing = market.contract(w3, "series_listing")

    @contextmanager
    def rewound(self) -> Iterator[None]:
        """Whatever happens inside is undone, in the chain and here."""
        index, actors = dict(self.index), self._actors
        with self.chain.isolated():
            yield
        self.index, self._actors = index, actors
        self.feeds = self.chain.open_feeds()

    # Actors

    def actor(self, tokens: int = MARGIN) -> Wallet:
        """A new wallet with ether and stock tokens, which the clearing house may take."""
        wallet = self.chain.wallet(self._actors)
        self._actors += 1
        self.chain.fund(wallet.address)
        self.owner.transact(self.vault.functions.transfer(wallet.address, tokens))
        wallet.transact(self.vault.functions.approve(self.clearing_house.address, 2**256 - 1))
        return wallet

    def trader(self) -> Wallet:
        """A new wallet with all its tokens as margin."""
        wallet = self.actor()
        wallet.transact(self.clearing_house.functions.deposit(account_of(wallet), MARGIN))
        return wallet

    def give_margin(self, wallet: Wallet) -> None:
        """Put a token into a wallet's account 0, whoever pays."""
        payer = self.actor()
        payer.transact(self.clearing_house.functions.deposit(account_of(wallet), TOKEN))

    # Prices

    def publish(self, after: int, **usd: float) -> bytes:
        """Move feeds `after` seconds from now; the signed update, which is not brought yet."""
        self.index |= usd
        self.chain.advance(after)
        self.last_update = self.feeds.set_prices({name: price(value) for name, value in self.index.items()})
        return self.last_update

    def move(self, after: int = 20, **usd: float) -> TxReceipt:
        """Move feeds `after` seconds from now and bring the price to the oracle; the receipt of that."""
        update = self.publish(after, **usd)
        return self.keeper.transact(self.oracle.functions.update([0, 1], [update]), value=self.fee([update]))

    def sample(self) -> TxReceipt:
        """Sample both underlyings at the first price after a boundary; the receipt."""
        update = self.publish(SPAN)
        oracle = self.manifest.volatility_oracle_contract(self.chain.w3)
        return self.keeper.transact(oracle.functions.sample([0, 1], [update]), value=self.fee([update]))

    def fee(self, updates: Sequence[bytes]) -> int:
        """Pyth's fee for signed updates, wei."""
        return call(self.feeds.pyth.functions.getUpdateFee(list(updates)))

    # Orders

    def request(self, trader: Wallet, *legs: tuple[int, int]) -> tuple[TxReceipt, tuple[Any, ...]]:
        """Request (series, face) legs for account 0; the receipt, and the order's terms out of its event."""
        fee = call(self.order_desk.functions.min_fee(len(legs), devnet.BASE_FEE))
        receipt = trader.transact(
            self.order_desk.functions.request(account_of(trader), list(legs), NO_LIMIT, NO_LIMIT, False, NO_DEADLINE),
            value=2 * fee,
        )
        return receipt, self._requested(receipt)

    def request_conditional(
        self, trader: Wallet, *legs: tuple[int, int], above: float = 0, below: float = 0
    ) -> tuple[TxReceipt, tuple[Any, ...]]:
        """Request legs that a price of BTC triggers, for account 0; the receipt, and the order's terms."""
        fee = call(self.order_desk.functions.min_fee(len(legs), devnet.BASE_FEE, True))
        terms = (account_of(trader), list(legs), NO_LIMIT, NO_LIMIT, False, self.chain.now + MONTH)
        request = self.order_desk.functions.request_conditional(*terms, 0, price(above), price(below))
        receipt = trader.transact(request, value=2 * fee)
        return receipt, self._requested(receipt)

    def relay(self, trader: Wallet, *legs: tuple[int, int]) -> tuple[TxReceipt, tuple[Any, ...]]:
        """A market order that the trader signs and the keeper relays; the receipt, and the order's terms."""
        domain = signed_orders.DeskDomain.from_eip5267(call(self.order_desk.functions.eip712Domain()))
        order = SignedOrder(
            account=account_of(trader),
            legs=tuple(OrderLeg(*leg) for leg in legs),
            limit=NO_LIMIT,
            mark_limit=NO_LIMIT,
            reduce_only=False,
            deadline=NO_DEADLINE,
            underlying=0,
            above=0,
            below=0,
            salt=int.from_bytes(keccak(text=f"{trader.address} {self.chain.now}")),
            valid_until=self.chain.now + MONTH,
            relayer=NOBODY,
        )
        fee = call(self.order_desk.functions.min_fee(len(legs), devnet.BASE_FEE))
        signature = signed_orders.sign(order, domain, trader.account.key)
        relay = self.order_desk.functions.relay(signed_orders.as_tuple(order), trader.address, signature)
        receipt = self.keeper.transact(relay, value=2 * fee)
        return receipt, self._requested(receipt)

    def trigger(self, *orders: tuple[Any, ...], stored: bool = False, **usd: float) -> tuple[TxReceipt, list[tuple[Any, ...]]]:
        """Publish a price that triggers orders and trigger them, at once or once it is `stored`; the receipt, and their terms."""
        update = self.publish(DELAY, **usd)
        updates = [update]
        if stored:
            self.keeper.transact(self.oracle.functions.update([0, 1], updates), value=self.fee(updates))
            updates = []
        value = self.fee(updates) if updates else 0
        receipt = self.keeper.transact(
            self.order_desk.functions.trigger(list(orders), updates), value=value, gas=GAS_LIMIT
        )
        events = self.order_desk.events.Triggered().process_receipt(receipt, errors=DISCARD)
        return receipt, [_terms(event["args"]["order"]) for event in events]

    def _requested(self, receipt: TxReceipt) -> tuple[Any, ...]:
        (event,) = self.order_desk.events.Requested().process_receipt(receipt, errors=DISCARD)
        return _terms(event["args"]["order"])

    def execute(self, *orders: tuple[Any, ...], **usd: float) -> TxReceipt:
        """Publish the orders' price, which also becomes the stored one, and execute; the receipt."""
        update = self.publish(DELAY, **usd)
        receipt = self.keeper.transact(
            self.order_desk.functions.execute(list(orders), [update]), value=self.fee([update]), gas=GAS_LIMIT
        )
        for event in self.order_desk.events.Cancelled().process_receipt(receipt, errors=DISCARD):
            raise RuntimeError(f"an order that should execute was cancelled: {event['args']['reason']}")
        return receipt

    def trade(self, trader: Wallet, *legs: tuple[int, int], **usd: float) -> TxReceipt:
        """Request and execute; the receipt of the execution."""
        return self.execute(self.request(trader, *legs)[1], **usd)

    # The market

    def calls_on(self, underlying: str) -> list[int]:
        """Series ids of the calls on an underlying, by strike: they were listed call, put, call, ..."""
        first = 2 * sum(len(STRIKES[name]) for name in UNDERLYINGS[: UNDERLYINGS.index(underlying)])
        return self.series[first : first + 2 * len(STRIKES[underlying]) : 2]

    def largest_face(self, trader: Wallet, series: Sequence[int], side: int) -> int:
        """The largest face, to 1%, at which the trader's account can open all of `series` on one side."""
        word = [call(self.oracle.functions.word(id_)) & (2**64 - 1) for id_ in (0, 1)]

        def fits(face: int) -> bool:
            legs = [(id_, side * face) for id_ in series] + [(0, 0)] * (MAX_LEGS - len(series))
            trade = self.clearing_house.functions.trade(account_of(trader), legs, word, NO_LIMIT, NO_LIMIT, False)
            try:
                call(trade, {"from": self.order_desk.address, "gas": GAS_LIMIT})
            except Reverted as error:
                if error.reason not in ("trade: below initial margin", "trade: bankrupt"):
                    raise
                return False
            return True

        low, high = FACE, 20 * MARGIN
        while high > low * 101 // 100:
            middle = (low + high) // 2
            low, high = (middle, high) if fits(middle) else (low, middle)
        return low

    def is_liquidatable(self, trader: Wallet) -> bool:
        """Whether account 0 is below maintenance at the stored price."""
        (health,) = call(self.lens.functions.health(self.clearing_house.address, [account_of(trader)]))
        return dict(zip(_fields(self.lens, "health"), health, strict=True))["is_liquidatable"]

    def remove_half(self) -> int:
        """Close every leg in the market's second half of series and delist those; how many there are."""
        half = len(self.series) // 2
        for holder in self.holders:
            held = words.legs(call(self.clearing_house.functions.account(account_of(holder)))[2])
            closing = [(leg.series, -leg.units) for leg in held if leg.series > half]
            if closing:
                self.trade(holder, *closing)
        listing = self.series_listing.functions
        for wait, leave in ((UNUSED_WAIT, listing.give_notice), (NOTICE_DELAY, listing.delist)):
            self.move(after=wait)
            for id_ in self.series[half:]:
                self.keeper.transact(leave(id_))
        return len(self.series) - half

    def request_deposit(self) -> None:
        """A new LP asks to deposit into the main pool."""
        lp = self.actor()
        lp.transact(self.vault.functions.approve(self.main_pool.address, MARGIN))
        lp.transact(self.main_pool.functions.requestDeposit(MARGIN, lp.address, lp.address))

    def check_partial(self, receipt: TxReceipt) -> None:
        """Raise unless the receipt's one liquidation closed part of the account: what is measured is that."""
        (event,) = self.clearing_house.events.Liquidated().process_receipt(receipt, errors=DISCARD)
        if event["args"]["fraction"] >= TOKEN:
            raise RuntimeError("the liquidation to be measured closed the whole account")

    def check_deleveraged(self, receipt: TxReceipt) -> None:
        """Raise unless the receipt's checkpoint scaled the book down."""
        if not self.risk_book.events.Deleveraged().process_receipt(receipt, errors=DISCARD):
            raise RuntimeError("the checkpoint to be measured did not deleverage")

    # Gas

    def without_prices(self, receipt: TxReceipt) -> int:
        """Gas of a transaction less what bringing prices cost: the oracle's calls, and the updates' bytes in the calldata.

        The oracle leaves its slots warm for what follows, which is worth some 7,000 gas and not taken back.
        """
        trace = self.chain.rpc("debug_traceTransaction", receipt["transactionHash"].to_0x_hex(), {"tracer": "callTracer"})
        oracle = self.oracle.address.lower()
        bringing = {
            function_abi_to_4byte_selector(self.oracle.get_function_by_name(name).abi).hex()
            for name in ("update", "first_prices")
        }
        calls = [f for f in _frames(trace) if f.get("to") == oracle and f["input"][2:10] in bringing]
        return receipt["gasUsed"] - sum(int(f["gasUsed"], 16) for f in calls) - calldata_gas(self.last_update)


def calldata_gas(data: bytes) -> int:
    """What bytes of calldata cost: 4 gas a zero, 16 any other (EIP-2028)."""
    return sum(16 if byte else 4 for byte in data)


def _frames(trace: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A call and all calls inside it."""
    yield trace
    for inner in trace.get("calls", ()):
        yield from _frames(inner)


def _fields(contract: Contract, function: str) -> list[str]:
    """Names of the fields of the struct, or of the list of structs, that a function returns."""
    (output,) = contract.get_function_by_name(function).abi["outputs"]
    return [component["name"] for component in output["components"]]


def _terms(order: Any) -> tuple[Any, ...]:
    """An order out of its event, as `execute` takes it."""
    fields = dict(order)
    fields["legs"] = [(leg["series"], leg["face"]) for leg in order["legs"]]
    return tuple(fields.values())


@contextmanager
def stage() -> Iterator[Stage]:
    """A fork with a market to measure on."""
    with devnet.fork(prices={name: price(usd) for name, usd in OPENING.items()}) as chain:
        yield build(chain)


def build(chain: devnet.Chain) -> Stage:
    """One market on a chain whose prices are `OPENING`: both pools funded, 32 series open on both sides.

    From then on the chain's time moves only as told.
    """
    chain.stop_clock()
    owner = chain.wallet(0)
    built = Stage(chain, launch(owner, [STOCK], custodian=owner.address))
    _mint(built)
    _fill_pools(built)
    built.keeper.transact(built.clearing_house.functions.checkpoint())
    for underlying, strikes in STRIKES.items():
        for strike in strikes:
            for is_put in (False, True):
                listing = built.series_listing.functions.list_series(UNDERLYINGS.index(underlying), price(strike), is_put)
                built.owner.transact(listing)
                built.series.append(len(built.series) + 1)
    _open(built)
    return built


def _mint(built: Stage) -> None:
    """The owner, who is also custodian and a participant here, mints what everybody needs."""
    owner, vault = built.owner, built.vault
    owner.transact(vault.functions.set_participant(owner.address, True))
    attestation = Attestation(
        participant=owner.address,
        amount=10 * (MAIN_CAPITAL + INSURANCE_CAPITAL),
        custody_reference=b"\1" * 32,
        nonce=1,
        deadline=built.chain.now + 3_600,
    )
    domain = VaultDomain.from_eip5267(call(vault.functions.eip712Domain()))
    signature = sign(attestation, domain, owner.account.key)
    fields = (
        attestation.participant,
        attestation.amount,
        attestation.custody_reference,
        attestation.nonce,
        attestation.deadline,
    )
    owner.transact(vault.functions.mint_in_kind(fields, signature))


def _fill_pools(built: Stage) -> None:
    for pool, capital in ((built.main_pool, MAIN_CAPITAL), (built.insurance_pool, INSURANCE_CAPITAL)):
        built.owner.transact(built.vault.functions.approve(pool.address, 2**256 - 1))
        built.owner.transact(pool.functions.requestDeposit(capital, built.owner.address, built.owner.address))
    built.move(after=DEPOSIT_WAIT)
    for pool in (built.main_pool, built.insurance_pool):
        built.keeper.transact(pool.functions.fulfil(1, 0))


def _open(built: Stage) -> None:
    """Every series gets a long and a short, of different holders, eight legs to each holder."""
    built.holders = [built.trader() for _ in range(HOLDERS)]
    built.move()
    for number, holder in enumerate(built.holders):
        # The first half of the holders buy all series, eight each; the second half write them.
        side = 1 if number < HOLDERS // 2 else -1
        first = 8 * (number % (HOLDERS // 2))
        built.trade(holder, *[(id_, side * FACE) for id_ in built.series[first : first + 8]])
    # Two moves, so that no gain index is at its first value.
    built.move(BTC=built.index["BTC"] * 1.001, ETH=built.index["ETH"] * 1.001)
    built.keeper.transact(built.clearing_house.functions.checkpoint())
    built.move(BTC=built.index["BTC"] * 1.001, ETH=built.index["ETH"] * 1.001)
    built.keeper.transact(built.clearing_house.functions.checkpoint())
