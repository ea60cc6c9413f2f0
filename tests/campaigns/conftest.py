"""The two rooms behind one edge, and the simulated registry behind them."""

from tests.make.registration import app, cells, clock, registrar

__all__ = ["app", "cells", "clock", "registrar"]
