"""A whole platform with something in it: processes over real sockets, a verified brand, an active campaign, numbers."""

import asyncio
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from uuid import UUID

from agentmessage.kernel.db import Cells
from agentmessage.kernel.tenant import operator
from agentmessage.keys import operations as keys
from tests.contract.every_route import DOCUMENT

# ruff: noqa: S310, S603 - addresses and commands are our own

WAIT_S = 60.0
KEYS_TO_REVOKE = 200


class Platform:
    """A running `agentmessage up`, seen by its first customer."""

    def __init__(self, data_dir: Path) -> None:
        self._ready_file = data_dir.parent / "ready.json"
        command = [sys.executable, "-m", "agentmessage", "up", "--data-dir", str(data_dir), "--port", "0"]
        command += ["--ready-file", str(self._ready_file), "--profile", "instant"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AGENTMESSAGE_")}
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
        self.ready: dict[str, Any] = self._await(self._read_ready)

    def stop(self) -> int:
        """End it; answers the exit code."""
        self._process.terminate()
        return self._process.wait(30)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """`data` of a request that must succeed."""
        return self._exchange(method, path, body)["data"]

    def _exchange(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(self.ready["base_url"] + path, method=method)
        request.add_header("Authorization", f"Bearer {self.ready['api_key']}")
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def events(self) -> list[Any]:
        """Every event so far, oldest first."""
        found: list[Any] = []
        query = "limit=200"
        while True:
            page = self._exchange("GET", f"/v1/events?{query}")
            found += page["data"]
            cursor = page["meta"]["next_cursor"]
            if cursor is None:
                return found
            query = f"limit=200&cursor={cursor}"

    def furnish(self) -> dict[str, list[str]]:
        """File a brand and a campaign, order numbers; answers the ids of what came of it."""
        asyncio.run(self._issue_keys())
        self._admin("wallet", "credit", "--org", self.ready["org_id"], "--cents", "100000000")
        self.call("PATCH", "/v1/organization", {"is_reseller": True})
        brand = self.call("POST", "/v1/brands", example("/v1/brands"))
        self._await(lambda: self.call("GET", f"/v1/brands/{brand['id']}")["identity_status"] == "VERIFIED")
        campaign = self.call("POST", "/v1/campaigns", example("/v1/campaigns") | {"brand_id": brand["id"]})
        self._await(lambda: self.call("GET", f"/v1/campaigns/{campaign['id']}")["status"] == "ACTIVE")
        found = self.call("POST", "/v1/phone-numbers/search", {"area_code": "415", "quantity": 20})
        wanted = {"numbers": [one["number"] for one in found], "campaign_id": campaign["id"]}
        numbers = self.call("POST", "/v1/phone-numbers/orders", wanted)
        self.call("DELETE", f"/v1/phone-numbers/{numbers[0]['id']}/campaign")
        return {
            "brands": [brand["id"]],
            "campaigns": [campaign["id"]],
            "numbers": [number["id"] for number in numbers[:10]],
            "numbers_to_release": [number["id"] for number in numbers[10:]],
        }

    async def _issue_keys(self) -> None:
        """Keys that are newer than the customer's own, which would else be the first that a list offers to revoke."""
        cells = Cells(self.ready["database_url"])
        tenant = operator(UUID(self.ready["org_id"]), "cell_00", "live")
        async with (await cells.cell("cell_00")).transaction() as tx:
            for number in range(KEYS_TO_REVOKE):
                await keys.issue(tx, tenant, label=f"to be revoked {number}", scopes=["org:read"])
        await cells.close()

    def _admin(self, *words: str) -> None:
        environment = {"DATABASE_URL": self.ready["database_url"], "PATH": "/usr/bin:/bin"}
        subprocess.run([sys.executable, "-m", "agentmessage", "admin", *words], env=environment, check=True)

    def _read_ready(self) -> Any:
        if self._process.poll() is not None:
            raise AssertionError(f"the platform ended with {self._process.returncode}")
        return json.loads(self._ready_file.read_text()) if self._ready_file.exists() else None

    @staticmethod
    def _await(look: Any) -> Any:
        deadline = time.monotonic() + WAIT_S
        while not (seen := look()):
            assert time.monotonic() < deadline, "the platform did not come to it"
            time.sleep(0.1)
        return seen


def example(path: str) -> Any:
    """The documented example of a POST's body."""
    return DOCUMENT["paths"][path]["post"]["requestBody"]["content"]["application/json"]["example"]
