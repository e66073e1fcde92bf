-- What the queue keeps: an entry is written once, with its whole envelope and what must hold for each recipient.
CREATE TABLE entry (id INTEGER PRIMARY KEY, head BLOB NOT NULL);
-- The message, where it is small; large ones are files in bodies/.
CREATE TABLE body (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
-- What has happened to a recipient so far; a recipient without a row is new.
CREATE TABLE progress (
    entry INTEGER NOT NULL, recipient INTEGER NOT NULL, final INTEGER NOT NULL, record BLOB NOT NULL,
    PRIMARY KEY (entry, recipient)) WITHOUT ROWID;
-- What was decided at the dot, and why.
CREATE TABLE decision (
    id INTEGER PRIMARY KEY, message_id TEXT, reverse_path TEXT NOT NULL, recipients TEXT NOT NULL, record BLOB NOT NULL);
-- What happened in the end, per recipient.
CREATE TABLE outcome (
    entry INTEGER NOT NULL, recipient INTEGER NOT NULL, record BLOB NOT NULL,
    PRIMARY KEY (entry, recipient)) WITHOUT ROWID;
