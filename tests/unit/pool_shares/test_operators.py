import boa

from everstock.chain.in_process import events



def test_set_operator__approved__says_so(pool, alice, outsider):
    assert not pool.isOperator(alice, outsider)
    assert pool.setOperator(outsider, True, sender=alice) is True
    (event,) = events(pool.contract, "OperatorSet")
    assert (event.controller, event.operator, event.approved) == (alice, outsider, True)
    assert pool.isOperator(alice, outsider)
    assert not pool.isOperator(outsider, alice)


def test_set_operator__revoked__says_so(pool, alice, outsider):
    pool.setOperator(outsider, True, sender=alice)
    assert pool.setOperator(outsider, False, sender=alice) is True
    (event,) = events(pool.contract, "OperatorSet")
    assert event.approved is False
    assert not pool.isOperator(alice, outsider)


def test_set_operator__of_one_pool__means_nothing_to_the_other(protocol, pool, alice, outsider):
    pool.setOperator(outsider, True, sender=alice)
    (other,) = {protocol.main_pool, protocol.insurance_pool} - {pool.contract}
    assert not other.isOperator(alice, outsider)


def test_set_operator__operators_operator__acts_for_nobody_else(pool, alice, bob, outsider, unit):
    pool.setOperator(bob, True, sender=alice)
    pool.setOperator(outsider, True, sender=bob)
    with boa.reverts("pool: not the owner"):
        pool.requestDeposit(unit, alice, alice, sender=outsider)
