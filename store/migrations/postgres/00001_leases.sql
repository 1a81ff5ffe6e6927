-- +goose Up
-- A row is a lease as one JSON document, and beside it the columns that rules
-- and queries need. Times are microseconds since 1970. Text is compared byte by
-- byte, as in Go, whatever the database's locale is.
CREATE TABLE leases (
	id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	version    BIGINT  NOT NULL,
	state      TEXT COLLATE "C" NOT NULL CHECK (state IN ('wanted', 'launching', 'booting', 'ready', 'busy', 'releasing', 'gone')),
	controller TEXT COLLATE "C" NOT NULL,
	job        TEXT COLLATE "C" NOT NULL, -- '' for a spare
	number     BIGINT  NOT NULL,
	started    BIGINT  NOT NULL, -- 0: no run was seen yet
	attempt    BIGINT  NOT NULL,
	pool       TEXT COLLATE "C" NOT NULL,
	team       TEXT COLLATE "C" NOT NULL,
	cloud      TEXT COLLATE "C" NOT NULL,
	vm         TEXT COLLATE "C" NOT NULL,
	order_id   TEXT COLLATE "C" NOT NULL,
	created    BIGINT  NOT NULL,
	since      BIGINT  NOT NULL,
	online     BIGINT,           -- NULL: never
	doc        JSONB   NOT NULL
);

-- The rules of nodes.Store, which the database itself guards.
CREATE UNIQUE INDEX leases_run_held ON leases (controller, job, number)
	WHERE job <> '' AND state NOT IN ('releasing', 'gone');
CREATE UNIQUE INDEX leases_attempt ON leases (controller, job, number, started, attempt)
	WHERE job <> '' AND started <> 0;
CREATE UNIQUE INDEX leases_machine ON leases (cloud, vm)
	WHERE vm <> '' AND state <> 'gone';

CREATE INDEX leases_live ON leases (created, id) WHERE state <> 'gone';
CREATE INDEX leases_outside ON leases (pool, cloud, team) WHERE state NOT IN ('wanted', 'gone');
CREATE INDEX leases_history ON leases (job, number, controller, created, id) WHERE job <> '';
CREATE INDEX leases_online ON leases (pool, online, id) WHERE online IS NOT NULL;
CREATE INDEX leases_runs ON leases (created, id, job) WHERE job <> '';
CREATE INDEX leases_job ON leases (job, created, id) WHERE job <> '';
CREATE INDEX leases_ended ON leases (since) WHERE state = 'gone';
CREATE INDEX leases_order ON leases (order_id) WHERE order_id <> '';

-- Each change of State or Reason; version is that of the lease then.
CREATE TABLE events (
	lease   TEXT COLLATE "C" NOT NULL REFERENCES leases (id) ON DELETE CASCADE,
	version BIGINT  NOT NULL,
	at      BIGINT  NOT NULL,
	state   TEXT COLLATE "C" NOT NULL,
	reason  TEXT COLLATE "C" NOT NULL,
	place   TEXT COLLATE "C" NOT NULL,
	PRIMARY KEY (lease, version)
);

CREATE TABLE orders (
	id     TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	stored BIGINT  NOT NULL,
	doc    JSONB   NOT NULL
);
CREATE INDEX orders_stored ON orders (stored);

CREATE TABLE catalogs (
	version BIGINT  NOT NULL PRIMARY KEY,
	at      BIGINT  NOT NULL,
	author  TEXT COLLATE "C" NOT NULL,
	sha256  TEXT COLLATE "C" NOT NULL, -- of the text
	text    BYTEA   NOT NULL  -- gzip
);

CREATE TABLE drains (
	pool   TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	author TEXT COLLATE "C" NOT NULL,
	reason TEXT COLLATE "C" NOT NULL,
	at     BIGINT  NOT NULL
);
