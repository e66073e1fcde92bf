-- A queue of a million entries is not kept in memory: what waits is found by its date and by its lane.
-- due: wall-clock milliseconds, null for what has no date (final, or waiting for a person only).
-- lane: where it goes, as `Lane` prints it; a hint, for policy may ask more meanwhile. Null: not known.
-- state: as `queue list` prints it. class: the first class of the message, for the gauges.
ALTER TABLE progress ADD COLUMN due INTEGER;
ALTER TABLE progress ADD COLUMN lane TEXT;
ALTER TABLE progress ADD COLUMN state TEXT;
ALTER TABLE progress ADD COLUMN class TEXT;
-- How many recipients the entry has; the default says that nobody counted.
ALTER TABLE entry ADD COLUMN recipients INTEGER NOT NULL DEFAULT 65535;
-- A record that cannot be read is tried at once, as ever.
UPDATE progress SET
    due = CASE WHEN json_valid(CAST(record AS TEXT))
        THEN coalesce(json_extract(CAST(record AS TEXT), '$.waiting.next_attempt'), 0) ELSE 0 END,
    state = CASE WHEN json_valid(CAST(record AS TEXT)) AND json_extract(CAST(record AS TEXT), '$.waiting.held')
        THEN 'held' ELSE 'deferred' END
    WHERE final = 0;
CREATE INDEX progress_due ON progress (due, entry, recipient, lane) WHERE due IS NOT NULL;
CREATE INDEX progress_lane ON progress (lane, due, entry, recipient) WHERE due IS NOT NULL;
