"""Parameters change one by one, inside hard bounds, after a checkpoint, by the owner alone: the timelock."""

import boa
import pytest

from everstock.chain.in_process import account_of, deployer_of, events

# Key by key, as interfaces/IRiskParameters.vyi has them: name, lowest, highest.
BOUNDS = [
    ("load", 0, 1_500),
    ("kappa", 0, 1_500),
    ("fee_rate", 0, 1_000),
    ("fee_cap", 1, 500),
    ("impact", 0, 1_000),
    ("pool_shock", 50, 330),
    ("account_shock", 25, 330),
    ("gross_rate", 0, 5_000),
    ("initial_ratio", 1_050, 5_000),
    ("default_charge", 0, 50_000),
    ("open_buffer", 2_000, 20_000),
    ("close_buffer", 1_000, 20_000),
    ("withdraw_buffer", 2_000, 20_000),
    ("penalty_rate", 10, 900),
    ("common_share", 0, 500),
    ("treasury_share", 0, 1_000),
    ("carry of 0", -30_000, 30_000),
    ("carry of 1", -30_000, 30_000),
    ("min_margin", 1, 2**96 - 1),
    ("min_face", 1, 2**96 - 1),
    ("deleverage_target", 1_000, 20_000),
]
KEYS = {name: key for key, (name, _, _) in enumerate(BOUNDS)}
NOT_OWNER = "ownable: caller is not the owner"
ZERO_ADDRESS = "0x" + 40 * "0"


def words(parameters) -> list[int]:
    """All of them, out of the two words."""
    rates, limits = parameters.rates(), parameters.limits()
    carries = [limits >> 192 + 16 * u & 0xFFFF for u in (0, 1)]
    return [
        *(rates >> 16 * key & 0xFFFF for key in range(16)),
        *(carry - 2**16 if carry >> 15 else carry for carry in carries),
        limits & 2**96 - 1,
        limits >> 96 & 2**96 - 1,
        limits >> 224,
    ]


def preset(protocol) -> list[int]:
    """What the market was deployed with."""
    given = protocol.parameters
    amounts = (given.min_margin, given.min_face, given.deleverage_target)
    return [*given.rates(), *given.carries(["BTC", "ETH"]), *amounts]


def stored_words(protocol) -> tuple[int, int]:
    """Both words as the market's RiskBook has them."""
    stored = protocol.risk_book.market_words()
    return stored.rates, stored.limits


def deploy(protocol, **changes):
    values = {
        "owner": protocol.owner,
        "risk_book": protocol.risk_book.address,
        "rates": protocol.parameters.rates(),
        "carries": [10_000, 10_000],
        "min_margin": 1,
        "min_face": 1,
        "deleverage_target": 1_250,
    }
    return deployer_of("RiskParameters").deploy(*(values | changes).values())


def test_bounds__keep_a_rate_in_its_bits_and_a_shocked_index_positive():
    highest = {name: top for name, _, top in BOUNDS}
    assert highest["load"] + highest["kappa"] <= 3_000
    assert 3 * max(highest["pool_shock"], highest["account_shock"]) < 1_000
    assert dict((name, low) for name, low, _ in BOUNDS)["initial_ratio"] > 1_000 > highest["penalty_rate"]


def test_constructor__takes_the_preset(protocol, parameters):
    assert words(parameters) == preset(protocol)
    assert [parameters.parameter(key) for key in range(len(BOUNDS))] == preset(protocol)
    assert parameters.owner() == protocol.timelock
    assert parameters.RISK_BOOK() == protocol.risk_book.address
    assert stored_words(protocol) == (parameters.rates(), parameters.limits())


@pytest.mark.parametrize("key", range(16), ids=[name for name, _, _ in BOUNDS[:16]])
def test_constructor__a_rate_out_of_bounds__reverts(protocol, key):
    name, lowest, highest = BOUNDS[key]
    for amount in {max(lowest - 1, 0), highest + 1} - {lowest}:
        rates = protocol.parameters.rates()
        rates[key] = amount
        with boa.reverts("risk_parameters: out of bounds"):
            deploy(protocol, rates=rates)


def test_constructor__anything_else_out_of_bounds__reverts(protocol):
    for changes in (
        {"carries": [30_001, 0]},
        {"carries": [0, -30_001]},
        {"min_margin": 0},
        {"min_margin": 2**96},
        {"min_face": 0},
        {"min_face": 2**96},
        {"deleverage_target": 999},
        {"deleverage_target": 20_001},
    ):
        with boa.reverts("risk_parameters: out of bounds"):
            deploy(protocol, **changes)
    with boa.reverts("risk_parameters: no owner"):
        deploy(protocol, owner=ZERO_ADDRESS)


@pytest.mark.parametrize("key", range(len(BOUNDS)), ids=[name for name, _, _ in BOUNDS])
def test_set_parameter__at_both_bounds__writes_it_alone_here_and_in_the_risk_book(protocol, parameters, key):
    _, lowest, highest = BOUNDS[key]
    for amount in (lowest, highest):
        parameters.set_parameter(key, amount, sender=protocol.timelock)
        (event,) = events(parameters, "ParameterSet")
        (stored,) = events(parameters, "ParametersSet")
        assert (event.key, event.amount) == (key, amount)
        assert (stored.rates, stored.limits) == (parameters.rates(), parameters.limits())
        assert parameters.parameter(key) == amount
        wanted = preset(protocol)
        wanted[key] = amount
        assert words(parameters) == wanted
        assert stored_words(protocol) == (parameters.rates(), parameters.limits())


