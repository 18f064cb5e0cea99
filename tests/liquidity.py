"""A pool as its liquidity providers see it: whole round trips in one call, for tests that are about something else.

Amounts are raw units of M, shares raw units of shares.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from boa.contracts.vyper.vyper_contract import VyperContract

from everstock.chain.in_process import Protocol

DEPOSIT_WAIT: Final = 600
REDEMPTION_WAIT: Final = 3 * 86_400
MAX_WAIT: Final = 7 * 86_400
MAX_BATCH: Final = 64
VIRTUAL_SHARES: Final = 10**6
NEVER: Final = 2**256 - 1
ZERO_ADDRESS: Final = "0x" + 40 * "0"


@dataclass
class Pool:
    """One pool of a market. Unknown attributes are the contract's."""

    protocol: Protocol
    contract: VyperContract

    def __getattr__(self, name: str) -> Any:
        return getattr(self.contract, name)

    @property
    def minimum(self) -> int:
        """The least a request must be worth."""
        return self.protocol.parameters.min_margin

    def provider(self, name: str, tokens: float = 1_000) -> str:
        """An actor with whole tokens, approved for the pool."""
        provider = self.protocol.actor(name)
        self.protocol.token.mint(provider, round(tokens * self.protocol.unit))
        self.protocol.token.approve(self.contract.address, 2**256 - 1, sender=provider)
        return provider

    def request_deposit(self, provider: str, assets: int) -> int:
        """A deposit request of one's own; returns its ticket."""
        self.contract.requestDeposit(assets, provider, provider, sender=provider)
        return self.contract.queue().deposits_given

    def request_redeem(self, provider: str, shares: int) -> int:
        """A redemption request of one's own; returns its ticket."""
        self.contract.requestRedeem(shares, provider, provider, sender=provider)
        return self.contract.queue().redemptions_given

    def pass_deposit_wait(self, **usd: float) -> None:
        """Let a deposit's wait pass and store a price published at its end."""
        self.protocol.set_prices(after=DEPOSIT_WAIT, **usd)

    def pass_redemption_wait(self, **usd: float) -> None:
        """Let a redemption's wait pass and store a price published at its end."""
        self.protocol.set_prices(after=REDEMPTION_WAIT, **usd)

    def enter(self, provider: str, assets: int) -> int:
        """Request, wait, fulfil and claim; returns the shares."""
        self.request_deposit(provider, assets)
        self.pass_deposit_wait()
        self.contract.fulfil(MAX_BATCH, 0)
        return self.contract.deposit(self.contract.maxDeposit(provider), provider, provider, sender=provider)

    def leave(self, provider: str, shares: int) -> int:
        """Request, wait, fulfil and claim; returns the tokens."""
        self.request_redeem(provider, shares)
        self.pass_redemption_wait()
        self.contract.fulfil(0, MAX_BATCH)
        return self.contract.redeem(self.contract.maxRedeem(provider), provider, provider, sender=provider)

    def gain(self, assets: int) -> None:
        """Let the pool earn: its ledger grows and nobody gets shares."""
        self.protocol.endow(self.contract.address, Fraction(assets, self.protocol.unit))

    def lose(self, assets: int) -> None:
        """Let the pool lose: its ledger shrinks and the tokens lie in the pool as if donated."""
        self.protocol.clearing_house.pool_withdraw(assets, sender=self.contract.address)

    def price(self) -> Fraction:
        """Share price, exact, as the pool's formulas have it."""
        return Fraction(self.contract.totalAssets() + 1, self.contract.totalSupply() + VIRTUAL_SHARES)

    def open_settle_window(self) -> None:
        """Move an index by more than half the pool shock from its anchor, and checkpoint."""
        self.protocol.set_prices(after=1, BTC=self.protocol.index["BTC"] * 0.85)
        self.protocol.clearing_house.checkpoint()

    def tokens(self) -> int:
        """What the pool itself holds of M."""
        return self.protocol.token.balanceOf(self.contract.address)


def pools(protocol: Protocol) -> Mapping[str, Pool]:
    """Both pools of a market by name."""
    return {
        "main": Pool(protocol, protocol.main_pool),
        "insurance": Pool(protocol, protocol.insurance_pool),
    }
