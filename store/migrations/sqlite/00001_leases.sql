-- +goose Up
-- A row is a lease as one JSON document, and beside it the columns that rules
-- and queries need. Times are microseconds since 1970.
CREATE TABLE leases (
	id         TEXT    NOT NULL PRIMARY KEY,
	version    INTEGER NOT NULL,
	state      TEXT    NOT NULL CHECK (state IN ('wanted', 'launching', 'booting', 'ready', 'busy', 'releasing', 'gone')),
	controller TEXT    NOT NULL,
	job        TEXT    NOT NULL, -- '' for a spare
	number     INTEGER NOT NULL,
	started    INTEGER NOT NULL, -- 0: no run was seen yet
	attempt    INTEGER NOT NULL,
	pool       TEXT    NOT NULL,
	team       TEXT    NOT NULL,
	cloud      TEXT    NOT NULL,
	vm         TEXT    NOT NULL,
	order_id   TEXT    NOT NULL,
	created    INTEGER NOT NULL,
	since      INTEGER NOT NULL,
	online     INTEGER,          -- NULL: never
	doc        TEXT    NOT NULL CHECK (json_valid(doc))
) STRICT;

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
	lease   TEXT    NOT NULL REFERENCES leases (id) ON DELETE CASCADE,
	version INTEGER NOT NULL,
	at      INTEGER NOT NULL,
	state   TEXT    NOT NULL,
	reason  TEXT    NOT NULL,
	place   TEXT    NOT NULL,
	PRIMARY KEY (lease, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE orders (
	id     TEXT    NOT NULL PRIMARY KEY,
	stored INTEGER NOT NULL,
	doc    TEXT    NOT NULL CHECK (json_valid(doc))
) STRICT;
CREATE INDEX orders_stored ON orders (stored);

CREATE TABLE catalogs (
	version INTEGER NOT NULL PRIMARY KEY,
	at      INTEGER NOT NULL,
	author  TEXT    NOT NULL,
	sha256  TEXT    NOT NULL, -- of the text
	text    BLOB    NOT NULL  -- gzip
) STRICT;

CREATE TABLE drains (
	pool   TEXT    NOT NULL PRIMARY KEY,
	author TEXT    NOT NULL,
	reason TEXT    NOT NULL,
	at     INTEGER NOT NULL
) STRICT;
