"""Inbound messages: received, assembled, stored, and their keywords obeyed.

    carrier ─▶ receive ─▶ raw ─▶ parts ─▶ line ─▶ charge ─▶ conversation ─▶ stored ─▶ keyword law ─▶ event ─▶ commit

`operations.receive` is the one way in, whatever the carrier. Every text is one transaction: what came is kept raw, a
long text waits for its parts, the number tells whose it is, and STOP, START, HELP and YES are obeyed before the carrier
is told that we have it. Two deliveries of one text are one. What could not be applied is kept, counted and tried again
by the job `inbound.apply`. Events: `inbound_message.received`. Nothing calls into this room but the carriers' ears.
"""
