"""Search, buy, renew, release and return phone numbers.

operations, release           the verbs: order, bulk order, fail; release, bulk release
inventory                     the pool and what the carrier sells
purchase_jobs, return_jobs    claim │ call │ record, by `carrier_calls`
renewals                      the monthly charge, and the end of quarantine
"""
