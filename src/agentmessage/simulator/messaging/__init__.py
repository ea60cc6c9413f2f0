"""Messages at the simulated carrier: accepted, carried, delivered, reported."""
