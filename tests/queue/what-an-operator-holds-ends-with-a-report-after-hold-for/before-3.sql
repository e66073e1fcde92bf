-- An operator holds it, and nobody released it.
INSERT INTO instruction (entry, recipient, record) VALUES (5, 0, CAST('{"stop": "hold"}' AS BLOB));
