"""Who takes part: enough of each kind, and the same people for the same seed."""

from collections import Counter

import pytest

from everstock.demo.cast import MIN_TRADERS, Kind, providers, traders

MARKETS = [("TSLA.M", 400.0), ("NVDA.M", 180.0)]


def test_traders__forty_eight__two_dozen_in_each_market_and_every_kind_in_both():
    profiles = traders(MARKETS, 48, seed=1)
    assert Counter(profile.market for profile in profiles) == {"TSLA.M": 24, "NVDA.M": 24}
    for symbol, _ in MARKETS:
        kinds = Counter(profile.kind for profile in profiles if profile.market == symbol)
        assert set(kinds) == set(Kind)
        assert min(kinds.values()) >= 2
    assert len({profile.name for profile in profiles}) == 48
    assert {profile.underlying for profile in profiles} == {0, 1}


def test_traders__same_seed_same_people():
    assert traders(MARKETS, 48, seed=1) == traders(MARKETS, 48, seed=1)
    assert traders(MARKETS, 48, seed=1) != traders(MARKETS, 48, seed=2)


def test_traders__more_of_them__the_first_stay_who_they_are():
    assert traders(MARKETS, 100, seed=1)[:48] == traders(MARKETS, 48, seed=1)


def test_traders__fewer_than_one_of_each_kind__are_refused():
    assert len(traders(MARKETS, MIN_TRADERS, seed=1)) == 18
    with pytest.raises(ValueError, match="at least 18"):
        traders(MARKETS, MIN_TRADERS - 1, seed=1)


def test_traders__sizes_are_sane():
    for profile in traders(MARKETS, 190, seed=3):
        assert profile.margin > 0
        assert 0 < profile.use < 1
        assert 0.75 < profile.moneyness < 1.33


def test_kinds__have_a_name_for_one():
    assert Kind.PUT_WRITER.one == "put writer"
    assert Kind.BOTH.one == "holder of both"


def test_providers__bring_all_of_it_and_only_a_main_pools_smaller_one_leaves():
    lps = providers(["TSLA.M"], 10_001, 101)
    assert sum(lp.deposit for lp in lps if lp.pool == "main_pool") == 10_001
    assert sum(lp.deposit for lp in lps if lp.pool == "insurance_pool") == 101
    (leaver,) = [lp for lp in lps if lp.leaves]
    assert leaver.pool == "main_pool" and leaver.deposit < 5_000
