"""A small part of the soak that `make bench` runs whole."""

from __future__ import annotations

from benchmarks.soak import soak


def test_all_are_signed_exactly_once_and_nothing_grows() -> None:
    soaked = soak(60, 20)

    assert (soaked.failed, soaked.not_once) == ((), ())
    assert soaked.faults > 5
    for before, after in (soaked.client, soaked.sandbox):
        assert after.mib - before.mib < 30
        assert after.descriptors <= before.descriptors + 5
