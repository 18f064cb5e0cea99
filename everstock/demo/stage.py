"""All that must be there before the first price: the chain, a deployment, stock tokens, pools with LPs, series, margin.

Every step is a transaction that anybody in that role would send: the custodian attests, a broker mints and hands on,
LPs request deposits that the keeper fulfils and claim their shares, traders pay in margin.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Final

from eth_account.signers.local import LocalAccount
from web3.contract import Contract

from everstock.chain import devnet
from everstock.chain.attestation import Attestation, VaultDomain, sign
from everstock.chain.deployment import PRICE_BANDS, UNDERLYINGS, base_feeds
from everstock.chain.devnet import Chain
from everstock.chain.feeds import DEVNET_OPERATOR, ROUND_GAS
from everstock.chain.hermes import HermesServer
from everstock.chain.launch import Stock, launch
from everstock.chain.manifest import Manifest
from everstock.chain.transactions import Wallet, call
from everstock.demo import cast, keeper_process, strikes
from everstock.demo.cast import Profile, Provider
from everstock.demo.chronicle import Chronicle
from everstock.demo.driver import BLOCK_SECONDS, Driver
from everstock.demo.keeper_process import KeeperProcess
from everstock.demo.reader import Reader, account_of
from everstock.parameters import MarketParameters
from everstock.replay.ticks import DECIMALS, Tick

TOKEN: Final = 10**18

# The two stocks. Prices are round numbers of the order of 2025's: they set a market's least amounts (margin, face,
# reward) and how many tokens a trader of so many dollars has; no price of a stock is used anywhere else.
STOCKS: Final = (
    Stock("TSLA.M", "Tesla, tokenized", price_usd=400.0, daily_limit=10_000_000 * TOKEN),
    Stock("NVDA.M", "NVIDIA, tokenized", price_usd=180.0, daily_limit=10_000_000 * TOKEN),
)
# Dollars at those prices: what LPs bring, for each thousand dollars of traders' margin.
MAIN_PER_MARGIN: Final = 4_500
INSURANCE_PER_MARGIN: Final = 250

# Wallets of the chain, by what they do; LPs and traders follow.
OWNER, CUSTODIAN, BROKER, KEEPER, LISTER, FIRST_ACTOR = range(6)

# Seconds from the first block to the replay's first price, and of it from an LP's request to its execution.
REHEARSAL: Final = 1_800
DEPOSIT_WAIT: Final = 600
# Seconds that starting a chain may take on its own clock before the rehearsal begins.
SLACK: Final = 600
NO_LIMIT: Final = 2**127 - 1
FOREVER: Final = 2**256 - 1

# Gas limits, roomy: what is not used is not paid.
TRANSFER_GAS: Final = 150_000
DEPOSIT_GAS: Final = 250_000
POOL_GAS: Final = 500_000
MINT_GAS: Final = 500_000
LISTING_GAS: Final = 800_000
OWNER_GAS: Final = 400_000


@dataclass(frozen=True)
class Actor:
    """Somebody with a key, and the account 0 of that key at a clearing house."""

    account: LocalAccount

    @property
    def address(self) -> str:
        return self.account.address

    @property
    def id(self) -> int:
        return account_of(self.account.address)


@cache
def wallet(index: int) -> Actor:
    """One of the chain's own wallets."""
    return Actor(devnet.account(index))


@dataclass
class Stage:
    """Everything a replay acts on. `offset` turns episode time into chain time."""

    chain: Chain
    manifest: Manifest
    driver: Driver
    chronicle: Chronicle
    reader: Reader
    offset: int
    parameters: Mapping[str, MarketParameters]
    traders: Sequence[tuple[Profile, Actor]]
    providers: Sequence[tuple[Provider, Actor]]
    contracts: Mapping[str, Mapping[str, Contract]]
    keeper: KeeperProcess | None = None
    prices: dict[str, int] = field(default_factory=dict)

    def accounts(self) -> dict[str, list[int]]:
        """Accounts of all traders by market, and the keeper's, to which its rewards go."""
        keeper = wallet(KEEPER).id
        found: dict[str, list[int]] = {market.symbol: [] for market in self.manifest.markets}
        for profile, actor in self.traders:
            found[profile.market].append(actor.id)
        return {symbol: [*ids, keeper] for symbol, ids in found.items()}

    def publish(self, prices: Mapping[str, int], time: int, *, chainlink: bool = True) -> None:
        """Prices of that chain time: signed for Pyth, and with `chainlink` a round each in the next block."""
        self.prices = dict(prices)
        feeds = self.chain.feeds
        if chainlink:
            for name, price in prices.items():
                round_ = feeds.chainlink[name].functions.publish(price, time, time)
                self.driver.send(DEVNET_OPERATOR, round_, gas=ROUND_GAS)
        feeds.publish(prices, time)


