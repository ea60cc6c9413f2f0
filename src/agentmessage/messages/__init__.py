"""Outbound messages: checked and stored here, then sent and followed by the room `delivery`.

    POST /v1/messages ─▶ admission ─▶ queue ─▶ dispatcher ─▶ carrier ─▶ recorder ─▶ receipts

Every message is admitted by `admission`, whatever surface it came from. Messages that arrive together are judged and
written together. An admitted message waits in a small table, the queue, until the carrier accepts it.

States: queued → sending → sent → delivered | undelivered | failed; canceled from queued only. Status moves forward; a
late receipt may turn an expired wait into delivered, nothing else.
"""
