"""API keys: issue, scope, rotate, revoke.

A key is 42 characters, `am_live_` or `am_test_` and 34 random ones of which the first four stay visible. Only its
SHA-256 is kept: in the cell, where the key is listed for ever, and in the directory, where it can be used until it is
revoked. A key is alive or revoked; nothing brings it back. Nobody gains a scope by a key they make or rotate, and
nobody ends a key that can do more than theirs. A key names the key that made it, and ends with it. Emits
`api_key.created`, `api_key.rotated`, `api_key.revoked`.
"""
