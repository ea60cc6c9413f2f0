"""Who sends messages: a brand is filed with the registry, and its identity is verified or not.

    PENDING ──registered──▶ ACTIVE ──deleted──▶ DELETED        identity_status: null ▶ UNVERIFIED | VERIFIED | …

A POST charges the filing fee and enqueues the job `brands.file`. Only jobs call the registry. A callback alone changes
nothing: `brands.check` reads the brand. A refused brand stays PENDING with its `failure_reasons`; a PATCH files it
again, for another fee. Events: brand.created, updated, deleted, vetted, vetting_failed. Campaigns, numbers and the
wiring call `operations`; only this room writes the table.
"""
