-- Its next attempt is over-due, and its server would take it now.
INSERT INTO entry (id, head) VALUES (5, CAST(replace('
    {"version": 1, "id": "0000000000005", "accepted": NOW-7200, "site": "trust", "session": "1",
     "envelope": {"reverse_path": "dr.jones@trust.example", "recipients": [{"mailbox": "b@partner.example"}, {"mailbox": "c@partner.example"}]},
     "destined": [{"direction": "outbound", "requirement": 0}, {"direction": "outbound", "requirement": 0}],
     "requirements": [{"level": "any", "rules": [], "classes": [], "wait": {"secs": 3600, "nanos": 0}, "otherwise": "reject",
     "hold_for": {"secs": 432000, "nanos": 0}, "tell_sender": {"secs": 14400, "nanos": 0}, "notify": [], "subject": "keep"}],
     "size": 25, "received": "Received: by gw.trust.example\r\n", "message_id": null, "large": false, "notice": false}', char(10), '') AS BLOB));
INSERT INTO body (id, bytes) VALUES (5, CAST('Subject: letter' || char(13,10,13,10) || 'Text' || char(13,10) AS BLOB));
INSERT INTO progress (entry, recipient, final, record) SELECT 5, value, 0, CAST('
    {"waiting": {"attempts": 4, "held": false, "told": false, "next_attempt": NOW-60, "reason": "connection-refused", "status": null, "host": null}}'
    AS BLOB) FROM json_each('[0, 1]');
