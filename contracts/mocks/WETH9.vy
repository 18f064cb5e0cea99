# pragma version 0.4.3
# pragma optimize codesize
"""
@title WETH9
@custom:contract-name WETH9
@license AGPL-3.0-only
@notice Wrapped ether, as it behaves at 0x4200000000000000000000000000000000000006 on Base.
"""

from ethereum.ercs import IERC20

implements: IERC20


name: public(constant(String[13])) = "Wrapped Ether"
symbol: public(constant(String[4])) = "WETH"
decimals: public(constant(uint8)) = 18


# Wrapped wei per holder.
balanceOf: public(HashMap[address, uint256])
# Wei a spender may still move for an owner; the maximum is not used up.
allowance: public(HashMap[address, HashMap[address, uint256]])


event Deposit:
    dst: indexed(address)
    wad: uint256

event Withdrawal:
    src: indexed(address)
    wad: uint256


@external
@payable
def __default__():
    """
    @notice Ether sent here is wrapped.
    """
    self._deposit()


@external
@payable
def deposit():
    """
    @notice Wrap the ether sent along.
    """
    self._deposit()


@external
def withdraw(wad: uint256):
    """
    @notice Unwrap `wad` wei to the caller.
    """
    self.balanceOf[msg.sender] -= wad
    send(msg.sender, wad)
    log Withdrawal(src=msg.sender, wad=wad)


@external
def transfer(dst: address, wad: uint256) -> bool:
    """
    @notice Move `wad` of the caller's tokens to `dst`.
    """
    self._move(msg.sender, dst, wad)
    return True


@external
def transferFrom(src: address, dst: address, wad: uint256) -> bool:
    """
    @notice Move `wad` of the tokens of `src`, out of the caller's allowance.
    """
    if src != msg.sender and self.allowance[src][msg.sender] != max_value(uint256):
        self.allowance[src][msg.sender] -= wad
    self._move(src, dst, wad)
    return True


@external
def approve(guy: address, wad: uint256) -> bool:
    """
    @notice Let `guy` move up to `wad` of the caller's tokens.
    """
    self.allowance[msg.sender][guy] = wad
    log IERC20.Approval(owner=msg.sender, spender=guy, value=wad)
    return True


@external
@view
def totalSupply() -> uint256:
    """
    @return The ether held.
    """
    return self.balance


@internal
@payable
def _deposit():
    self.balanceOf[msg.sender] += msg.value
    log Deposit(dst=msg.sender, wad=msg.value)


@internal
def _move(src: address, dst: address, wad: uint256):
    self.balanceOf[src] -= wad
    self.balanceOf[dst] += wad
    log IERC20.Transfer(sender=src, receiver=dst, value=wad)
