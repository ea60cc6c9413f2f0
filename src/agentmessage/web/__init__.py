"""The edge that every route shares: dispatch, authentication, shape checks, envelope, idempotency, paging, OpenAPI.

A room's `routes.py` declares operations with `@route(...)`; `asgi.Edge` serves them. One table of declarations feeds
dispatch, validation and `GET /openapi.json`, so that they cannot disagree.
"""
