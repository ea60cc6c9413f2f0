"""The right to text someone: who agreed to what, from which of our numbers, and who said no.

    (nothing) ──granted──▶ opted in ◀──granted── opted out      one record per (organization, number, contact)
                              └──withdrawn──▶       ▲
    (nothing) ──withdrawn──────────────────────────┘

An opt-out says who made it, and that decides what lifts it: what came from the handset (STOP by word or phrase, or the
carrier) only START lifts; a revocation over the API gives way to an agreement made after it. Evidence is append-only.
Events: contact.opted_in, contact.opted_out, each once per change of state; queued texts to the pair are canceled by the
room that listens. Whoever changes who may be texted calls `operations.lock_law` before it takes any other lock.
"""
