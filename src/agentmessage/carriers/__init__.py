"""Lines into the phone network, and the registry that says who may text.

`protocols` and `messaging` are the whole vocabulary: small protocols by capability (`NumberSource`, `LineOptions`,
`Registry`) and the four answers that every call gives. `http` is the one way out. Each adapter is a package that speaks
one vendor's contract and translates it; vendors' codes, formats and quirks stop there. Only `app.providers` names an
adapter.
"""
