"""Everything that anyone can do to a market, told to the contracts and to the model alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from everstock.chain import addresses
from everstock.chain.deployment import UNDERLYINGS
from everstock.chain.in_process import MAX_LEGS, NO_LIMIT, account_of, price
from everstock.chain.publisher import cut
from everstock.model.pool_shares import Pool
from everstock.model.price_oracle import Published
from everstock.model.reverts import Revert
from everstock.model.risk_book import OrderLeg
from tests.stateful.mirror import PURSE, Mirror

ZERO_ADDRESS: Final = "0x" + 40 * "0"


@dataclass
class Actions(Mirror):
    """Actors are addresses; amounts raw units of M; each returns what both did, or the `Revert` of both."""

    def actor(self, name: str) -> str:
        """An address with ether and more tokens than it needs, which the market's contracts may take."""
        address = self.protocol.actor(name)
        self.protocol.token.mint(address, PURSE * self.protocol.unit)
        for spender in (self.protocol.clearing_house, self.protocol.main_pool, self.protocol.insurance_pool):
            self.protocol.token.approve(spender.address, 2**256 - 1, sender=address)
        return address

    # Margin

    def deposit(self, account: int, amount: int, sender: str) -> Any:
        house = self.protocol.clearing_house
        return self.tell(
            "deposit",
            house,
            lambda: house.deposit(account, amount, sender=sender),
            self.model.house.deposit,
            account,
            amount,
            self.model.desk.live_until(account),
        )

    def withdraw(self, account: int, amount: int, sender: str) -> Any:
        house = self.protocol.clearing_house
        return self.tell(
            "withdraw",
            house,
            lambda: house.withdraw(account, amount, sender, sender=sender),
            self.model.house.withdraw,
            account,
            amount,
            self.model.desk.live_until(account),
        )

    def settle(self, account: int) -> Any:
        house = self.protocol.clearing_house
        return self.tell("settle", house, lambda: house.settle(account), self.model.house.settle, account)

    def pay_claim(self, account: int) -> Any:
        house = self.protocol.clearing_house
        return self.tell("pay claim", house, lambda: house.pay_claim(account), self.model.house.pay_claim, account)

    # The market

    def checkpoint(self) -> Any:
        house = self.protocol.clearing_house
        return self.tell("checkpoint", house, house.checkpoint, self.model.house.checkpoint)

    def trade(
        self,
        account: int,
        legs: Sequence[tuple[int, int]],
        *,
        own_prices: Sequence[int] | None = None,
        limit: int = NO_LIMIT,
        mark_limit: int = NO_LIMIT,
        reduce_only: bool = False,
        name: str = "trade",
    ) -> Any:
        """Trade (series, face) legs as the order desk would, at the latest prices unless `own_prices` are given."""
        house = self.protocol.clearing_house
        if own_prices is None:
            own_prices = [self.oracle.stored(id_).price for id_ in range(len(UNDERLYINGS))]
        padded = [*legs, *[(0, 0)] * (MAX_LEGS - len(legs))]
        return self.tell(
            name,
            house,
            lambda: house.trade(
                account, padded, list(own_prices), limit, mark_limit, reduce_only, sender=self.protocol.order_desk.address
            ),
            self.model.house.trade,
            account,
            [OrderLeg(series, face) for series, face in legs],
            own_prices,
            limit,
            mark_limit,
            reduce_only,
        )

    def liquidate(self, accounts: Sequence[int], by: str) -> Any:
        liquidator = self.protocol.liquidator
        return self.tell(
            "liquidate",
            liquidator,
            lambda: liquidator.liquidate(list(accounts), [], sender=by),
            self.model.liquidate,
            list(accounts),
            account_of(by),
        )

    # Terminal settlement and the treasury

    def resolve(self, accounts: Sequence[int]) -> Any:
        house = self.protocol.clearing_house
        return self.tell("resolve", house, lambda: house.resolve(list(accounts)), self.model.house.resolve, accounts)

    def finalize(self) -> Any:
        house = self.protocol.clearing_house
        return self.tell("finalize", house, house.finalize, self.model.finalize)

    def top_up(self, amount: int) -> Any:
        treasury = self.protocol.treasury
        return self.tell(
            "top up", treasury, lambda: treasury.top_up(amount, sender=self.protocol.owner), self.model.treasury.top_up, amount
        )

    def withdraw_treasury(self, amount: int) -> Any:
        treasury = self.protocol.treasury
        return self.tell(
            "withdraw treasury",
            treasury,
            lambda: treasury.withdraw(amount, self.protocol.owner, sender=self.protocol.timelock),
            self.model.treasury.withdraw,
            amount,
        )

    # Listing and parameters

    def list_series(self, underlying: int, strike_usd: float, is_put: bool) -> Any:
        listing = self.protocol.series_listing
        terms = (underlying, price(strike_usd), is_put)
        return self.tell(
            "list", listing, lambda: listing.list_series(*terms), self.model.listing.list_series, *terms
        )

    def listing(self, action: str, series: int) -> Any:
        """`delist`, `give_notice`, `lift_notice` or `retire`."""
        listing = self.protocol.series_listing
        return self.tell(
            action.replace("_", " "),
            listing,
            lambda: getattr(listing, action)(series),
            getattr(self.model.listing, action),
            series,
        )

    def set_parameter(self, key: int, amount: int) -> Any:
        contract = self.protocol.risk_parameters
        return self.tell(
            "set parameter",
            contract,
            lambda: contract.set_parameter(key, amount, sender=self.protocol.timelock),
            self.model.set_parameter,
            key,
            amount,
        )

    def set_variances(self, underlying: int, fast: int, slow: int) -> Any:
        contract = self.protocol.oracle
        return self.tell(
            "set variances",
            contract,
            lambda: contract.set_variances(underlying, fast, slow, sender=self.protocol.owner),
            self.oracle.set_variances,
            underlying,
            fast,
            slow,
        )

    def appoint(self, appointed: bool) -> Any:
        """The owner lets the volatility oracle write variances, or writes them again."""
        contract = self.protocol.oracle
        writer = self.protocol.volatility_oracle.address if appointed else ZERO_ADDRESS
        contract.set_volatility_oracle(writer, sender=self.protocol.owner)
        self.oracle.appointed = appointed
        self.tally.done["appoint"] += 1

    def sample(self, latest: bool = False) -> Any:
        """Sample the first prices since the latest boundary, or the `latest` ones, if there are any."""
        ids = [addresses.PYTH_IDS[name] for name in UNDERLYINGS]
        try:
            found = self.protocol.publisher.select(ids, None if latest else self.volatility.boundary)
        except KeyError:
            return None
        fields = [(one.price, one.conf, one.expo, one.publish_time, one.prev_publish_time) for _, one in found]
        return self.tell(
            "sample",
            self.protocol.volatility_oracle,
            lambda: self.protocol.sample(*cut(found)),
            self.volatility.sample,
            {id_: Published(*values) for id_, values in enumerate(fields)},
        )

    # The pools, by name: "main_pool", "insurance_pool"

    def request_deposit(self, pool: str, lp: str, assets: int) -> Any:
        contract, model = self._pool(pool)
        return self.tell(
            f"{pool}: request deposit",
            contract,
            lambda: contract.requestDeposit(assets, lp, lp, sender=lp),
            model.request_deposit,
            lp,
            assets,
            same_result=False,
        )

    def request_redeem(self, pool: str, lp: str, shares: int) -> Any:
        contract, model = self._pool(pool)
        return self.tell(
            f"{pool}: request redeem",
            contract,
            lambda: contract.requestRedeem(shares, lp, lp, sender=lp),
            model.request_redeem,
            lp,
            shares,
            same_result=False,
        )

    def cancel_deposit(self, pool: str, ticket: int) -> Any:
        contract, model = self._pool(pool)
        request = model.deposits.tickets.get(ticket)
        by = str(request.controller) if request else self.protocol.operator
        return self.tell(
            f"{pool}: cancel deposit",
            contract,
            lambda: contract.cancel_deposit(ticket, by, sender=by),
            model.cancel_deposit,
            ticket,
        )

    def fulfil(self, pool: str, deposits: int, redemptions: int) -> Any:
        contract, model = self._pool(pool)
        return self.tell(
            f"{pool}: fulfil",
            contract,
            lambda: contract.fulfil(deposits, redemptions),
            model.fulfil,
            deposits,
            redemptions,
        )

    def claim(self, pool: str, kind: str, lp: str, amount: int) -> Any:
        """`deposit`, `mint`, `redeem` or `withdraw` what was executed."""
        contract, model = self._pool(pool)
        actions = {
            "deposit": model.claim_deposit,
            "mint": model.claim_shares,
            "redeem": model.claim_redemption,
            "withdraw": model.claim_assets,
        }
        return self.tell(
            f"{pool}: {kind}",
            contract,
            lambda: getattr(contract, kind)(amount, lp, lp, sender=lp),
            actions[kind],
            lp,
            amount,
        )

    def transfer_shares(self, pool: str, sender: str, receiver: str, shares: int) -> Any:
        contract, model = self._pool(pool)
        return self.tell(
            f"{pool}: transfer",
            contract,
            lambda: contract.transfer(receiver, shares, sender=sender),
            model.transfer,
            sender,
            receiver,
            shares,
            same_result=False,
        )

    def donate(self, contract: str, sender: str, amount: int) -> None:
        """Send tokens to a contract past its functions."""
        self.protocol.token.transfer(getattr(self.protocol, contract).address, amount, sender=sender)
        self.donated[contract] += amount
        self.tally.done["donate"] += 1

    def endow(self, pool: str, amount: int) -> Any:
        """A pool's ledger grows by tokens that nobody gets shares for."""
        house, address = self.protocol.clearing_house, getattr(self.protocol, pool).address
        self.protocol.token.mint(address, amount)
        action = self.model.house.main_deposit if pool == "main_pool" else self.model.house.insurance_deposit
        return self.tell(
            f"{pool}: gain", house, lambda: house.pool_deposit(amount, sender=address), action, amount
        )

    def bereave(self, pool: str, amount: int) -> Any:
        """A pool's ledger shrinks; the tokens lie in the pool as if donated."""
        house, address = self.protocol.clearing_house, getattr(self.protocol, pool).address
        action = self.model.house.main_withdraw if pool == "main_pool" else self.model.house.insurance_withdraw
        result = self.tell(
            f"{pool}: loss", house, lambda: house.pool_withdraw(amount, sender=address), action, amount
        )
        if not isinstance(result, Revert):
            self.donated[pool] += amount
        return result

    def _pool(self, name: str) -> tuple[Any, Pool]:
        return getattr(self.protocol, name), self.pools()[name]
