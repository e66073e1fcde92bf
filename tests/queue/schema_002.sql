-- A data folder of schema 2 (version 0.1.0 as of November 2026), an entry for each state: the rows of schema_001.sql without
-- its notices, one more that was put aside, and the columns as that version wrote them. Blobs are shown as text.

CREATE TABLE entry (id INTEGER PRIMARY KEY, head BLOB NOT NULL, recipients INTEGER NOT NULL DEFAULT 65535);
CREATE TABLE body (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
CREATE TABLE progress (
    entry INTEGER NOT NULL, recipient INTEGER NOT NULL, final INTEGER NOT NULL, record BLOB NOT NULL,
    due INTEGER, lane TEXT, state TEXT, class TEXT,
    PRIMARY KEY (entry, recipient)) WITHOUT ROWID;
CREATE TABLE decision (
    id INTEGER PRIMARY KEY, message_id TEXT, reverse_path TEXT NOT NULL, recipients TEXT NOT NULL, record BLOB NOT NULL);
CREATE TABLE outcome (
    entry INTEGER NOT NULL, recipient INTEGER NOT NULL, record BLOB NOT NULL,
    PRIMARY KEY (entry, recipient)) WITHOUT ROWID;
CREATE INDEX progress_due ON progress (due, entry, recipient, lane) WHERE due IS NOT NULL;
CREATE INDEX progress_lane ON progress (lane, due, entry, recipient) WHERE due IS NOT NULL;

PRAGMA user_version = 2;

-- active: admitted, never tried
INSERT INTO entry VALUES (3765143807910215680, CAST('{"version":1,"id":"38g3tb0zc0000","accepted":1795360473591,"site":"trust","session":"1","envelope":{"reverse_path":"dr.jones@trust.example","recipients":[{"mailbox":"b@down.example"}],"body":"SevenBit","smtputf8":false},"destined":[{"direction":"outbound","requirement":0}],"requirements":[{"level":"any","rules":[],"classes":[],"wait":{"secs":3600,"nanos":0},"otherwise":"reject","hold_for":{"secs":432000,"nanos":0},"tell_sender":{"secs":14400,"nanos":0},"notify":[],"subject":"keep"}],"size":148,"received":"Received: from [127.0.0.1] ([127.0.0.1])\r\n\tby gw.trust.example with ESMTP\r\n\tid 38g3tb0zc0000\r\n\tfor <b@down.example>;\r\n\tSun, 22 Nov 2026 15:14:33 +0000\r\n","message_id":"<deferred@trust.example>","large":false,"notice":false}' AS BLOB), 1);
INSERT INTO body VALUES (3765143807910215680, CAST(replace('From: <dr.jones@trust.example>
To: <b@down.example>
Subject: deferred
Message-ID: <deferred@trust.example>

The car park is closed on Monday.
', char(10), char(13, 10)) AS BLOB));

-- active, outside memory: there was no room for it
INSERT INTO entry VALUES (3765143807912312832, CAST('{"version":1,"id":"38g3tb0ze0000","accepted":1795360473591,"site":"trust","session":"1","envelope":{"reverse_path":"dr.jones@trust.example","recipients":[{"mailbox":"b@lost.example"}],"body":"SevenBit","smtputf8":false},"destined":[{"direction":"outbound","requirement":0}],"requirements":[{"level":"any","rules":[],"classes":[],"wait":{"secs":3600,"nanos":0},"otherwise":"reject","hold_for":{"secs":432000,"nanos":0},"tell_sender":{"secs":14400,"nanos":0},"notify":[],"subject":"keep"}],"size":150,"received":"Received: from [127.0.0.1] ([127.0.0.1])\r\n\tby gw.trust.example with ESMTP\r\n\tid 38g3tb0ze0000\r\n\tfor <b@lost.example>;\r\n\tSun, 22 Nov 2026 15:14:33 +0000\r\n","message_id":"<put-aside@trust.example>","large":false,"notice":false}' AS BLOB), 1);
INSERT INTO body VALUES (3765143807912312832, CAST(replace('From: <dr.jones@trust.example>
To: <b@lost.example>
Subject: put aside
Message-ID: <put-aside@trust.example>

The car park is closed on Sunday.
', char(10), char(13, 10)) AS BLOB));
INSERT INTO progress VALUES (3765143807912312832, 0, 0, CAST('{"waiting":{"attempts":0,"held":false,"told":false,"next_attempt":1795360473592,"reason":"waiting","status":null,"host":null}}' AS BLOB), 1795360473592, 'lost.example/any', 'active', NULL);

-- deferred
INSERT INTO entry VALUES (3765143807918604288, CAST('{"version":1,"id":"38g3tb0zm0000","accepted":1795360473595,"site":"trust","session":"2","envelope":{"reverse_path":"dr.jones@trust.example","recipients":[{"mailbox":"b@lost.example"}],"body":"SevenBit","smtputf8":false},"destined":[{"direction":"outbound","requirement":0}],"requirements":[{"level":"any","rules":[],"classes":[],"wait":{"secs":3600,"nanos":0},"otherwise":"reject","hold_for":{"secs":432000,"nanos":0},"tell_sender":{"secs":14400,"nanos":0},"notify":[],"subject":"keep"}],"size":187,"received":"Received: from [127.0.0.1] ([127.0.0.1])\r\n\tby gw.trust.example with ESMTP\r\n\tid 38g3tb0zm0000\r\n\tfor <b@lost.example>;\r\n\tSun, 22 Nov 2026 15:14:33 +0000\r\n","message_id":"<deferred-for-want-of-a-name@trust.example>","large":false,"notice":false}' AS BLOB), 1);
INSERT INTO body VALUES (3765143807918604288, CAST(replace('From: <dr.jones@trust.example>
To: <b@lost.example>
Subject: deferred for want of a name
Message-ID: <deferred-for-want-of-a-name@trust.example>

The car park is closed on Tuesday.
', char(10), char(13, 10)) AS BLOB));
INSERT INTO progress VALUES (3765143807918604288, 0, 0, CAST('{"waiting":{"attempts":2,"held":false,"told":false,"next_attempt":1795364077609,"reason":"dns-tempfail","status":{"code":451,"enhanced":"4.4.3","text":"the domain''s mail servers could not be looked up at the moment"},"host":null}}' AS BLOB), 1795364077609, 'lost.example/any', 'deferred', NULL);

-- held
INSERT INTO entry VALUES (3765143807922798592, CAST('{"version":1,"id":"38g3tb0zr0000","accepted":1795360473597,"site":"trust","session":"3","envelope":{"reverse_path":"dr.jones@trust.example","recipients":[{"mailbox":"c@partner.example"}],"body":"SevenBit","smtputf8":false},"destined":[{"direction":"outbound","requirement":0}],"requirements":[{"level":"verified","rules":[{"name":"clinical-verified","at":"p.toml:5","require":"verified"}],"classes":["clinical"],"wait":{"secs":1,"nanos":0},"otherwise":"hold","hold_for":{"secs":432000,"nanos":0},"tell_sender":{"secs":900,"nanos":0},"notify":[],"subject":"scrub"}],"size":142,"received":"Received: from [127.0.0.1] ([127.0.0.1])\r\n\tby gw.trust.example with ESMTP\r\n\tid 38g3tb0zr0000\r\n\tfor <c@partner.example>;\r\n\tSun, 22 Nov 2026 15:14:33 +0000\r\n","message_id":"<held@trust.example>","large":false,"notice":false}' AS BLOB), 1);
INSERT INTO body VALUES (3765143807922798592, CAST(replace('From: <dr.jones@trust.example>
To: <c@partner.example>
Subject: held
Message-ID: <held@trust.example>

NHS number 943 476 5919: made up
', char(10), char(13, 10)) AS BLOB));
INSERT INTO progress VALUES (3765143807922798592, 0, 0, CAST('{"waiting":{"attempts":2,"held":true,"told":true,"next_attempt":1795364077654,"reason":"tls-not-offered","status":null,"host":"partner.example"}}' AS BLOB), 1795364077654, 'partner.example/verified', 'held', 'clinical');

-- one recipient final, one put off, one on another lane
INSERT INTO entry VALUES (3765143807929090048, CAST('{"version":1,"id":"38g3tb0zy0000","accepted":1795360473600,"site":"trust","session":"4","envelope":{"reverse_path":"dr.jones@trust.example","recipients":[{"mailbox":"done@partner.example"},{"mailbox":"later@partner.example"},{"mailbox":"e@down.example"}],"body":"SevenBit","smtputf8":false},"destined":[{"direction":"outbound","requirement":0},{"direction":"outbound","requirement":0},{"direction":"outbound","requirement":0}],"requirements":[{"level":"any","rules":[],"classes":[],"wait":{"secs":3600,"nanos":0},"otherwise":"reject","hold_for":{"secs":432000,"nanos":0},"tell_sender":{"secs":14400,"nanos":0},"notify":[],"subject":"keep"}],"size":200,"received":"Received: from [127.0.0.1] ([127.0.0.1])\r\n\tby gw.trust.example with ESMTP\r\n\tid 38g3tb0zy0000;\r\n\tSun, 22 Nov 2026 15:14:33 +0000\r\n","message_id":"<one-done,-one-put-off,-one-away@trust.example>","large":false,"notice":false}' AS BLOB), 3);
INSERT INTO body VALUES (3765143807929090048, CAST(replace('From: <dr.jones@trust.example>
To: <done@partner.example>
Subject: one done, one put off, one away
Message-ID: <one-done,-one-put-off,-one-away@trust.example>

The car park is closed on Friday.
', char(10), char(13, 10)) AS BLOB));
INSERT INTO progress VALUES (3765143807929090048, 0, 1, CAST('"final"' AS BLOB), NULL, NULL, NULL, NULL);
INSERT INTO progress VALUES (3765143807929090048, 1, 0, CAST('{"waiting":{"attempts":2,"held":false,"told":false,"next_attempt":1795364077608,"reason":"recipient-deferred","status":{"code":451,"enhanced":"4.2.1","text":"mailbox 7 busy"},"host":"partner.example"}}' AS BLOB), 1795364077608, 'partner.example/any', 'deferred', NULL);
INSERT INTO progress VALUES (3765143807929090048, 2, 0, CAST('{"waiting":{"attempts":2,"held":false,"told":false,"next_attempt":1795364077610,"reason":"connection-refused","status":null,"host":"down.example"}}' AS BLOB), 1795364077610, 'down.example/any', 'deferred', NULL);
