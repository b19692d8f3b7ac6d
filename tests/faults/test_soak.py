"""A small part of the soak that `make bench` runs whole."""

from __future__ import annotations

import time

from benchmarks.soak import soak

from signpath_ci.clock import Clock

_HURRIED = Clock(monotonic=lambda: time.monotonic() * 4, sleep=lambda seconds: time.sleep(seconds / 4))


def test_all_are_signed_exactly_once_and_nothing_grows() -> None:
    soaked = soak(60, 20, _HURRIED)

    assert (soaked.failed, soaked.not_once) == ((), ())
    assert soaked.faults > 5
    for before, after in (soaked.client, soaked.sandbox):
        assert after.mib - before.mib < 30
        assert after.descriptors <= before.descriptors + 5
