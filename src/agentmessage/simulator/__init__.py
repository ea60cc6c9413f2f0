"""The simulated carrier and registry: real HTTP and SMPP, real delays, faults on demand, an oracle.

A world holds two accounts (live and sandbox) that share nothing. Each has an inventory of fictional numbers, numbers in
service, orders, messages, and campaigns at the registry. It speaks Bandwidth's numbers and messaging contracts, SMPP
3.4 and The Campaign Registry's REST contract (docs/carriers/), and has a control plane under `/_control`.

    world      one pure, deterministic object: `handle`, `advance`, `next_event_at`, `due_callbacks`
    core       accounts, entities, schedule, faults, callbacks: what all parts of a world share
    bandwidth  the carrier's HTTP: orders, listings, lookups, messaging
    tcr        the registry
    messaging  messages: accepted or rejected, carried, delivered until acknowledged; pure as well
    smsc, message_callback_sender, callback_sender
               deliver over SMPP and HTTP
    server     the process: sockets, storage, clock

Nothing here imports the adapters: a simulator that shared their code could not disagree with them.
"""
