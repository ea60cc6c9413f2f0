"""Delivery receipts: read, matched with message parts, and applied."""
