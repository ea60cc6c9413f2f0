-- Brands and campaigns: who is texting, and why.

CREATE TABLE brands (
    id                  uuid PRIMARY KEY,       -- also the registry's referenceId (as hex), our key after a crash
    org_id              uuid NOT NULL REFERENCES organizations (id),
    tcr_brand_id        text UNIQUE,
    status              text NOT NULL CHECK (status IN ('PENDING', 'ACTIVE', 'DELETED')),
    identity_status     text CHECK (identity_status IN ('SELF_DECLARED', 'UNVERIFIED', 'VERIFIED', 'VETTED_VERIFIED')),
    entity_type         text NOT NULL,
    brand_relationship  text NOT NULL,
    display_name        text NOT NULL,
    country             text NOT NULL,
    fields              jsonb NOT NULL,         -- the optional ones, by name; never a tax id
    tax_id_sealed       bytea,
    tax_id_last4        text,
    filed_at            timestamptz,            -- first handed to the registry
    submitted_at        timestamptz,
    verified_at         timestamptz,
    failure             text,                   -- the registry's words when it refused
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL
);
CREATE INDEX brands_list_idx ON brands (org_id, created_at DESC, id DESC);

CREATE TABLE campaigns (
    id                  uuid PRIMARY KEY,
    org_id              uuid NOT NULL REFERENCES organizations (id),
    brand_id            uuid NOT NULL REFERENCES brands (id),
    tcr_campaign_id     text UNIQUE,
    status              text NOT NULL CHECK (status IN ('PENDING', 'ACTIVE', 'REJECTED', 'EXPIRED')),
    is_suspended        boolean NOT NULL DEFAULT false,  -- comes back by itself; sends and binds wait
    is_shared           boolean NOT NULL DEFAULT false,
    usecase             text NOT NULL,
    sub_usecases        text[] NOT NULL,
    description         text NOT NULL,
    message_flow        text NOT NULL,
    fields              jsonb NOT NULL,         -- samples, keywords, messages, links, flags, by name
    number_cap          integer NOT NULL,       -- 1 sole proprietor, 49 without a pool, else the pool's (domain notes 1.4)
    mno_metadata        jsonb NOT NULL DEFAULT '{}',
    monthly_fee_microcents bigint NOT NULL,
    submitted_at        timestamptz,
    billed_at           timestamptz,
    renews_on           date,
    expired_at          timestamptz,
    rejection_reasons   text[] NOT NULL DEFAULT '{}',
    rejected_at         timestamptz,
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL
);
CREATE INDEX campaigns_list_idx ON campaigns (org_id, created_at DESC, id DESC);
CREATE INDEX campaigns_brand_idx ON campaigns (brand_id);
