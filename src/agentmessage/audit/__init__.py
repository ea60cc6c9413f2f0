"""The audit log's hash chain: rows are sealed in one order, and the chain can be verified."""
