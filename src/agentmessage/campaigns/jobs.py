"""What happens to a campaign after the response: claim, call the registry, record. No transaction is open in a call.

    campaigns.file        registers it; an unknown outcome is looked up by our reference and never repeated blindly
    campaigns.check       shares it, reads it until it is reviewed, and rarely after that
    campaigns.deactivate  ends it at the registry; already ended counts as done
    campaigns.renew       charges the next month on the anniversary of the approval

Every handler may run twice: it decides again under the row's lock. `registration.jobs` has the program that brands and
campaigns share: filing, look-ups, and every answer but Accepted.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from typing_extensions import override

from agentmessage.brands import operations as brands
from agentmessage.campaigns import queries, registry_results, rules
from agentmessage.campaigns.model import Campaign, CampaignStatus
from agentmessage.carriers.protocols import (
    Accepted,
    Answer,
    Deferred,
    Refused,
    RegisteredCampaign,
    Registry,
    Trouble,
    Unknown,
)
from agentmessage.kernel.db import CellDb, Tx
from agentmessage.kernel.tenant import operator
from agentmessage.outbox.job_runner import Done, Handler, Snooze
from agentmessage.registration.jobs import RegistrationJobs

NOT_READY_S = 60.0
"""Until a filing is repeated whose brand the registry does not accept campaigns for yet."""

RECHECK_S = 3600.0
"""Between two reads of an approved campaign, which find a suspension whose callback was lost."""


def handlers(registries: Mapping[str, Registry], *, recheck_s: float = RECHECK_S) -> dict[str, Handler]:
    """The room's jobs; `registries` by account, live or sandbox."""
    jobs = CampaignJobs(registries, recheck_s=recheck_s)
    return {
        "campaigns.file": jobs.file,
        "campaigns.check": jobs.check,
        "campaigns.deactivate": jobs.deactivate,
        "campaigns.renew": jobs.renew,
    }


class CampaignJobs(RegistrationJobs[Campaign, RegisteredCampaign]):
    """Registers campaigns, follows their review, and charges their months."""

    def __init__(self, registries: Mapping[str, Registry], *, recheck_s: float) -> None:
        super().__init__(registries, queries, kind="campaign")
        self._recheck_s = recheck_s

    async def check(self, db: CellDb, arguments: Mapping[str, Any]) -> Done | Snooze:
        """Read the status of a campaign, share it if necessary, and repeat while it may change."""
        org_id, campaign_id = self._keys(arguments)
        campaign = await queries.find(db, org_id, campaign_id)
        if campaign is None or campaign.tcr_campaign_id is None or campaign.status == CampaignStatus.EXPIRED:
            return Done()
        answer = await self._registry(campaign).read_campaign(campaign.tcr_campaign_id)
        if not isinstance(answer, Accepted):
            return await self._not_read(db, campaign, answer)
        seen = answer.value
        not_shared = None
        if seen.status == CampaignStatus.PENDING and not seen.is_shared:
            shared = await self._registry(campaign).share_campaign(campaign.tcr_campaign_id)
            not_shared = None if isinstance(shared, Accepted) else shared
            seen = msgspec.structs.replace(seen, is_shared=not_shared is None)
        return await self._record_read(db, campaign, seen, not_shared)

    async def _record_read(
        self,
        db: CellDb,
        campaign: Campaign,
        seen: RegisteredCampaign,
        not_shared: Refused | Deferred | Unknown | None,
    ) -> Done | Snooze:
        async with db.transaction() as tx:
            new = await registry_results.record_status(tx, campaign.org_id, campaign.id, seen, cell=db.name)
        if not_shared is not None:
            return await self._not_read(db, campaign, not_shared)
        delay_s = None if new is None else rules.poll_delay_s(new, db.now, recheck_s=self._recheck_s)
        return Done() if delay_s is None else Snooze(delay_s)

    async def deactivate(self, db: CellDb, arguments: Mapping[str, Any]) -> Done | Snooze:
        """End at the registry what was ended here; a filing whose answer was lost is looked up first."""
        campaign = await queries.find(db, *self._keys(arguments))
        if campaign is None or campaign.status != CampaignStatus.EXPIRED:
            return Done()
        if campaign.tcr_campaign_id is None:
            return await self._look_up_ended(db, campaign)
        answer = await self._registry(campaign).deactivate_campaign(campaign.tcr_campaign_id)
        return Done() if isinstance(answer, Accepted) else await self._not_read(db, campaign, answer)

    async def renew(self, db: CellDb, arguments: Mapping[str, Any]) -> Done | Snooze:
        """Charge the month that has begun; missed months follow one after another. It may overdraw the wallet."""
        async with db.transaction() as tx:
            wait_s = await registry_results.renew(tx, *self._keys(arguments), cell=db.name)
        return Done() if wait_s is None else Snooze(wait_s)

    @override
    async def _submit(self, db: CellDb, record: Campaign) -> Answer[RegisteredCampaign]:
        brand = await brands.get(db, operator(record.org_id, db.name, record.account), record.brand_id)
        return await self._registry(record).file_campaign(rules.filing(record, brand.tcr_brand_id or ""))

    @override
    async def _find(self, record: Campaign) -> Answer[RegisteredCampaign | None]:
        return await self._registry(record).find_campaign(record.reference_id)

    @override
    async def _record_registered(self, tx: Tx, filed: Campaign, seen: RegisteredCampaign, *, is_found: bool) -> None:
        await registry_results.record_registered(tx, filed, seen)

    @override
    async def _record_refused(self, tx: Tx, filed: Campaign, text: str, *, cell: str) -> bool:
        await registry_results.record_refused(tx, filed, text, cell=cell)
        return True

    @override
    def _refusal_wait_s(self, refused: Refused) -> float | None:
        if (wait_s := super()._refusal_wait_s(refused)) is not None:
            return wait_s
        return NOT_READY_S if refused.trouble is Trouble.CAMPAIGN_NOT_READY else None
