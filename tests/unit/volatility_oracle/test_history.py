"""The contract itself, on the worst hours there were, beside numpy."""

import pytest

from everstock.chain.deployment import UNDERLYINGS
from everstock.chain.in_process import START, VARIANCES
from everstock.model.volatility_oracle import SPAN
from everstock.replay.bars import PriceError
from everstock.volatility.history import Samples as History
from everstock.volatility.history import bounded, find, read, reference
from everstock.volatility.report import STRETCHES

from .samples import BTC, ETH

CRASH = "tariff crash, 10 October 2025"
# From 2025-10-10 19:30 UTC, five hours; every seventh boundary is missed.
FROM, COUNT = 1_760_124_600, 30


def test_contract__through_the_crash__is_the_model_and_numpy(samples):
    """Both underlyings, moved to the protocol's clock."""
    crash = {}
    for id_, name in enumerate(UNDERLYINGS):
        try:
            whole = read(find(STRETCHES[CRASH].format(name)), name)
        except PriceError as error:
            pytest.skip(str(error))
        kept = (whole.times >= FROM) & (whole.times < FROM + COUNT * SPAN) & (whole.times // SPAN % 7 != 0)
        crash[id_] = History(name, whole.times[kept] - FROM + START + SPAN, whole.prices[kept])
    exact = {id_: bounded(reference(crash[id_], VARIANCES[name]), name) for id_, name in enumerate(UNDERLYINGS)}
    for i, time in enumerate(crash[BTC].times.tolist()):
        samples.at(time)
        assert samples.sample({id_: int(crash[id_].prices[i]) / 10**8 for id_ in (BTC, ETH)}) == 2
        for id_ in (BTC, ETH):
            fast, slow = samples.protocol.volatility_oracle.variances(id_)
            assert (fast / 10**10, slow / 10**10) == pytest.approx(tuple(exact[id_][:, i]), rel=1e-6)
    assert max(exact[ETH][0]) == 6.25
