"""Our USDC and WETH, as far as anything here relies on them."""

import boa
from eth_account import Account
from eth_utils import keccak

HOLDER = Account.from_key(keccak(text="holder"))


def test_usdc__is_named_as_on_base(usdc):
    named = (usdc.name(), usdc.symbol(), usdc.decimals(), usdc.version())
    assert named == ("USD Coin", "USDC", 6, "2")


def test_usdc_mint__by_anyone_else__reverts(usdc):
    with boa.reverts("usdc: minter only"):
        usdc.mint(HOLDER.address, 1)


def test_usdc_mint_and_burn__move_the_supply(usdc, operator):
    usdc.mint(HOLDER.address, 100, sender=operator)
    usdc.burn(40, sender=HOLDER.address)
    assert usdc.totalSupply() == usdc.balanceOf(HOLDER.address) == 60


def test_usdc_permit__sets_the_allowance_that_was_signed(usdc):
    spender = boa.env.generate_address("spender")
    deadline = boa.env.timestamp + 60
    signed = Account.sign_typed_data(
        HOLDER.key,
        {"name": "USD Coin", "version": "2", "chainId": boa.env.evm.patch.chain_id, "verifyingContract": usdc.address},
        {
            "Permit": [
                {"name": "owner", "type": "address"},
                {"name": "spender", "type": "address"},
                {"name": "value", "type": "uint256"},
                {"name": "nonce", "type": "uint256"},
                {"name": "deadline", "type": "uint256"},
            ]
        },
        {"owner": HOLDER.address, "spender": spender, "value": 5, "nonce": 0, "deadline": deadline},
    )
    usdc.permit(
        HOLDER.address, spender, 5, deadline, signed.v, signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big")
    )
    assert usdc.allowance(HOLDER.address, spender) == 5


def test_weth__wraps_and_unwraps(weth):
    holder = boa.env.generate_address("holder")
    boa.env.set_balance(holder, 100)
    weth.deposit(value=60, sender=holder)
    boa.env.raw_call(weth.address, sender=holder, value=10)
    assert weth.balanceOf(holder) == weth.totalSupply() == 70
    weth.withdraw(30, sender=holder)
    assert (weth.balanceOf(holder), boa.env.get_balance(holder)) == (40, 60)
    with boa.reverts():
        weth.withdraw(41, sender=holder)


def test_weth__allowance_is_used_up_unless_it_is_the_maximum(weth):
    holder, spender, to = (boa.env.generate_address(name) for name in ("holder", "spender", "to"))
    boa.env.set_balance(holder, 100)
    weth.deposit(value=100, sender=holder)
    weth.approve(spender, 10, sender=holder)
    weth.transferFrom(holder, to, 4, sender=spender)
    assert weth.allowance(holder, spender) == 6
    with boa.reverts():
        weth.transferFrom(holder, to, 7, sender=spender)
    weth.approve(spender, 2**256 - 1, sender=holder)
    weth.transferFrom(holder, to, 7, sender=spender)
    assert weth.allowance(holder, spender) == 2**256 - 1
    assert weth.balanceOf(to) == 11
