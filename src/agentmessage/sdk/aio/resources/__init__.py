"""The families of operations, a class for each. Generated from the contract by `tools/make_sdk.py`."""
