"""From the queue to the handset: admitted messages are claimed, sent, recorded and followed to their receipt.

    dispatcher ─▶ rate_limits ─▶ carrier ─▶ recorder ─▶ receipts
         └─▶ recheck (the rules again)         └─▶ sweeper (stale claims, expiry, missing receipts)

A claim is committed before the carrier is called. A message whose worker died is of unknown outcome and is never sent
again. Every step is set-based: many messages in one commit. Status moves forward only.
"""
