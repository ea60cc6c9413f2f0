"""Search, buy, renew and release phone numbers."""
