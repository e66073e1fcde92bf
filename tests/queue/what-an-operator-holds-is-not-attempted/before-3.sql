-- An operator held one of its two recipients, and the gateway was killed right behind that commit.
INSERT INTO instruction (entry, recipient, record) VALUES (5, 0, CAST('{"stop": "hold"}' AS BLOB));
