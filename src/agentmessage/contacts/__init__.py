"""The people at the other end: forgetting what was said with one of them.

Erasure takes the content out of every text with a contact, in both directions and over all numbers of the
organization, in one transaction with its audit record. Consent and its history stay: they are the proof that texting
was lawful, and what keeps a STOP in force.
"""
