"""A deployment at made-up addresses, and the logs of its events."""

from eth_abi import encode

from everstock.chain.manifest import Manifest, MarketManifest
from everstock.keeper.abi import Interface
from everstock.parameters import ORDER_DELAY


def address(number: int) -> str:
    return f"0x{number:040x}"


def manifest(*symbols: str) -> Manifest:
    """A deployment with markets of made-up addresses."""
    roles = [name for name in MarketManifest.model_fields if name not in ("symbol", "decimals", "underlyings", "order_delay")]
    markets = [
        MarketManifest(
            symbol=symbol,
            decimals=18,
            underlyings=[0, 1],
            order_delay=ORDER_DELAY,
            **{role: address(100 * (i + 1) + j) for j, role in enumerate(roles)},
        )
        for i, symbol in enumerate(symbols)
    ]
    shared = ("owner", "custodian", "oracle", "volatility_oracle", "lens", "timelock", "pyth", "multicall")
    return Manifest(
        chain_id=8453,
        first_block=1,
        underlyings=["BTC", "ETH"],
        pyth_ids=["0x01", "0x02"],
        markets=markets,
        **{name: address(i + 1) for i, name in enumerate(shared)},
    )


def word(value: int) -> str:
    return f"0x{value % 2**256:064x}"


def log(market: MarketManifest, role: str, contract: str, event: str, topics, types=(), values=()):
    """An event's log."""
    return {
        "address": getattr(market, role),
        "topics": [Interface(contract).event(event).topic, *map(word, topics)],
        "data": f"0x{encode(types, values).hex()}",
    }


ORDER = "(uint256,uint256,(uint256,int256)[],int128,int128,bool,uint256,uint256,uint256,uint256,uint256,address)"


def requested(market, made):
    return log(market, "order_desk", "OrderDesk", "Requested", (made.account, made.nonce), (ORDER,), (made.terms,))


def triggered(market, made):
    topics = (made.account, made.nonce, 9)
    return log(market, "order_desk", "OrderDesk", "Triggered", topics, (ORDER,), (made.terms,))


def executed(market, account, nonce):
    values = ([1, 0], -5)
    types = ("uint256[2]", "int256")
    return log(market, "order_desk", "OrderDesk", "Executed", (account, nonce, 9), types, values)


def cancelled(market, account, nonce):
    reason = ("trade: over limit",)
    return log(market, "order_desk", "OrderDesk", "Cancelled", (account, nonce, 9), ("string",), reason)


def voided(market, account, nonce):
    return log(market, "order_desk", "OrderDesk", "Voided", (account, nonce))


def traded(market, account, legs):
    types = ("uint256[]", "int256", *3 * ("uint256",), "int256", *2 * ("uint256",))
    return log(
        market, "clearing_house", "ClearingHouse", "Traded", (account,), types, (legs, -1, 1, 1, 0, 5, 6, 7)
    )


def liquidated(market, account, fraction):
    types = ("uint256", "uint256", "int256", *4 * ("uint256",))
    values = (fraction, 10, -3, 1, 1, 0, 0)
    return log(market, "clearing_house", "ClearingHouse", "Liquidated", (account, 9 << 96), types, values)


def listed(market, series, underlying):
    values = (60_000 * 10**8, False)
    return log(market, "risk_book", "RiskBook", "SeriesListed", (series, underlying), ("uint256", "bool"), values)


def noticed(market, series, time):
    return log(market, "risk_book", "RiskBook", "NoticeSet", (series,), ("uint256",), (time,))
