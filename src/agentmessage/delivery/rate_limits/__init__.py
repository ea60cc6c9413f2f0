"""How fast messages may go to the carrier: rates, token buckets, and the limiter that draws on them."""
