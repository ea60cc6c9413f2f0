"""Requests that fail to say who asks: some from each address, and some with each key; then 429.

A good key is not held up by what strangers do behind the same address: one that this process knows passes, and another
is looked up with the crowd, many keys in one statement and few statements a second.
"""

import hashlib
from collections.abc import Callable

from agentmessage.kernel.errors import RateLimited
from agentmessage.web.buckets import Buckets
from agentmessage.web.client_address import address_of, network_of
from agentmessage.web.responses import Scope

KEY_PREFIX = b"am_"
ADDRESS_BURST, ADDRESS_PER_SECOND = 300, 10.0
KEY_BURST, KEY_PER_SECOND = 200, 2.0


class AuthFailureLimits:
    """Counts in one process who was refused. `trusted_proxy_count`: whose X-Forwarded-For is believed."""

    def __init__(self, *, trusted_proxy_count: int, monotonic: Callable[[], float]) -> None:
        self._proxies_in_front = trusted_proxy_count
        self._addresses = Buckets[str](capacity=ADDRESS_BURST, per_second=ADDRESS_PER_SECOND, monotonic=monotonic)
        self._keys = Buckets[bytes](capacity=KEY_BURST, per_second=KEY_PER_SECOND, monotonic=monotonic)

    def begin(self, scope: Scope, header: bytes | None) -> "AuthAttempt":
        """A request with a key that is not known to be good. Raises RateLimited."""
        address = address_of(scope, self._proxies_in_front)
        network = None if address is None else network_of(address)
        is_asked_for = header is not None and KEY_PREFIX in header  # anything else costs no look-up
        key = hashlib.blake2b(header or b"", digest_size=16).digest() if is_asked_for else None
        wait_s = max(
            0 if network is None else self._addresses.wait_s(network, 1),
            0 if key is None else self._keys.wait_s(key, 1),
        )
        if wait_s:
            raise RateLimited(retry_after_s=wait_s)
        attempt = AuthAttempt(self._addresses, network, self._keys, key)
        attempt.count_failure()
        return attempt


class AuthAttempt:
    """One request whose key is being looked up; it counts as refused until it is known."""

    def __init__(self, addresses: Buckets[str], network: str | None, keys: Buckets[bytes], key: bytes | None) -> None:
        self._addresses = addresses
        self._network = network
        self._keys = keys
        self._key = key

    def count_failure(self) -> None:
        """Count it, until `succeed`: attempts that run at the same time count at once."""
        self._take(1)

    def succeed(self) -> None:
        """The key is good: count the attempt no more."""
        self._take(-1)

    def _take(self, amount: int) -> None:
        if self._network is not None:
            self._addresses.take(self._network, amount)
        if self._key is not None:
            self._keys.take(self._key, amount)
