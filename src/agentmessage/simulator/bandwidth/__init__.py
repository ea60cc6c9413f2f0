"""The simulated carrier's API."""
