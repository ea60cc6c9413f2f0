"""The client over plain sockets, made from `agentmessage.sdk.aio` by `tools/make_sdk.py`."""
