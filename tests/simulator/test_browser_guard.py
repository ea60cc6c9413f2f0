"""Web pages in a browser cannot use the simulator; programs can."""

import asyncio
import json
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
from customer import basic

from agentmessage.simulator.server import Running, SimulatorConfig, running

RESET = "POST /_control/reset HTTP/1.1"
ORDER = "GET /api/accounts/9900001/availableNumbers?areaCode=415 HTTP/1.1"
LOOPBACK = "127.0.0.1"


@pytest.fixture
async def simulator() -> AsyncIterator[Running]:
    config = SimulatorConfig(
        port=0, profile="instant", prints_ready_line=False, hosts=frozenset({"simulator.staging.example"})
    )
    async with running(config) as up:
        yield up


async def ask(simulator: Running, line: str, *headers: str, body: str = "", host: str | None = LOOPBACK) -> int:
    """The status of one request, sent byte for byte."""
    port = urlsplit(simulator.url).port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    named = [] if host is None else [f"Host: {host}"]
    head = [line, *named, *headers, f"Content-Length: {len(body)}", "Connection: close"]
    writer.write(("\r\n".join(head) + "\r\n\r\n" + body).encode())
    answer = await reader.read()
    writer.close()
    return int(answer.split()[1])


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.0.0.1:8090", "127.8.9.1", "localhost", "LOCALHOST:8090", "localhost.", "[::1]:8090", "10.0.0.7",
     "simulator", "simulator:8090", "simulator.staging.example", "Simulator.Staging.Example:80"],
)  # fmt: skip
async def test_addresses_and_names_that_cannot_be_rebound_are_allowed_hosts(simulator: Running, host: str) -> None:
    assert await ask(simulator, RESET, host=host) == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8090", "127.0.0.1.evil.example", "localhost.evil.example", "localhost.evil.example.",
     "evil.example\tlocalhost", "0x7f.1.evil", "[::1].evil.example"],
)  # fmt: skip
async def test_a_name_that_was_rebound_to_the_loopback_is_rejected(simulator: Running, host: str) -> None:
    for line in (RESET, ORDER, "GET /_control/oracle HTTP/1.1"):
        assert await ask(simulator, line, host=host) in {400, 421}


async def test_a_request_needs_exactly_one_host(simulator: Running) -> None:
    assert await ask(simulator, RESET, host=None) == 400
    assert await ask(simulator, RESET, "Host: evil.example") == 400
    assert await ask(simulator, RESET, "Host: localhost") == 400


@pytest.mark.parametrize(
    "header",
    ["Origin: https://evil.example", "Origin: null", "Origin: http://127.0.0.1:8090", "origin: http://localhost:3000",
     "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site", "Sec-Fetch-Site: same-origin"],
)  # fmt: skip
async def test_requests_of_a_page_in_a_browser_are_rejected(simulator: Running, header: str) -> None:
    for line in (RESET, ORDER, "GET /_control/oracle HTTP/1.1", "OPTIONS /_control/faults HTTP/1.1"):
        assert await ask(simulator, line, header) == 403


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "text/plain;charset=UTF-8", "multipart/form-data; boundary=x", "application/xml", "TEXT/PLAIN"],
)
async def test_content_types_of_forms_are_rejected_by_the_control_plane(simulator: Running, content_type: str) -> None:
    body = json.dumps({"probabilities": {"error_before": 1.0}})

    status = await ask(simulator, "POST /_control/faults HTTP/1.1", f"Content-Type: {content_type}", body=body)

    assert status == 415
    assert await ask(simulator, ORDER, f"Authorization: {basic('simulator')['authorization']}") == 200


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", None,
                                          "application/x-www-form-urlencoded"])  # fmt: skip
async def test_programs_and_curl_are_allowed(simulator: Running, content_type: str | None) -> None:
    headers = [f"Content-Type: {content_type}"] if content_type else []

    status = await ask(simulator, "POST /_control/numbers HTTP/1.1", *headers, body='{"numbers": ["+14155550123"]}')

    assert status == 200


async def test_a_request_without_a_body_may_have_any_content_type(simulator: Running) -> None:
    """Client libraries do when they are given nothing to send."""
    assert await ask(simulator, RESET, "Content-Type: application/octet-stream") == 200


async def test_a_person_may_open_it_in_a_browser(simulator: Running) -> None:
    assert await ask(simulator, "GET /_control/oracle HTTP/1.1", "Sec-Fetch-Site: none") == 200
