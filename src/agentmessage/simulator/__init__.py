"""The carrier and the registry that are always there: real HTTP, real delays, faults on demand, an oracle.

A world holds two carrier accounts (live and sandbox) that share nothing, each with its inventory of fictional numbers,
its numbers in service, its orders, its texts, and its campaigns at the registry. It speaks Bandwidth's numbers and
messaging contracts, SMPP 3.4 and The Campaign Registry's REST contract (docs/carriers/), and beside them a control
plane under `/_control`.

    world      one pure, deterministic object: `handle`, `advance`, `next_event_at`, `due_callbacks`
    core       entities, schedule, faults, callbacks, requests and replies
    bandwidth  numbers, orders, lookups and messaging over HTTP
    tcr        brands and campaigns
    messaging  messages: accepted, carried, delivered, reported; pure
    smsc       the same messages over SMPP
    server     the process: a socket, a disk, a clock, and callbacks over HTTP

Nothing here imports the adapters: a simulator that shared their code could not disagree with them.
"""
