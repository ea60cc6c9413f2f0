"""SMPP 3.4, both ends of it: bytes in, bytes out, and no idea of what a text is for.

`pdu` names what travels, `codec` turns it into octets and back, `receipts` reads delivery receipts. `client.connect`
binds to a carrier and answers a `ClientSession`; `server.serve` accepts binds and hands out a `ServerSession` each.
Both are a `session.Session`: a window of requests in flight, timers, and back-pressure.

Two rules decide the shape. What the peer sends us is acknowledged only after the handler has returned, so that a crash
loses nothing. And a request without an answer is never sent again in here: the caller learns that it is unknown.

Anybody above may call it; it imports nobody. Source of the protocol: SMPP v3.4 Issue 1.2 (SMS Forum, 1999).
"""
