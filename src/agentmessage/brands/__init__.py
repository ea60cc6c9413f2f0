"""Who is texting: a brand is filed with the registry, looked at, and verified or not.

    PENDING ──registered──▶ ACTIVE ──deleted──▶ DELETED        identity_status: null ▶ UNVERIFIED | VERIFIED | …

A POST charges the filing fee and writes the job `brands.file`; the registry is called by jobs only, and what it says is
believed only when read (`brands.check`), never from a callback alone. A refused brand stays PENDING with its
`failure_reasons`; a PATCH files it again, for another fee. Events: brand.created, updated, deleted, vetted,
vetting_failed. Campaigns, numbers and the wiring call `operations`; nobody else writes the table.
"""
