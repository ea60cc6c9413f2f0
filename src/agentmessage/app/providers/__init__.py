"""Which adapter serves which account: carriers, messages, payments, media."""
