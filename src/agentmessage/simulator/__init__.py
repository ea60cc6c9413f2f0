"""The carrier and the registry that are always there: real HTTP, real delays, faults on demand, an oracle.

A world holds two carrier accounts (live and sandbox) that share nothing, each with its inventory of fictional numbers,
its numbers in service, its orders, its texts, and its campaigns at the registry. It speaks Bandwidth's numbers and
messaging contracts, SMPP 3.4 and The Campaign Registry's REST contract (docs/carriers/), and beside them a control
plane
under `/_control`.

    wire       what goes in and comes out of a world: Request, Reply, OutgoingCallback
    world      the door: one pure, deterministic object; `handle`, `advance`, `next_event_at`, `due_callbacks`
    state      what a world remembers; every entity can be written to disk and read back
    …          orders, purchases, registry: what happens; *_api: how it is said on the wire
    texts, text_desk, text_transit, text_book
               texts: taken or refused, carried, told of until acknowledged, and remembered; pure as well
    smsc, messaging_api, text_post
               the two ways on which texts come and are told of
    server     the process: a socket, a disk, a clock, and the delivery of callbacks

Nothing here imports the adapters: a simulator that shared their code could not disagree with them.
"""
