-- What people did to the queue: never changed, and forgotten after the same time as decisions and outcomes.
CREATE TABLE action (id INTEGER PRIMARY KEY, record BLOB NOT NULL);
-- The entries that an action changed, and which of their recipients.
CREATE TABLE acted (
    entry INTEGER NOT NULL, action INTEGER NOT NULL, record BLOB NOT NULL,
    PRIMARY KEY (entry, action)) WITHOUT ROWID;
CREATE INDEX acted_by_action ON acted (action);
-- What a person asked for a recipient that is still in the queue; it goes with its entry.
CREATE TABLE instruction (
    entry INTEGER NOT NULL, recipient INTEGER NOT NULL, record BLOB NOT NULL,
    PRIMARY KEY (entry, recipient)) WITHOUT ROWID;
