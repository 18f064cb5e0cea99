"""Packed words, and the integers they are made of."""

from collections.abc import Sequence
from typing import Final

from everstock.proofs.properties import Proof, Sweep

_ANY: Final = "any storage before"
# How many keys RiskParameters has. halmos cannot follow an array's index that it does not know.
_COUNT: Final = 21
_KEYS: Final = tuple({"key": key} for key in range(_COUNT))
_PAIRS: Final = tuple({"key": key, "other": other} for key in range(_COUNT) for other in range(_COUNT) if key != other)
_WIDTHS: Final = tuple({"width": width} for width in range(1, 256))


def _word(claim: str, function: str, bounds: str, reason: str = "", seconds: float = 60) -> Proof:
    return Proof(claim, "WordProofs", function, bounds, reason=reason, seconds=seconds)


def _ledger(claim: str, function: str, bounds: str, reason: str = "") -> Proof:
    return Proof(claim, "LedgerProofs", function, bounds, reason=reason)


def _pool(claim: str, function: str, bounds: str, reason: str = "") -> Proof:
    return Proof(claim, "PoolProofs", function, bounds, reason=reason)


PROPERTIES: Final[Sequence[Proof | Sweep]] = (
    _word("leg: what is packed is unpacked", "check_leg", "series 16 bits, units 113, G 127, both signed"),
    _word("leg: every bit has a meaning", "check_leg_word", "every word"),
    _word("series: three words give it back", "check_series", f"every field to its full width, every id, {_ANY}"),
    _word("series: the short way to load one that is held", "check_series_held", f"the same, {_ANY}"),
    _word("series: no other series, count or list changes", "check_series_alone", f"every two ids, {_ANY}"),
    _word(
        "series: a side beyond 112 bits is refused",
        "refuse_series_too_large",
        f"every one, {_ANY}",
        "trade: face too large",
    ),
    _word(
        "exposure: two words give it back, the other underlying's stay",
        "check_exposure",
        f"losses and delta within +-(2^63 - 1), {_ANY}",
    ),
    _word("totals: given back, or the most that fits", "check_totals", f"any sums, open legs 32 bits, {_ANY}"),
    _word("state: given back, a depth too large saturates", "check_state", f"fields to their width, any depth, {_ANY}"),
    _word("queued redemptions: anchors and state do not notice", "check_queued_redemptions", f"any amount, {_ANY}"),
    _word(
        "anchors: replaced once a window old, queued redemptions stay",
        "check_anchors",
        f"prices 64 bits, any time, {_ANY}",
        seconds=120,
    ),
    _ledger("purse: given back, no other account notices", "check_purse", f"112 bits each, every two accounts, {_ANY}"),
    _ledger("purse: with its number of legs", "check_purse_count", f"112 bits each, 0 to 8 legs, {_ANY}"),
    _ledger("account: stored over another, it is what was stored last", "check_account", f"up to two legs, {_ANY}"),
    _ledger(
        "purse: an amount beyond 112 bits is refused",
        "refuse_purse_too_large",
        f"every one, {_ANY}",
        "clearing_house: amount too large",
    ),
    _ledger("cash added: claim and legs stay", "check_add_cash", "every sum below 2^112"),
    _ledger(
        "cash added: a sum beyond 112 bits is refused",
        "refuse_add_cash_too_much",
        f"every amount below 2^255, {_ANY}",
        "clearing_house: amount too large",
    ),
    _ledger("main and backstop: given back, neither touches the other", "check_ledgers", f"128 bits each, {_ANY}"),
    _ledger("main: beyond 128 bits refused", "refuse_ledgers_too_large", "every one", "clearing_house: amount too large"),
    _ledger("backstop: the same", "refuse_backstop_too_large", "every one", "clearing_house: amount too large"),
    _pool("pool pair: given back", "check_pair", "assets 112 bits, shares 144"),
    _pool("pool pair: beyond them refused", "refuse_pair_too_large", "every one", "pool: amount too large"),
    _pool("pool pair: more and less of it", "check_pair_sums", "every sum within the widths"),
    _pool("pool ticket: given back, with the time", "check_ticket", "any controller, any time"),
    _pool("pool queue: given back", "check_queue", f"counts 40 bits, redemptions 96, {_ANY}"),
    _word("parameters: sixteen rates, three limits and two carries", "check_parameters", "every field to its full width"),
    Proof(
        "RiskParameters: what is set is read back",
        "ParameterProofs",
        "check_set",
        f"all {_COUNT} keys inside their bounds, {_ANY}",
        cases=_KEYS,
    ),
    Proof(
        "RiskParameters: no other parameter changes",
        "ParameterProofs",
        "check_others_stay",
        f"every two keys, {_ANY}",
        cases=_PAIRS,
    ),
    Proof(
        "RiskParameters: out of bounds refused",
        "ParameterProofs",
        "refuse_out_of_bounds",
        f"all {_COUNT} keys, every amount of 256 bits, {_ANY}",
        cases=_KEYS,
        reason="risk_parameters: out of bounds",
    ),
    Proof(
        "RiskParameters: nobody but the owner",
        "ParameterProofs",
        "refuse_others",
        f"any owner but the caller, {_ANY}",
        cases=_KEYS,
        reason="ownable: caller is not the owner",
    ),
    Proof(
        "PriceOracle: variances leave price, time and restriction alone",
        "OracleProofs",
        "check_variances",
        f"every two underlyings, {_ANY}",
    ),
    Proof("PriceOracle: a feed's three words give it back", "OracleProofs", "check_feed", f"inside its bounds, {_ANY}"),
    Proof("oracle word: read as it is laid out", "OracleProofs", "check_terms", "every field to its full width"),
)

INTEGERS: Final[Sequence[Proof | Sweep]] = (
    Proof("floor of a division", "IntegerProofs", "check_floor_div", "numbers within +-2^254", "integers"),
    Proof("ceiling of a division", "IntegerProofs", "check_ceil_div", "numbers within +-2^254", "integers"),
    Proof(
        "signed undoes unsigned",
        "IntegerProofs",
        "check_signed_undoes_unsigned",
        "widths 1 to 255, every number that fits",
        cases=_WIDTHS,
    ),
    Proof(
        "signed reads its own bits alone",
        "IntegerProofs",
        "check_signed_reads_only_its_bits",
        "widths 1 to 255, every word",
        cases=_WIDTHS,
    ),
    Proof(
        "unsigned cuts off what does not fit", "IntegerProofs", "check_unsigned_cuts", "widths 1 to 255", cases=_WIDTHS
    ),
    Proof("size is the absolute value", "IntegerProofs", "check_size", "every number"),
    Proof("difference of two unsigned", "IntegerProofs", "check_difference", "both below 2^255"),
)
