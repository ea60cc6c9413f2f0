"""What happens to a campaign after the response: claim, call the registry, record. No transaction is open in a call.

    campaigns.file        first registration; an unsure answer is looked up by our reference, never repeated blindly
    campaigns.check       shares it, polls until it is reviewed, then looks again now and then for as long as it lives
    campaigns.deactivate  ends it at the registry; already gone counts as done
    campaigns.renew       charges the next month on the anniversary of the approval

Every handler may run twice: what it writes is decided anew under the row's lock.
"""

from collections.abc import Mapping
from typing import Any, assert_never
from uuid import UUID

import msgspec
import structlog

from agentmessage.brands import operations as brands
from agentmessage.campaigns import queries, recording, rules
from agentmessage.campaigns.model import Campaign, CampaignStatus
from agentmessage.campaigns.rules import Step
from agentmessage.carriers.port import Accepted, Deferred, Refused, RegisteredCampaign, Registry, Unknown
from agentmessage.kernel.db import CellDb
from agentmessage.kernel.tenant import operator
from agentmessage.outbox.oddities import keep_if_odd
from agentmessage.outbox.worker import Again, Done, Handler

log = structlog.get_logger("agentmessage.campaigns")

LOOK_AGAIN_S = 2.0
"""Between a lost answer and its look-up, and between two look-ups that find nothing."""

NOT_READY_S = 60.0
OPERATOR_WAIT_S = 300.0
"""While the registry refuses us, and not the campaign."""

RECHECK_S = 3600.0
"""Between two looks at an approved campaign: a suspension whose callback was lost is found by then."""


def handlers(registries: Mapping[str, Registry], *, recheck_s: float = RECHECK_S) -> dict[str, Handler]:
    """The room's jobs; `registries` by account, live or sandbox."""
    jobs = CampaignJobs(registries, recheck_s=recheck_s)
    return {
        "campaigns.file": jobs.file,
        "campaigns.check": jobs.check,
        "campaigns.deactivate": jobs.deactivate,
        "campaigns.renew": jobs.renew,
    }


