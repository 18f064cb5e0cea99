# pragma version 0.4.3
# pragma optimize codesize
"""
@title USDC
@custom:contract-name USDC
@license AGPL-3.0-only
@notice A dollar of 6 decimals with permit, named as USD Coin on Base, that a local operator mints.
@dev No storage is set at construction, so that the code can be put at another address.
"""

from snekmate.auth import ownable
from snekmate.tokens import erc20

initializes: ownable
initializes: erc20[ownable := ownable]

exports: (
    erc20.name,
    erc20.symbol,
    erc20.decimals,
    erc20.totalSupply,
    erc20.balanceOf,
    erc20.allowance,
    erc20.transfer,
    erc20.transferFrom,
    erc20.approve,
    # EIP-2612, EIP-5267
    erc20.permit,
    erc20.nonces,
    erc20.DOMAIN_SEPARATOR,
    erc20.eip712Domain,
)


# The domain version that Circle's contract signs permits with.
version: public(constant(String[1])) = "2"

# The only address that may mint.
MINTER: public(immutable(address))


@deploy
def __init__(minter: address):
    """
    @param minter Who may mint.
    """
    ownable.__init__()
    erc20.__init__("USD Coin", "USDC", 6, "USD Coin", version)
    MINTER = minter


@external
def mint(to: address, amount: uint256) -> bool:
    """
    @notice Create `amount` raw units (6 decimals) for `to`.
    """
    assert msg.sender == MINTER, "usdc: minter only"
    erc20._mint(to, amount)
    return True


@external
def burn(amount: uint256):
    """
    @notice Destroy `amount` raw units of the caller's.
    """
    erc20._burn(msg.sender, amount)
