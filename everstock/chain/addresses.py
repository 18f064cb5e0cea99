"""Where things are on Base (chain id 8453), and what they are called.

Each address is the contract that answers there today; the look-alike of `everstock.chain.devnet` carries working
code at the same ones.
"""

from typing import Final

CHAIN_ID: Final = 8453

# The hash of block 0, which no local chain can have and every fork of Base does.
# https://github.com/base/base-docs and any Base node's eth_getBlockByNumber(0).
GENESIS_HASH: Final = "0xf712aa9241cc24369b143cf6dce85f0902a9731e70d66818a3a5845b296c73dd"

# https://docs.pyth.network/price-feeds/core/contract-addresses/evm
PYTH: Final = "0x8250f4aF4B972684F7b336503E2D6dFeDeB1487a"

# https://docs.chain.link/data-feeds/price-feeds/addresses?network=base (8 decimals)
CHAINLINK_BTC_USD: Final = "0x64c911996D3c6aC71f9b455B1E8E7266BcbD848F"
CHAINLINK_ETH_USD: Final = "0x71041dddad3595F9CEd3DcCFBe3D1F4b0a16Bb70"

# https://docs.chain.link/data-feeds/l2-sequencer-feeds (0 = up, 1 = down)
SEQUENCER_UPTIME: Final = "0xBCF85224fc0756B9Fa45aA7892530B47e10b6433"

# https://developers.circle.com/stablecoins/usdc-contract-addresses (6 decimals)
USDC: Final = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"

# https://docs.optimism.io/op-mainnet/network-information/op-addresses, a predeploy of every OP chain
WETH: Final = "0x4200000000000000000000000000000000000006"

# https://www.multicall3.com/deployments
MULTICALL3: Final = "0xcA11bde05977b3631167028862bE2a173976CA11"

# https://docs.uniswap.org/contracts/v4/deployments (absent from the look-alike)
PERMIT2: Final = "0x000000000022D473030F116dDEE9F6B43aC78BA3"

# https://docs.pyth.network/price-feeds/core/price-feeds/price-feed-ids
PYTH_BTC_USD: Final = "0xe62df6c8b4a85fe1a67db44dc12de5db330f7ac66b72dc658afedf0f4a415b43"
PYTH_ETH_USD: Final = "0xff61491a931112ddf1bd8147cd1b641375f79f5825126d665480874634fd0ace"

# By the name of the underlying.
PYTH_IDS: Final = {"BTC": PYTH_BTC_USD, "ETH": PYTH_ETH_USD}
CHAINLINK_FEEDS: Final = {"BTC": CHAINLINK_BTC_USD, "ETH": CHAINLINK_ETH_USD}
