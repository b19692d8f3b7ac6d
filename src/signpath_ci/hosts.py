"""Which hosts are this machine."""

from __future__ import annotations

import ipaddress

_V4 = ipaddress.ip_network("127.0.0.0/8")
_V6 = ipaddress.ip_address("::1")


def is_loopback(host: str) -> bool:
    """Tell whether what is sent to a host stays on this machine."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address == _V6 or address in _V4
