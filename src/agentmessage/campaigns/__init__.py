"""Why a brand sends messages: a campaign is filed with the registry, shared with the carrier, reviewed by operators.

    PENDING ──approved──▶ ACTIVE ◀──▶ ACTIVE, suspended
       │                    │  ▲
       ├──rejected──▶ REJECTED─┘ (an appeal)          any ──▶ EXPIRED (deactivated or run out; final)

A POST charges the first month and enqueues the job `campaigns.file`. Only jobs call the registry. A campaign that never
became active has its month refunded. Events: campaign.created, shared, approved, rejected, suspended, resumed, expired,
each once per change. Suspension and expiry do not change the desired campaign of a number: the numbers room reacts to
the event.
"""
