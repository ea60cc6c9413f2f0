"""Webhooks: endpoints, signing, fan-out, delivery, attempts, replay.

Every fact of the outbox is taken once, in one transaction that writes a delivery for each receiver that wants it: an
endpoint of the organization, or the URL of a number. Each receiver has a queue; a dispatcher holds the queues that it
works on, so that a slow or dead receiver keeps only its own waiting. A delivery ends as `success` or `dead`; every
attempt is recorded. Delivery is at least once: a repeated delivery has the same id.
"""
