-- A data folder of schema 1 (version 0.1.0 as of November 2026), one entry per state, written by that version.
-- Blobs are shown as text. Made readable, and one waiting row taken out: that entry was never tried (active).

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

PRAGMA user_version = 1;

-- active: admitted, never tried
INSERT INTO entry VALUES (3765143807910215680, CAST('{"version":1,"id":"38g3tb0zc0000","accepted":1795360473591,"site":"trust","session":"1","envelope":{"reverse_path":"dr.jones@trust.example","recipients":[{"mailbox":"b@down.example"}],"body":"SevenBit","smtputf8":false},"destined":[{"direction":"outbound","requirement":0}],"requirements":[{"level":"any","rules":[],"classes":[],"wait":{"secs":3600,"nanos":0},"otherwise":"reject","hold_for":{"secs":432000,"nanos":0},"tell_sender":{"secs":14400,"nanos":0},"notify":[],"subject":"keep"}],"size":148,"received":"Received: from [127.0.0.1] ([127.0.0.1])\r\n\tby gw.trust.example with ESMTP\r\n\tid 38g3tb0zc0000\r\n\tfor <b@down.example>;\r\n\tSun, 22 Nov 2026 15:14:33 +0000\r\n","message_id":"<deferred@trust.example>","large":false,"notice":false}' AS BLOB));
INSERT INTO body VALUES (3765143807910215680, CAST(replace('From: <dr.jones@trust.example>
To: <b@down.example>
Subject: deferred
Message-ID: <deferred@trust.example>

The car park is closed on Monday.
', char(10), char(13, 10)) AS BLOB));
-- deferred
INSERT INTO entry VALUES (3765143807918604288, CAST('{"version":1,"id":"38g3tb0zm0000","accepted":1795360473595,"site":"trust","session":"2","envelope":{"reverse_path":"dr.jones@trust.example","recipients":[{"mailbox":"b@lost.example"}],"body":"SevenBit","smtputf8":false},"destined":[{"direction":"outbound","requirement":0}],"requirements":[{"level":"any","rules":[],"classes":[],"wait":{"secs":3600,"nanos":0},"otherwise":"reject","hold_for":{"secs":432000,"nanos":0},"tell_sender":{"secs":14400,"nanos":0},"notify":[],"subject":"keep"}],"size":187,"received":"Received: from [127.0.0.1] ([127.0.0.1])\r\n\tby gw.trust.example with ESMTP\r\n\tid 38g3tb0zm0000\r\n\tfor <b@lost.example>;\r\n\tSun, 22 Nov 2026 15:14:33 +0000\r\n","message_id":"<deferred-for-want-of-a-name@trust.example>","large":false,"notice":false}' AS BLOB));
INSERT INTO body VALUES (3765143807918604288, CAST(replace('From: <dr.jones@trust.example>
To: <b@lost.example>
Subject: deferred for want of a name
Message-ID: <deferred-for-want-of-a-name@trust.example>

The car park is closed on Tuesday.
', char(10), char(13, 10)) AS BLOB));
INSERT INTO progress VALUES (3765143807918604288, 0, 0, CAST('{"waiting":{"attempts":2,"held":false,"told":false,"next_attempt":1795364077609,"reason":"dns-tempfail","status":{"code":451,"enhanced":"4.4.3","text":"the domain''s mail servers could not be looked up at the moment"},"host":null}}' AS BLOB));

-- held
INSERT INTO entry VALUES (3765143807922798592, CAST('{"version":1,"id":"38g3tb0zr0000","accepted":1795360473597,"site":"trust","session":"3","envelope":{"reverse_path":"dr.jones@trust.example","recipients":[{"mailbox":"c@partner.example"}],"body":"SevenBit","smtputf8":false},"destined":[{"direction":"outbound","requirement":0}],"requirements":[{"level":"verified","rules":[{"name":"clinical-verified","at":"p.toml:5","require":"verified"}],"classes":["clinical"],"wait":{"secs":1,"nanos":0},"otherwise":"hold","hold_for":{"secs":432000,"nanos":0},"tell_sender":{"secs":900,"nanos":0},"notify":[],"subject":"scrub"}],"size":142,"received":"Received: from [127.0.0.1] ([127.0.0.1])\r\n\tby gw.trust.example with ESMTP\r\n\tid 38g3tb0zr0000\r\n\tfor <c@partner.example>;\r\n\tSun, 22 Nov 2026 15:14:33 +0000\r\n","message_id":"<held@trust.example>","large":false,"notice":false}' AS BLOB));
INSERT INTO body VALUES (3765143807922798592, CAST(replace('From: <dr.jones@trust.example>
To: <c@partner.example>
Subject: held
Message-ID: <held@trust.example>

NHS number 943 476 5919: made up
', char(10), char(13, 10)) AS BLOB));
INSERT INTO progress VALUES (3765143807922798592, 0, 0, CAST('{"waiting":{"attempts":2,"held":true,"told":true,"next_attempt":1795364077654,"reason":"tls-not-offered","status":null,"host":"partner.example"}}' AS BLOB));

-- one recipient final, one put off, one on another lane
INSERT INTO entry VALUES (3765143807929090048, CAST('{"version":1,"id":"38g3tb0zy0000","accepted":1795360473600,"site":"trust","session":"4","envelope":{"reverse_path":"dr.jones@trust.example","recipients":[{"mailbox":"done@partner.example"},{"mailbox":"later@partner.example"},{"mailbox":"e@down.example"}],"body":"SevenBit","smtputf8":false},"destined":[{"direction":"outbound","requirement":0},{"direction":"outbound","requirement":0},{"direction":"outbound","requirement":0}],"requirements":[{"level":"any","rules":[],"classes":[],"wait":{"secs":3600,"nanos":0},"otherwise":"reject","hold_for":{"secs":432000,"nanos":0},"tell_sender":{"secs":14400,"nanos":0},"notify":[],"subject":"keep"}],"size":200,"received":"Received: from [127.0.0.1] ([127.0.0.1])\r\n\tby gw.trust.example with ESMTP\r\n\tid 38g3tb0zy0000;\r\n\tSun, 22 Nov 2026 15:14:33 +0000\r\n","message_id":"<one-done,-one-put-off,-one-away@trust.example>","large":false,"notice":false}' AS BLOB));
INSERT INTO body VALUES (3765143807929090048, CAST(replace('From: <dr.jones@trust.example>
To: <done@partner.example>
Subject: one done, one put off, one away
Message-ID: <one-done,-one-put-off,-one-away@trust.example>

The car park is closed on Friday.
', char(10), char(13, 10)) AS BLOB));
INSERT INTO progress VALUES (3765143807929090048, 0, 1, CAST('"final"' AS BLOB));
INSERT INTO progress VALUES (3765143807929090048, 1, 0, CAST('{"waiting":{"attempts":2,"held":false,"told":false,"next_attempt":1795364077608,"reason":"recipient-deferred","status":{"code":451,"enhanced":"4.2.1","text":"mailbox 7 busy"},"host":"partner.example"}}' AS BLOB));
INSERT INTO progress VALUES (3765143807929090048, 2, 0, CAST('{"waiting":{"attempts":2,"held":false,"told":false,"next_attempt":1795364077610,"reason":"connection-refused","status":null,"host":"down.example"}}' AS BLOB));

-- a notice, deferred
INSERT INTO entry VALUES (3765143816433041408, CAST('{"version":1,"id":"38g3tb8xc0000","accepted":1795360477655,"site":null,"session":"3","envelope":{"reverse_path":"","recipients":[{"mailbox":"dr.jones@trust.example","notify":{"success":false,"failure":false,"delay":false}}],"body":"SevenBit","smtputf8":false},"destined":[{"direction":"internal","requirement":0}],"requirements":[{"level":"any","rules":[],"classes":[],"wait":{"secs":3600,"nanos":0},"otherwise":"reject","hold_for":{"secs":432000,"nanos":0},"tell_sender":{"secs":14400,"nanos":0},"notify":[],"subject":"keep"}],"size":1786,"received":"","message_id":"<38g3tb8xc0000@gw.trust.example>","large":false,"notice":true}' AS BLOB));
INSERT INTO body VALUES (3765143816433041408, CAST(replace('Date: Sun, 22 Nov 2026 15:14:37 +0000
From: Mail gateway <postmaster@gw.trust.example>
To: <dr.jones@trust.example>
Subject: Held: your message waits until it can be sent safely
Message-ID: <38g3tb8xc0000@gw.trust.example>
Auto-Submitted: auto-generated
In-Reply-To: <held@trust.example>
References: <held@trust.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
	boundary="=_38g3tb8xc0000_218344e97d88ae37"

This is a report in MIME format.

--=_38g3tb8xc0000_218344e97d88ae37
Content-Type: text/plain; charset=utf-8

Your message for the recipient listed below is being held and has not left the organisation.
The reason is that the receiving server does not offer encryption.
You need do nothing: it leaves by itself as soon as it can be protected; if it is urgent, reach the recipient another way.

  c@partner.example: held until Fri, 27 Nov 2026 15:14:33 +0000, because the receiving server does not offer encryption.

Questions: telephone 020 7946 0000, and give the reference 38g3tb0zr0000.
Reference: 38g3tb0zr0000 on gw.trust.example. Received: Sun, 22 Nov 2026 15:14:33 +0000.

--=_38g3tb8xc0000_218344e97d88ae37
Content-Type: message/delivery-status

Reporting-MTA: dns; gw.trust.example
Arrival-Date: Sun, 22 Nov 2026 15:14:33 +0000
X-Mailward-Entry: 38g3tb0zr0000

Final-Recipient: rfc822; c@partner.example
Action: delayed
Status: 4.7.10
Last-Attempt-Date: Sun, 22 Nov 2026 15:14:37 +0000
Will-Retry-Until: Fri, 27 Nov 2026 15:14:33 +0000
X-Mailward-Reason: tls-not-offered

--=_38g3tb8xc0000_218344e97d88ae37
Content-Type: text/rfc822-headers

From: <dr.jones@trust.example>
To: <c@partner.example>
Subject: held
Message-ID: <held@trust.example>

--=_38g3tb8xc0000_218344e97d88ae37--
', char(10), char(13, 10)) AS BLOB));
INSERT INTO progress VALUES (3765143816433041408, 0, 0, CAST('{"waiting":{"attempts":1,"held":false,"told":true,"next_attempt":1795364077657,"reason":"connection-refused","status":null,"host":"127.30.110.20"}}' AS BLOB));

-- a notice, deferred
INSERT INTO entry VALUES (3765143816435138560, CAST('{"version":1,"id":"38g3tb8xe0000","accepted":1795360477655,"site":null,"session":"3","envelope":{"reverse_path":"","recipients":[{"mailbox":"duty@trust.example","notify":{"success":false,"failure":false,"delay":false}}],"body":"SevenBit","smtputf8":false},"destined":[{"direction":"internal","requirement":0}],"requirements":[{"level":"any","rules":[],"classes":[],"wait":{"secs":3600,"nanos":0},"otherwise":"reject","hold_for":{"secs":432000,"nanos":0},"tell_sender":{"secs":14400,"nanos":0},"notify":[],"subject":"keep"}],"size":1880,"received":"","message_id":"<38g3tb8xe0000@gw.trust.example>","large":false,"notice":true}' AS BLOB));
INSERT INTO body VALUES (3765143816435138560, CAST(replace('Date: Sun, 22 Nov 2026 15:14:37 +0000
From: Mail gateway <postmaster@gw.trust.example>
To: <duty@trust.example>
Subject: Held: your message waits until it can be sent safely
Message-ID: <38g3tb8xe0000@gw.trust.example>
Auto-Submitted: auto-generated
In-Reply-To: <held@trust.example>
References: <held@trust.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
	boundary="=_38g3tb8xe0000_e8cc9da23fdf27ee"

This is a report in MIME format.

--=_38g3tb8xe0000_e8cc9da23fdf27ee
Content-Type: text/plain; charset=utf-8

For information: this was sent by dr.jones@trust.example; the text below speaks to the sender.

Your message for the recipient listed below is being held and has not left the organisation.
The reason is that the receiving server does not offer encryption.
You need do nothing: it leaves by itself as soon as it can be protected; if it is urgent, reach the recipient another way.

  c@partner.example: held until Fri, 27 Nov 2026 15:14:33 +0000, because the receiving server does not offer encryption.

Questions: telephone 020 7946 0000, and give the reference 38g3tb0zr0000.
Reference: 38g3tb0zr0000 on gw.trust.example. Received: Sun, 22 Nov 2026 15:14:33 +0000.

--=_38g3tb8xe0000_e8cc9da23fdf27ee
Content-Type: message/delivery-status

Reporting-MTA: dns; gw.trust.example
Arrival-Date: Sun, 22 Nov 2026 15:14:33 +0000
X-Mailward-Entry: 38g3tb0zr0000

Final-Recipient: rfc822; c@partner.example
Action: delayed
Status: 4.7.10
Last-Attempt-Date: Sun, 22 Nov 2026 15:14:37 +0000
Will-Retry-Until: Fri, 27 Nov 2026 15:14:33 +0000
X-Mailward-Reason: tls-not-offered

--=_38g3tb8xe0000_e8cc9da23fdf27ee
Content-Type: text/rfc822-headers

From: <dr.jones@trust.example>
To: <c@partner.example>
Subject: held
Message-ID: <held@trust.example>

--=_38g3tb8xe0000_e8cc9da23fdf27ee--
', char(10), char(13, 10)) AS BLOB));
INSERT INTO progress VALUES (3765143816435138560, 0, 0, CAST('{"waiting":{"attempts":1,"held":false,"told":true,"next_attempt":1795364077657,"reason":"connection-refused","status":null,"host":"127.30.110.20"}}' AS BLOB));

