"""Requests that stay open are bounded for each key and for all keys of an organization together."""

import pytest

from agentmessage.kernel.errors import RateLimited
from agentmessage.kernel.ids import new_id
from agentmessage.web.open_requests import OpenRequests


def test_many_keys_of_one_organization_share_its_limit() -> None:
    requests, one, other = OpenRequests(per_key=3, per_organization=5), new_id(), new_id()
    for label in ("a", "a", "a", "b", "b"):
        requests.begin(one, label)

    for label in ("a", "b", "c"):
        with pytest.raises(RateLimited):
            requests.begin(one, label)
    with requests.track(other, "a"):
        pass
    requests.end(one, "a")
    requests.begin(one, "c")

    for label in ("a", "a", "b", "b", "c"):
        requests.end(one, label)
    assert len(requests) == 0


def test_a_request_that_fails_is_open_no_more() -> None:
    requests, org_id = OpenRequests(per_key=1, per_organization=1), new_id()

    with pytest.raises(ZeroDivisionError), requests.track(org_id, "a"):
        raise ZeroDivisionError

    assert len(requests) == 0