@contextmanager
def opened(
    ticks: Sequence[Tick],
    *,
    traders: int,
    seed: int,
    out: Path,
    say: Callable[[str], None] = lambda line: None,
    show: Callable[[Chain], None] = lambda chain: None,
) -> Iterator[Stage]:
    """A stage on a fresh chain, ready for the first of `ticks`; the keeper follows it, and all of it ends with the
    context.

    Without BASE_RPC_URL the chain begins shortly before the episode; a fork of Base is in the present, and the
    episode is moved there. `say` is told each step, `show` gets the chain once it runs.
    """
    symbols = [stock.symbol for stock in STOCKS]
    profiles = cast.traders([(stock.symbol, stock.price_usd) for stock in STOCKS], traders, seed)
    with ExitStack() as stack:
        say("starting the chain")
        accounts = FIRST_ACTOR + 4 * len(STOCKS) + traders
        chain = _chain(stack, ticks[0], accounts)
        show(chain)
        offset = _offset(chain, ticks[0])
        if offset:
            say(f"the chain is in the present: the episode is moved there, by {offset / 86_400:,.0f} days")
        begin = ticks[0].time + offset - REHEARSAL
        chain.mine(begin)
        chain.rpc("anvil_setBlockTimestampInterval", BLOCK_SECONDS)
        manifest, parameters = _deployed(chain, ticks, say)
        manifest.save(out / "manifest.json")
        chain.rpc("anvil_removeBlockTimestampInterval")

        chronicle = Chronicle(chain, manifest)
        stage = Stage(
            chain=chain,
            manifest=manifest,
            driver=Driver(chain, chronicle),
            chronicle=chronicle,
            reader=Reader(chain.w3, manifest),
            offset=offset,
            parameters=parameters,
            traders=_actors(profiles, FIRST_ACTOR + 4 * len(STOCKS)),
            providers=_actors([lp for symbol in symbols for lp in _providers(symbol, profiles)], FIRST_ACTOR),
            contracts={
                market.symbol: {role: market.contract(chain.w3, role) for role in _ROLES} for market in manifest.markets
            },
        )
        stage.driver.begin()
        say("starting the keeper")
        hermes = stack.enter_context(HermesServer(chain.publisher))
        port = keeper_process.free_port()
        command = keeper_process.command(out / "manifest.json", chain.url, hermes.url, KEEPER, port)
        stage.keeper = stack.enter_context(KeeperProcess(command, port, out / "keeper.log"))
        stage.driver.keeper = stage.keeper
        _prepare(stage, ticks[0], say)
        yield stage


_ROLES: Final = (
    "vault",
    "risk_book",
    "clearing_house",
    "main_pool",
    "insurance_pool",
    "order_desk",
    "series_listing",
)


def _offset(chain: Chain, first: Tick) -> int:
    """From episode time to chain time: none if the chain is early enough, as one that began for it is."""
    if chain.now <= first.time - REHEARSAL:
        return 0
    return chain.now + REHEARSAL + SLACK - first.time


def _chain(stack: ExitStack, first: Tick, accounts: int) -> Chain:
    upstream: Chain | str | None = os.environ.get(devnet.BASE_RPC_URL)
    if not upstream:
        timestamp = first.time - REHEARSAL - SLACK
        upstream = stack.enter_context(devnet.lookalike(first.prices, timestamp=timestamp, accounts=accounts))
    return stack.enter_context(devnet.fork(upstream, accounts=accounts))


def _deployed(
    chain: Chain, ticks: Sequence[Tick], say: Callable[[str], None]
) -> tuple[Manifest, dict[str, MarketParameters]]:
    parameters = {stock.symbol: MarketParameters.preset(stock.price_usd, 18) for stock in STOCKS}
    owner = chain.wallet(OWNER)
    manifest = launch(
        owner,
        STOCKS,
        custodian=wallet(CUSTODIAN).address,
        parameters=lambda stock: parameters[stock.symbol],
        progress=lambda step: say(f"deploying: {step}"),
    )
    _widen_bands(owner, manifest, ticks)
    return manifest, parameters


