"""The OpenAPI 3.1 document, made from the declarations that also validate, dispatch and serialize.

`document.describe(routes, events)` is the whole of it; `implied.refusals(route)` says what an operation can refuse, and
is read by the tests and by the generated reference too, so that the three cannot disagree.
"""
