"""What kind of line a number is, asked of a supplier: a fixed line cannot receive texts.

    processing ──▶ complete   the supplier knows the number
        │
        └────────▶ failed     it knows no such number, or could not be asked (then the charge is given back)

A POST charges, asks and records in one request; the job `lookups.finish` takes over a lookup whose request died. A
fixed line found here refuses texts to it for 90 days, after which the result is forgotten. Event: lookup.completed.
"""