def _widen_bands(owner: Wallet, manifest: Manifest, ticks: Sequence[Tick]) -> None:
    """The oracle's fixed bands are for today's prices; old episodes need other ones."""
    oracle = manifest.oracle_contract(owner.w3)
    for id_, name in enumerate(UNDERLYINGS):
        lowest, highest = (pick(tick.prices[name] for tick in ticks) for pick in (min, max))
        low, high = (bound * 10**DECIMALS for bound in PRICE_BANDS[name])
        if lowest < 2 * low or highest > high // 2:
            feed = replace(base_feeds()[id_], min_price=lowest // 10, max_price=highest * 10)
            owner.transact(oracle.functions.set_feed(id_, *feed.arguments()))


def _actors(people: Sequence, first: int) -> list[tuple]:
    return [(person, wallet(first + number)) for number, person in enumerate(people)]


def _providers(symbol: str, profiles: Sequence[Profile]) -> list[Provider]:
    margin = sum(profile.margin for profile in profiles if profile.market == symbol)
    return cast.providers([symbol], margin * MAIN_PER_MARGIN // 1_000, margin * INSURANCE_PER_MARGIN // 1_000)


def _prepare(stage: Stage, first: Tick, say: Callable[[str], None]) -> None:
    driver = stage.driver
    stage.publish(first.prices, driver.now + BLOCK_SECONDS)
    driver.burst()
    say("custodian, broker and tokens")
    _mint(stage)
    say("LPs and traders bring their tokens")
    _hand_out(stage)
    _pay_in(stage)
    say("the keeper fulfils the LPs' requests")
    time = driver.now + DEPOSIT_WAIT
    stage.publish(first.prices, time)
    driver.burst(time)
    _claim_shares(stage)
    say("listing series around the money")
    _list_ladder(stage, first)


def _mint(stage: Stage) -> None:
    owner, broker, custodian = (wallet(index).account for index in (OWNER, BROKER, CUSTODIAN))
    for contracts in stage.contracts.values():
        stage.driver.send(owner, contracts["vault"].functions.set_participant(broker.address, True), gas=OWNER_GAS)
    stage.driver.burst()
    for number, (symbol, contracts) in enumerate(stage.contracts.items(), start=1):
        vault = contracts["vault"]
        attestation = Attestation(
            participant=broker.address,
            amount=_handed_out(stage, symbol) * TOKEN,
            custody_reference=number.to_bytes(32, "big"),
            nonce=number,
            deadline=stage.driver.now + 3_600,
        )
        domain = VaultDomain.from_eip5267(call(vault.functions.eip712Domain()))
        signature = sign(attestation, domain, custodian.key)
        stage.driver.send(broker, vault.functions.mint_in_kind(attestation.as_tuple(), signature), gas=MINT_GAS)
    stage.driver.burst()


def _handed_out(stage: Stage, symbol: str) -> int:
    """Whole tokens that LPs and traders of a market bring."""
    deposits = sum(provider.deposit for provider, _ in stage.providers if provider.market == symbol)
    return deposits + sum(profile.margin for profile, _ in stage.traders if profile.market == symbol)


def _hand_out(stage: Stage) -> None:
    broker = wallet(BROKER).account
    people = [(one.market, actor, one.deposit) for one, actor in stage.providers]
    people += [(one.market, actor, one.margin) for one, actor in stage.traders]
    for market, actor, tokens in people:
        transfer = stage.contracts[market]["vault"].functions.transfer(actor.address, tokens * TOKEN)
        stage.driver.send(broker, transfer, gas=TRANSFER_GAS)
    stage.driver.burst()


def _pay_in(stage: Stage) -> None:
    """LPs request deposits, traders deposit margin."""
    spenders = [(one.market, actor, one.pool) for one, actor in stage.providers]
    spenders += [(one.market, actor, "clearing_house") for one, actor in stage.traders]
    for market, actor, role in spenders:
        contracts = stage.contracts[market]
        approve = contracts["vault"].functions.approve(contracts[role].address, FOREVER)
        stage.driver.send(actor.account, approve, gas=TRANSFER_GAS)
    stage.driver.burst()
    for provider, actor in stage.providers:
        pool = stage.contracts[provider.market][provider.pool]
        request = pool.functions.requestDeposit(provider.deposit * TOKEN, actor.address, actor.address)
        stage.driver.send(actor.account, request, gas=POOL_GAS)
    for profile, actor in stage.traders:
        house = stage.contracts[profile.market]["clearing_house"]
        stage.driver.send(actor.account, house.functions.deposit(actor.id, profile.margin * TOKEN), gas=DEPOSIT_GAS)
    stage.driver.burst()


def _claim_shares(stage: Stage) -> None:
    for provider, actor in stage.providers:
        pool = stage.contracts[provider.market][provider.pool]
        # ERC-7540's deposit: of a request that was executed, its shares.
        claim = pool.get_function_by_signature("deposit(uint256,address)")(provider.deposit * TOKEN, actor.address)
        stage.driver.send(actor.account, claim, gas=POOL_GAS)
    stage.driver.burst()


def _list_ladder(stage: Stage, first: Tick) -> None:
    lister = wallet(LISTER).account
    stage.publish(first.prices, stage.driver.now + BLOCK_SECONDS)
    # A keeper does not store prices that nobody needs yet.
    oracle = stage.manifest.oracle_contract(stage.chain.w3).functions
    blobs = stage.chain.publisher.blobs(stage.manifest.pyth_ids)
    ids = list(range(len(UNDERLYINGS)))
    stage.driver.send(lister, oracle.update(ids, blobs), value=call(oracle.update_fee(blobs)), gas=OWNER_GAS)
    for contracts in stage.contracts.values():
        listing = contracts["series_listing"].functions
        for id_, name in enumerate(UNDERLYINGS):
            for strike in strikes.ladder(first.prices[name] / 10**DECIMALS):
                for is_put in (False, True):
                    listed = listing.list_series(id_, round(strike * 10**DECIMALS), is_put)
                    stage.driver.send(lister, listed, gas=LISTING_GAS)
    stage.driver.burst()
