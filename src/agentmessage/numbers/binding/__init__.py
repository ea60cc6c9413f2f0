"""The reconciler: makes the carrier's line option of each number follow the desired campaign.

rules                         decide(): pure
reconciler                    plan: which orders follow from the decisions
carrier_orders                claim │ call │ record
observations, drift           what the carrier has: read by number, and compared by account
call_budget                   calls allowed by carrier account, and its circuit breaker
status                        why a number stands where it stands, for people
"""
