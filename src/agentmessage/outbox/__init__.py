"""Events and the jobs they start, written in the caller's transaction.

`emit` writes an event and the jobs that its type starts; `enqueue` writes a job alone. Both become true
with the caller's commit or not at all. `job_runner` claims jobs by lease; `notifications` wakes idle workers, as a hint
only: every loop also looks by itself once a second. A handler may run twice; it says why that is harmless.
`unparsed_responses` stores responses that no rule understands.
"""