@pytest.mark.parametrize("key", range(len(BOUNDS)), ids=[name for name, _, _ in BOUNDS])
def test_set_parameter__beyond_either_bound__reverts(protocol, parameters, key):
    _, lowest, highest = BOUNDS[key]
    for amount in (lowest - 1, highest + 1, -(2**255), 2**255 - 1):
        with boa.reverts("risk_parameters: out of bounds"):
            parameters.set_parameter(key, amount, sender=protocol.timelock)


@pytest.mark.parametrize("key", [21, 22, 2**256 - 1])
def test_set_parameter__unknown_key__reverts(protocol, parameters, key):
    with boa.reverts("risk_parameters: unknown key"):
        parameters.set_parameter(key, 1, sender=protocol.timelock)
    with boa.reverts("risk_parameters: unknown key"):
        parameters.parameter(key)


@pytest.mark.parametrize(("key", "amount"), [("load", 1_500), ("carry of 0", 30_000), ("carry of 0", -30_000)])
def test_set_parameter__checkpoints_first(protocol, parameters, key, amount):
    """What went before is settled at what was promised for it."""
    id_ = protocol.list_series()
    writer = protocol.trader("writer")
    protocol.trade(writer, (id_, -50))
    protocol.set_prices(after=1_800)
    with boa.env.anchor():
        protocol.clearing_house.settle(account_of(writer))
        (unchanged,) = events(protocol.clearing_house, "Settled")
    parameters.set_parameter(KEYS[key], amount, sender=protocol.timelock)
    (checkpoint,) = events(parameters, "Checkpoint")
    assert checkpoint.requirement > 0
    protocol.clearing_house.settle(account_of(writer))
    (settled,) = events(protocol.clearing_house, "Settled")
    assert settled.gain == unchanged.gain > 0


def test_set_parameter__no_fresh_price_to_checkpoint_at__reverts(protocol, parameters):
    protocol.wait(61)
    with boa.reverts("price_oracle: stale price"):
        parameters.set_parameter(KEYS["load"], 0, sender=protocol.timelock)


def test_set_parameter__takes_effect_at_once(protocol, parameters):
    """A smaller fee, a larger least margin, and half the carry."""
    id_, trader = protocol.list_series(), protocol.trader("trader", 20)
    protocol.trade(trader, (id_, 10))
    (dear,) = events(protocol.clearing_house, "Traded")
    parameters.set_parameter(KEYS["fee_rate"], 40, sender=protocol.timelock)
    protocol.trade(trader, (id_, 10))
    (cheap,) = events(protocol.clearing_house, "Traded")
    assert dear.fee - 1 == 2 * (cheap.fee - 1)

    parameters.set_parameter(KEYS["min_margin"], 25 * protocol.unit, sender=protocol.timelock)
    with boa.reverts("trade: below initial margin"):
        protocol.trade(trader, (id_, 10))
    assert protocol.liquidate(trader) != [0]


def test_set_parameter__face__the_next_leg_must_be_that_large(protocol, parameters):
    id_, trader = protocol.list_series(), protocol.trader("trader")
    parameters.set_parameter(KEYS["min_face"], 5 * protocol.unit, sender=protocol.timelock)
    with boa.reverts("trade: face below minimum"):
        protocol.trade(trader, (id_, 4.99))
    protocol.trade(trader, (id_, 5))


def test_set_parameter__by_anyone_but_the_owner__reverts(protocol, parameters):
    for caller in (protocol.owner, protocol.operator, protocol.deployer.address, protocol.clearing_house.address):
        with boa.reverts(NOT_OWNER):
            parameters.set_parameter(KEYS["load"], 0, sender=caller)


def test_risk_book_set_parameters__by_anyone_but_its_parameters__reverts(protocol):
    for caller in (protocol.owner, protocol.operator, protocol.clearing_house.address):
        with boa.reverts("risk_book: wrong caller"):
            protocol.risk_book.set_parameters(0, 0, sender=caller)


def test_transfer_ownership__takes_effect_when_it_is_accepted(protocol, parameters):
    heir = protocol.actor("heir")
    with boa.reverts(NOT_OWNER):
        parameters.transfer_ownership(heir, sender=heir)
    parameters.transfer_ownership(heir, sender=protocol.timelock)
    assert (parameters.owner(), parameters.pending_owner()) == (protocol.timelock, heir)
    with boa.reverts(NOT_OWNER):
        parameters.set_parameter(KEYS["load"], 0, sender=heir)
    with boa.reverts("ownable_2step: caller is not the new owner"):
        parameters.accept_ownership(sender=protocol.operator)
    parameters.accept_ownership(sender=heir)
    parameters.set_parameter(KEYS["load"], 0, sender=heir)
    with boa.reverts(NOT_OWNER):
        parameters.set_parameter(KEYS["load"], 0, sender=protocol.timelock)
