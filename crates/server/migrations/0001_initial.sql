-- Times are milliseconds since the Unix epoch. JSON columns hold values of the crate `protocol`.
-- Only what PostgreSQL knows too, apart from the storage classes: another engine gets its own copy of this file.

CREATE TABLE hearings (
    id         TEXT    PRIMARY KEY NOT NULL,
    case_info  TEXT    NOT NULL,
    settings   TEXT    NOT NULL,
    -- The hearing's state as of its last event, kept in the same transaction, for lists and for starting up.
    state      TEXT    NOT NULL,
    starts_at  BIGINT  NOT NULL,
    created_at BIGINT  NOT NULL
);

CREATE TABLE accounts (
    id         TEXT    PRIMARY KEY NOT NULL,
    login      TEXT    NOT NULL UNIQUE,
    name       TEXT    NOT NULL,
    -- argon2id, PHC string.
    password   TEXT    NOT NULL,
    created_at BIGINT  NOT NULL
);

CREATE TABLE seats (
    hearing    TEXT    NOT NULL REFERENCES hearings (id),
    id         TEXT    NOT NULL,
    position   BIGINT  NOT NULL,
    seat       TEXT    NOT NULL,
    account    TEXT    REFERENCES accounts (id),
    PRIMARY KEY (hearing, id)
);
CREATE INDEX seats_by_account ON seats (account);

-- A hearing code is stored as its keyed hash only.
CREATE TABLE codes (
    hash       BLOB    PRIMARY KEY NOT NULL,
    hearing    TEXT    NOT NULL,
    seat       TEXT    NOT NULL,
    UNIQUE (hearing, seat),
    FOREIGN KEY (hearing, seat) REFERENCES seats (hearing, id)
);

-- Tickets, seat tokens and staff sessions, as keyed hashes only.
CREATE TABLE tokens (
    hash       BLOB    PRIMARY KEY NOT NULL,
    kind       TEXT    NOT NULL,
    hearing    TEXT,
    seat       TEXT,
    account    TEXT,
    issued_at  BIGINT  NOT NULL,
    expires_at BIGINT  NOT NULL
);
CREATE INDEX tokens_by_seat ON tokens (hearing, seat);
CREATE INDEX tokens_by_expiry ON tokens (expires_at);

-- The log of a hearing. The primary key refuses a second writer.
CREATE TABLE events (
    hearing    TEXT    NOT NULL REFERENCES hearings (id),
    seq        BIGINT  NOT NULL,
    envelope   TEXT    NOT NULL,
    PRIMARY KEY (hearing, seq)
);

-- For the court only: who tried what, from where, on what device.
CREATE TABLE audit (
    id         INTEGER PRIMARY KEY,
    at         BIGINT  NOT NULL,
    kind       TEXT    NOT NULL,
    hearing    TEXT,
    seat       TEXT,
    account    TEXT,
    address    TEXT,
    device     TEXT,
    detail     TEXT
);
CREATE INDEX audit_by_hearing ON audit (hearing, at);

-- Facts about this server: when it was last seen alive.
CREATE TABLE server_facts (
    name       TEXT    PRIMARY KEY NOT NULL,
    value      BIGINT  NOT NULL
);
