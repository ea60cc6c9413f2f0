"""Filing brands and campaigns, and reading how they stand (docs/carriers/tcr.md, sections 2 and 3)."""

from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import quote

from agentmessage.carriers.http import HttpTransport
from agentmessage.carriers.http_request import Misunderstood
from agentmessage.carriers.protocols import (
    Accepted,
    Answer,
    BrandFiling,
    CampaignFiling,
    Refused,
    RegisteredBrand,
    RegisteredCampaign,
    Unknown,
)
from agentmessage.carriers.tcr import records
from agentmessage.carriers.tcr.account import TcrAccount
from agentmessage.carriers.tcr.client import Nothing, TcrClient
from agentmessage.carriers.tcr.codes import is_gone
from agentmessage.carriers.tcr.forms import brand_change, brand_form, campaign_form

T = TypeVar("T")


class TcrRegistry:
    """Registry over the service provider API, version 2."""

    def __init__(self, account: TcrAccount, transport: HttpTransport) -> None:
        self._client = TcrClient(account, transport)
        self._upstream = quote(account.upstream_cnp_id, safe="")

    async def file_brand(self, filing: BrandFiling) -> Answer[RegisteredBrand]:
        """Register a brand without waiting for its scoring."""
        filed = await self._client.write("POST", "/brand/nonBlocking", records.BrandRecord, brand_form(filing))
        return Accepted(records.brand(filed.value, None)) if isinstance(filed, Accepted) else filed

    async def update_brand(self, tcr_brand_id: str, filing: BrandFiling) -> Answer[RegisteredBrand]:
        """Change a brand, and have an unverified one looked at again. Safe to repeat."""
        path = f"/brand/{quote(tcr_brand_id, safe='')}"
        changed = await self._client.write("PUT", path, records.BrandRecord, brand_change(filing))
        if isinstance(changed, Accepted) and changed.value.identity_status in (None, "UNVERIFIED"):
            changed = await self._client.write("PUT", f"{path}/revet", records.BrandRecord)
        return Accepted(records.brand(changed.value, None)) if isinstance(changed, Accepted) else changed

    async def read_brand(self, tcr_brand_id: str) -> Answer[RegisteredBrand]:
        """How a brand stands; an unverified one costs a second request, which tells refused from not looked at yet."""
        found = await self._client.read(f"/brand/{quote(tcr_brand_id, safe='')}", records.BrandRecord)
        if not isinstance(found, Accepted):
            return found
        if found.value.identity_status != "UNVERIFIED":
            return Accepted(records.brand(found.value, None))
        feedback = await self._client.read(f"/brand/feedback/{quote(tcr_brand_id, safe='')}", records.Feedback)
        if not isinstance(feedback, Accepted):
            return feedback
        return Accepted(records.brand(found.value, feedback.value))

    async def find_brand(self, reference_id: str) -> Answer[RegisteredBrand | None]:
        """Look a brand up by our own reference; a deleted one is none."""
        return await self._find("/brand", reference_id, lambda row: row.brand_id, self.read_brand)

    async def delete_brand(self, tcr_brand_id: str) -> Answer[None]:
        """Delete for good; already gone is Accepted."""
        return await self._remove(f"/brand/{quote(tcr_brand_id, safe='')}")

    async def file_campaign(self, filing: CampaignFiling) -> Answer[RegisteredCampaign]:
        """Register a campaign, then hand it on. When only the second fails, the answer says so by `is_shared`."""
        filed = await self._client.write("POST", "/campaignBuilder", records.SubmittedCampaign, campaign_form(filing))
        if not isinstance(filed, Accepted):
            return filed
        shared = await self.share_campaign(filed.value.campaign_id)
        return Accepted(
            RegisteredCampaign(
                tcr_campaign_id=filed.value.campaign_id,
                reference_id=filing.reference_id,
                status="PENDING",
                is_shared=isinstance(shared, Accepted),
                mno_metadata={},
            )
        )

    async def share_campaign(self, tcr_campaign_id: str) -> Answer[None]:
        """Hand a campaign on. A refusal is checked against how the hand-over stands: done already is done."""
        path = f"/campaign/{quote(tcr_campaign_id, safe='')}/sharing"
        shared = await self._client.write("PUT", f"{path}/{self._upstream}", Nothing)
        if isinstance(shared, Refused):
            stands = await self._client.read(path, records.Sharing)
            if isinstance(stands, Accepted) and records.is_handed_on(stands.value):
                return Accepted(None)
        return Accepted(None) if isinstance(shared, Accepted) else shared

    async def read_campaign(self, tcr_campaign_id: str) -> Answer[RegisteredCampaign]:
        """How a campaign stands; four requests, because four places know about it."""
        path = f"/campaign/{quote(tcr_campaign_id, safe='')}"
        found = await self._client.read(path, records.CampaignRecord)
        if not isinstance(found, Accepted):
            return found
        sharing = await self._client.read(f"{path}/sharing", records.Sharing)
        if not isinstance(sharing, Accepted):
            return sharing
        operations = await self._client.read(f"{path}/operationStatus", records.OperationStatus)
        if not isinstance(operations, Accepted):
            return operations
        metadata = await self._client.read(f"{path}/mnoMetadata", records.MnoMetadata)
        if not isinstance(metadata, Accepted):
            return metadata
        try:
            return Accepted(records.campaign(found.value, sharing.value, operations.value, metadata.value))
        except Misunderstood as error:
            return Unknown(reason=f"campaign not understood: {error}", raw=repr(found.value))

    async def find_campaign(self, reference_id: str) -> Answer[RegisteredCampaign | None]:
        """Look a campaign up by our own reference; an expired one is found too."""
        return await self._find("/campaign", reference_id, lambda row: row.campaign_id, self.read_campaign)

    async def deactivate_campaign(self, tcr_campaign_id: str) -> Answer[None]:
        """Deactivate for good; already gone is Accepted."""
        return await self._remove(f"/campaign/{quote(tcr_campaign_id, safe='')}")

    async def _remove(self, path: str) -> Answer[None]:
        removed = await self._client.write("DELETE", path, Nothing)
        if isinstance(removed, Accepted) or (isinstance(removed, Refused) and is_gone(removed)):
            return Accepted(None)
        return removed

    async def _find(
        self,
        path: str,
        reference_id: str,
        id_of: Callable[[records.ListedRecord], str | None],
        read: Callable[[str], Awaitable[Answer[T]]],
    ) -> Answer[T | None]:
        """The row with exactly this reference, read in full; None only when no other row could carry it."""
        listed = await self._client.read(path, records.Page, referenceId=reference_id, page="1", recordsPerPage="50")
        if not isinstance(listed, Accepted):
            return listed
        rows = listed.value.records
        for found in (id_of(row) for row in rows if row.reference_id == reference_id):
            if found is None:
                return Unknown(reason="a row without an id", raw=repr(rows)[:2000])
            answer = await read(found)
            if isinstance(answer, Refused) and is_gone(answer):
                continue
            return answer
        if listed.value.total_records > len(rows):
            return Unknown(reason="the list was neither narrowed nor whole: it may be elsewhere in it")
        return Accepted(None)
