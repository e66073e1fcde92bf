-- Of two recipients one had been delivered to, and its mark is flushed.
INSERT INTO entry (id, head) VALUES (5, CAST(replace('
    {"version": 1, "id": "0000000000005", "accepted": NOW-60, "site": "trust", "session": "1",
     "envelope": {"reverse_path": "dr.jones@trust.example", "recipients": [{"mailbox": "a@partner.example"}, {"mailbox": "b@partner.example"}]},
     "destined": [{"direction": "outbound", "requirement": 0}, {"direction": "outbound", "requirement": 0}],
     "requirements": [{"level": "any", "rules": [], "classes": [], "wait": {"secs": 0, "nanos": 0}, "otherwise": "reject",
     "hold_for": {"secs": 432000, "nanos": 0}, "tell_sender": {"secs": 14400, "nanos": 0}, "notify": [], "subject": "keep"}],
     "size": 25, "received": "Received: by gw.trust.example\r\n", "message_id": null, "large": false, "notice": false}', char(10), '') AS BLOB));
INSERT INTO body (id, bytes) VALUES (5, CAST('Subject: letter' || char(13,10,13,10) || 'Text' || char(13,10) AS BLOB));
INSERT INTO progress (entry, recipient, final, record) VALUES (5, 0, 1, CAST('"final"' AS BLOB));
