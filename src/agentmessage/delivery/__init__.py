"""From the outbox to the handset: texts that were admitted are claimed, paced, handed over, recorded and followed.

    dispatching ─▶ drawing (pace) ─▶ carrier ─▶ recording ─▶ receipts
         └─▶ handover (judged again)                └─▶ expiry (what nobody answers for)

A claim is committed before the carrier hears of it, so a text whose worker died is unknown and never sent again
blindly. Everything is set-based: many texts, one commit. Status moves forward only.
"""
