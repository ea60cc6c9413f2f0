"""Why a brand texts: a campaign is filed with the registry, shared with the carrier, reviewed by the operators.

    PENDING ──approved──▶ ACTIVE ◀──▶ ACTIVE, suspended
       │                    │  ▲
       ├──rejected──▶ REJECTED─┘ (an appeal)          any ──▶ EXPIRED (deactivated or run out; final)

A POST charges the first month and writes the job `campaigns.file`; the registry is called by jobs only. A campaign that
never became active has its month refunded. Events: campaign.created, shared, approved, rejected, suspended, resumed,
expired, each once per change. Neither suspension nor expiry touches a number's wish: the numbers room listens.
"""
