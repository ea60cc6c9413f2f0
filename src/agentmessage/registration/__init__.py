"""Registration with The Campaign Registry (TCR): the program that brands and campaigns share.

file → look up → check → end. A filing whose answer was lost is looked up by our reference; only after several look-ups
found nothing is it filed again. `jobs.RegistrationJobs` is the program. Each room adds its calls, and what an answer
changes, in its own `jobs` and `registry_results`.
"""
