"""The client over asyncio: the transport, pages, streams, and the resources that the contract names."""
