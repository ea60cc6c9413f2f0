"""What all parts of a simulated world share: accounts, entities, schedule, faults, callbacks."""
