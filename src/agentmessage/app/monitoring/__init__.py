"""What the operator sees: gauges, counters, health, connections to carriers, and the queries behind them."""
