"""Telling receivers what happened: endpoints, signing, fan-out, attempts, replay.

Every fact of the outbox is taken once, in one transaction that writes a delivery for each receiver that wants it: an
endpoint of the organization, or the URL of a number. Each receiver is a lane; a dispatcher holds the lanes that it
works on, so that a slow or dead receiver keeps only its own waiting. A delivery ends as `success` or `dead`; every
attempt is written down. At least once: whoever is told twice is told the same id.
"""
