import boa

from everstock.chain.in_process import DELAY, EXEC_WINDOW

from .desk import ETHER, reverts


def test_constructor__knows_its_market_and_the_times(protocol, desk):
    assert desk.CLEARING_HOUSE() == protocol.clearing_house.address
    assert desk.ORACLE() == protocol.oracle.address
    assert (desk.DELAY(), desk.EXEC_WINDOW()) == (DELAY, EXEC_WINDOW)


def test_default__ether_from_anyone_but_the_oracle__reverts(protocol, desk, trader):
    with reverts(desk, "order_desk: no ether"):
        desk.__default__(value=ETHER, sender=trader)
    boa.env.set_balance(protocol.oracle.address, 1)
    desk.__default__(value=1, sender=protocol.oracle.address)