class CampaignJobs:
    """Speaks to the registry of each account."""

    def __init__(self, registries: Mapping[str, Registry], *, recheck_s: float) -> None:
        self._registries = registries
        self._recheck_s = recheck_s

    async def file(self, db: CellDb, arguments: Mapping[str, Any]) -> Done | Again:
        """Register a campaign, or find out whether an earlier attempt did."""
        async with db.transaction() as tx:
            step, campaign = await recording.begin_filing(tx, *_keys(arguments))
        if campaign is None:
            return Done()
        match step:
            case Step.NOTHING:
                return Done()
            case Step.LOOK_UP:
                return await self._look_up(db, campaign)
            case Step.FILE:
                return await self._file(db, campaign)
            case _:
                assert_never(step)

    async def _file(self, db: CellDb, campaign: Campaign) -> Done | Again:
        tenant = operator(campaign.org_id, db.name, campaign.account)
        brand = await brands.get(db, tenant, campaign.brand_id)
        answer = await self._registry(campaign).file_campaign(rules.filing(campaign, brand.tcr_brand_id or ""))
        match answer:
            case Accepted(seen):
                async with db.transaction() as tx:
                    await recording.record_registered(tx, campaign, seen)
                return Done()
            case Refused():
                return await self._refused(db, campaign, answer)
            case Deferred(reason, retry_after_s):
                log.info("registry defers a campaign", campaign_id=str(campaign.id), reason=reason)
                async with db.transaction() as tx:
                    await recording.record_not_filed(tx, campaign)
                return Again(retry_after_s)
            case Unknown():
                return await self._unsure(db, campaign, answer)
            case _:
                assert_never(answer)

    async def _look_up(self, db: CellDb, campaign: Campaign) -> Done | Again:
        answer = await self._registry(campaign).find_campaign(campaign.reference_id)
        if not isinstance(answer, Accepted):
            return await self._not_read(db, campaign, answer)
        async with db.transaction() as tx:
            if answer.value is None:
                await recording.record_miss(tx, campaign)
                return Again(LOOK_AGAIN_S)
            await recording.record_registered(tx, campaign, answer.value)
            return Done()

    async def check(self, db: CellDb, arguments: Mapping[str, Any]) -> Done | Again:
        """Read how a campaign stands, hand it on if that is still to be done, and come back while it may change."""
        org_id, campaign_id = _keys(arguments)
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
        return await self._record(db, campaign, seen, not_shared)

    async def _record(
        self,
        db: CellDb,
        campaign: Campaign,
        seen: RegisteredCampaign,
        not_shared: Refused | Deferred | Unknown | None,
    ) -> Done | Again:
        async with db.transaction() as tx:
            known = await recording.record_standing(tx, campaign.org_id, campaign.id, seen, cell=db.name)
        if not_shared is not None:
            return await self._not_read(db, campaign, not_shared)
        delay_s = None if known is None else rules.poll_delay_s(known, db.now, recheck_s=self._recheck_s)
        return Done() if delay_s is None else Again(delay_s)

    async def deactivate(self, db: CellDb, arguments: Mapping[str, Any]) -> Done | Again:
        """End at the registry what was ended here; a filing that was lost on the way is looked up first."""
        campaign = await queries.find(db, *_keys(arguments))
        if campaign is None or campaign.status != CampaignStatus.EXPIRED:
            return Done()
        if campaign.tcr_campaign_id is not None:
            gone = await self._registry(campaign).deactivate_campaign(campaign.tcr_campaign_id)
            return Done() if isinstance(gone, Accepted) else await self._not_read(db, campaign, gone)
        return Done() if campaign.filed_at is None else await self._look_up_ended(db, campaign)

    async def _look_up_ended(self, db: CellDb, campaign: Campaign) -> Done | Again:
        found = await self._registry(campaign).find_campaign(campaign.reference_id)
        if not isinstance(found, Accepted):
            return await self._not_read(db, campaign, found)
        async with db.transaction() as tx:
            if found.value is not None:
                await recording.record_registered(tx, campaign, found.value)
                return Again(0.0)
            if await recording.record_miss(tx, campaign) < rules.MISSES_TO_FILE_AGAIN:
                return Again(LOOK_AGAIN_S)
            await recording.record_not_filed(tx, campaign)
            return Done()

    async def renew(self, db: CellDb, arguments: Mapping[str, Any]) -> Done | Again:
        """Charge the month that has begun; missed months follow one by one. A wallet may be overdrawn by it."""
        async with db.transaction() as tx:
            wait_s = await recording.renew(tx, *_keys(arguments), cell=db.name)
        return Done() if wait_s is None else Again(wait_s)

    async def _refused(self, db: CellDb, campaign: Campaign, refused: Refused) -> Done | Again:
        if rules.must_wait(refused):
            log.error("registry refuses us", campaign_id=str(campaign.id), code=refused.code, text=refused.text)
            async with db.transaction() as tx:
                await recording.record_not_filed(tx, campaign)
            return Again(OPERATOR_WAIT_S if rules.is_ours_to_mend(refused) else NOT_READY_S)
        async with db.transaction() as tx:
            await recording.record_refused(tx, campaign, rules.words(refused), cell=db.name)
        return Done()

    async def _not_read(self, db: CellDb, campaign: Campaign, answer: Refused | Deferred | Unknown) -> Again:
        """Nothing was learned; come back. Safe after reads and after writes that may be repeated."""
        match answer:
            case Refused(_, code, text):
                log.warning("registry refuses to say", campaign_id=str(campaign.id), code=code, text=text)
                return Again(OPERATOR_WAIT_S)
            case Deferred(_, retry_after_s):
                return Again(retry_after_s)
            case Unknown():
                return await self._unsure(db, campaign, answer)
            case _:
                assert_never(answer)

    async def _unsure(self, db: CellDb, campaign: Campaign, answer: Unknown) -> Again:
        log.warning("registry's answer is unsure", campaign_id=str(campaign.id), reason=answer.reason)
        await keep_if_odd(db, answer, account=campaign.account, operation=f"registry.campaigns {campaign.reference_id}")
        return Again(LOOK_AGAIN_S)

    def _registry(self, campaign: Campaign) -> Registry:
        return self._registries[campaign.account]


def _keys(arguments: Mapping[str, Any]) -> tuple[UUID, UUID]:
    return UUID(arguments["org_id"]), UUID(arguments["campaign_id"])
