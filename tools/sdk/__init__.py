"""Makes the client library's generated parts from the contract; `tools/make_sdk.py` is the command."""
