"""Texts out: accepted durably and lawfully, handed to the carrier, followed until they arrived.

    admission ─▶ message_queue ─▶ dispatching ─▶ carrier ─▶ recording ─▶ receipts

A text is admitted only through `admission`, whatever surface it came from: texts that arrive together are judged and
written together, in one transaction, under the lock of their organizations. What is admitted waits in `message_queue`,
a small table beside the large one, until its carrier has taken it.

States: queued → sending → sent → delivered | undelivered | failed; canceled from queued only. Status moves forward; a
late receipt may turn an expired wait into delivered, nothing else.
"""
