-- The last recipient was final and committed; the file was not removed yet. What was decided stays on record.
INSERT INTO decision (id, message_id, reverse_path, recipients, record) VALUES (ID_NOW, NULL, 'dr.jones@trust.example', 'b@partner.example', CAST('{}' AS BLOB));
INSERT INTO outcome (entry, recipient, record) VALUES (ID_NOW, 0, CAST('{}' AS BLOB));
