-- Brands and campaigns: who is texting, and why.

CREATE TABLE brands (
    id                  uuid PRIMARY KEY,       -- also the registry's referenceId (as hex), our key after a crash
    org_id              uuid NOT NULL REFERENCES organizations (id),
    account             text NOT NULL CHECK (account IN ('live', 'sandbox')),   -- which registry: the organization's mode
    tcr_brand_id        text,
    status              text NOT NULL CHECK (status IN ('PENDING', 'ACTIVE', 'DELETED')),
    identity_status     text CHECK (identity_status IN ('SELF_DECLARED', 'UNVERIFIED', 'VERIFIED', 'VETTED_VERIFIED')),
    entity_type         text NOT NULL,
    brand_relationship  text NOT NULL,
    display_name        text NOT NULL,
    country             text NOT NULL,
    fields              jsonb NOT NULL DEFAULT '{}',    -- the optional ones, by name; never a tax id
    tax_id_sealed       bytea,
    tax_id_last4        text,
    revision            integer NOT NULL DEFAULT 1,     -- +1 with every change by the customer
    applied_revision    integer NOT NULL DEFAULT 0,     -- the newest revision that the registry has
    filings             integer NOT NULL DEFAULT 1,     -- how often it was paid for: +1 when refused and filed anew
    filed_at            timestamptz,            -- last handed to the registry without a sure answer; null: it surely has nothing
    filing_misses       integer NOT NULL DEFAULT 0,     -- look-ups that found nothing; two allow filing again
    submitted_at        timestamptz,            -- registered
    verified_at         timestamptz,
    failure_reasons     text[] NOT NULL DEFAULT '{}',   -- the registry's words when it refused or could not verify
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL,
    UNIQUE (tcr_brand_id, account)
);
CREATE INDEX brands_list_idx ON brands (org_id, created_at DESC, id DESC);

CREATE TABLE campaigns (
    id                  uuid PRIMARY KEY,       -- also the registry's referenceId (as hex)
    org_id              uuid NOT NULL REFERENCES organizations (id),
    account             text NOT NULL CHECK (account IN ('live', 'sandbox')),
    brand_id            uuid NOT NULL REFERENCES brands (id),
    tcr_campaign_id     text,
    status              text NOT NULL CHECK (status IN ('PENDING', 'ACTIVE', 'REJECTED', 'EXPIRED')),
    is_suspended        boolean NOT NULL DEFAULT false,  -- comes back by itself; sends and binds wait
    is_shared           boolean NOT NULL DEFAULT false,
    usecase             text NOT NULL,
    sub_usecases        text[] NOT NULL DEFAULT '{}',
    description         text NOT NULL,
    message_flow        text NOT NULL,
    fields              jsonb NOT NULL DEFAULT '{}',    -- samples, keywords, messages, links, flags, by name
    number_cap          integer NOT NULL,       -- 1 sole proprietor, 49 without a pool, else the pool's (domain notes 1.4)
    mno_metadata        jsonb NOT NULL DEFAULT '{}',
    monthly_fee_microcents bigint NOT NULL,
    months_charged      integer NOT NULL DEFAULT 0,     -- numbers the months, so that none is charged twice
    filed_at            timestamptz,            -- as in brands
    filing_misses       integer NOT NULL DEFAULT 0,
    submitted_at        timestamptz,
    activated_at        timestamptz,            -- first approved: the paid months count from this day
    billed_at           timestamptz,
    renews_on           date,
    expired_at          timestamptz,
    rejection_reasons   text[] NOT NULL DEFAULT '{}',
    rejected_at         timestamptz,
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL,
    UNIQUE (tcr_campaign_id, account)
);
CREATE INDEX campaigns_list_idx ON campaigns (org_id, created_at DESC, id DESC);
CREATE INDEX campaigns_brand_idx ON campaigns (brand_id);
