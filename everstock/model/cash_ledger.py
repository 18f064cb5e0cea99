"""The ledgers: main, insurance and treasury cash, the claims on main, and the few ways money moves between them and an
account. Amounts are raw units of M. The fourth ledger, the cash of accounts, lies in the accounts themselves."""

from dataclasses import dataclass


@dataclass
class Purse:
    """An account's side."""

    cash: int = 0
    claim: int = 0  # realised gains that main cash could not yet pay


@dataclass
class Ledgers:
    """The market's side."""

    main: int = 0
    claims: int = 0  # sum of all accounts' claims
    insurance: int = 0
    treasury: int = 0

    def realise(self, purse: Purse, gain: int, booked: bool) -> int:
        """Book an account's net gain: a loss takes the claim first, then cash; a gain joins the claim. Then the claim is paid
        as far as main cash allows, unless gains are `booked` for now. Returns the loss that nothing could bear."""
        loss = 0
        if gain >= 0:
            purse.claim += gain
            self.claims += gain
        else:
            forgiven = min(-gain, purse.claim)
            purse.claim -= forgiven
            self.claims -= forgiven
            collected = min(-gain - forgiven, purse.cash)
            purse.cash -= collected
            self.main += collected
            loss = -gain - forgiven - collected
        if not booked:
            self.pay_claim(purse)
        return loss

    def pay_claim(self, purse: Purse) -> None:
        """Pay a claim as far as main cash allows."""
        paid = min(purse.claim, self.main)
        purse.cash += paid
        purse.claim -= paid
        self.main -= paid
        self.claims -= paid

    def cover(self, loss: int) -> int:
        """Insurance pays main for a bankrupt account's loss, as far as it reaches; returns what it paid."""
        insured = min(loss, self.insurance)
        self.insurance -= insured
        self.main += insured
        return insured

    def sweep(self, insurance: int, treasury: int) -> None:
        """Move insurance's and treasury's share of fees and loads out of main cash."""
        self.main -= insurance + treasury
        self.insurance += insurance
        self.treasury += treasury
