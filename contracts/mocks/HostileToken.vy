# pragma version 0.4.3
"""
@title HostileToken
@license AGPL-3.0-only
@notice An ERC-20 for tests: any decimals, free minting, and on demand a transfer that returns false, returns nothing, or
        calls back into whoever it is told to.
"""

event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    amount: uint256

decimals: public(immutable(uint8))

balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])
totalSupply: public(uint256)

# Transfers return false, and move nothing.
refusing: public(bool)
# What a transfer calls before it moves anything, and with which data; the call's failure is the transfer's.
hook_target: public(address)
hook_data: public(Bytes[1024])


@deploy
def __init__(decimals_: uint8):
    decimals = decimals_


@external
def mint(to: address, amount: uint256):
    self.balanceOf[to] += amount
    self.totalSupply += amount
    log Transfer(sender=empty(address), receiver=to, amount=amount)


@external
def approve(spender: address, amount: uint256) -> bool:
    self.allowance[msg.sender][spender] = amount
    return True


@external
def transfer(to: address, amount: uint256) -> bool:
    return self._move(msg.sender, to, amount)


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    self.allowance[owner][msg.sender] -= amount
    return self._move(owner, to, amount)


@external
def set_refusing(refusing: bool):
    self.refusing = refusing


@external
def set_hook(target: address, data: Bytes[1024]):
    self.hook_target = target
    self.hook_data = data


@internal
def _move(owner: address, to: address, amount: uint256) -> bool:
    if self.refusing:
        return False
    if self.hook_target != empty(address):
        raw_call(self.hook_target, self.hook_data)
    self.balanceOf[owner] -= amount
    self.balanceOf[to] += amount
    log Transfer(sender=owner, receiver=to, amount=amount)
    return True
