//! The language as a JSON schema, for editors that complete and check while somebody types.
//!
//! Called by `mailward schema`. Promises: every key that the compiler takes is in it, and no other, with the type that the compiler
//! wants (a test holds both against the compiler). What names mean, and what holds together, only `check` knows. Never fails.

use super::test_case::PEERS;
use crate::vocabulary::{Direction, FindingKind, Level, Mode, Otherwise, SubjectCare};
use serde_json::{Map, Value, json};

/// What a key takes.
#[derive(Debug, Clone, Copy)]
enum Shape {
    Text,
    /// One text, or a list of them.
    Texts,
    Word(&'static [&'static str]),
    Duration,
    Size,
    Count,
    /// Of 0 or more.
    Number,
    Boolean,
    Date,
    /// A table of this kind.
    Table(&'static str),
    /// Tables of this kind, by name.
    Named(&'static str),
    /// Kinds of finding with their weights.
    Weights,
    /// Names of fields with patterns.
    Fields,
}

/// One key of one kind of table, and what it is for.
type Key = (&'static str, Shape, &'static str);

/// Tables of a policy, by kind; `policy` is the whole of a file.
const TABLES: &[(&str, &[Key])] = &[
    (
        "file",
        &[
            ("group", Shape::Named("group"), "Domains that are meant together, and how their hosts prove themselves"),
            ("pattern", Shape::Named("pattern"), "What the site recognises by its shape"),
            ("lexicon", Shape::Named("lexicon"), "What the site recognises by its words"),
            ("class", Shape::Named("class"), "What a message is, by what was found in it"),
            ("rule", Shape::Named("rule"), "What must hold. Of all that match the strictest wins, key by key"),
            ("exception", Shape::Named("exception"), "What lowers a rule, for a while, with a reason"),
            ("test", Shape::Named("test"), "An example of what the policy means, run at every load"),
            ("ladder", Shape::Table("ladder"), "The order of the rungs, for all rules"),
            ("recognise", Shape::Table("recognise"), "What tells a patient's number from a telephone's"),
            ("tests", Shape::Table("tests"), "The day that the tests live on"),
            ("policy", Shape::Table("policy"), "About the policy as a whole"),
        ],
    ),
    (
        "group",
        &[
            ("description", Shape::Text, "For people"),
            ("domains", Shape::Texts, "example.org, or *.example.org for everything below it"),
            ("list", Shape::Texts, "Files of domains: *.csv or *.txt, beside the policy"),
            ("lapse-grace", Shape::Duration, "So long after its date a row of a list still counts"),
            ("groups", Shape::Texts, "Groups that are in this one"),
            ("except", Shape::Texts, "Domains that are not in it"),
            ("mx", Shape::Texts, "Names of the mail hosts, with * for the first label"),
            ("pins", Shape::Texts, "sha256/BASE64 of their public keys: replaces mx"),
            (
                "expired-grace",
                Shape::Duration,
                "So long after its end a certificate still counts, if its key is the old one",
            ),
            ("owner", Shape::Text, "Who answers for it"),
            ("review", Shape::Date, "A warning after this day"),
            ("pickup", Shape::Boolean, "false: its mailboxes are machines"),
        ],
    ),
    (
        "pattern",
        &[
            ("description", Shape::Text, "For people"),
            ("regex", Shape::Text, "In single quotes: 'RQX\\d{7}'"),
            ("near", Shape::Texts, "Words of which one stands within 80 characters"),
            ("samples", Shape::Texts, "Texts in which it must be found"),
            ("not-samples", Shape::Texts, "Texts in which it must not be found"),
        ],
    ),
    (
        "lexicon",
        &[
            ("description", Shape::Text, "For people"),
            ("list", Shape::Text, "A file of terms, one a line, beside the policy"),
        ],
    ),
    (
        "class",
        &[
            ("description", Shape::Text, "For people"),
            ("threshold", Shape::Number, "The score from which on a message is in the class"),
            ("score", Shape::Weights, "Kinds of finding and their weights"),
            ("any-of", Shape::Texts, "Kinds of finding of which one is enough"),
            ("all-of", Shape::Texts, "Kinds of finding that must all be there"),
        ],
    ),
    (
        "rule",
        &[
            ("description", Shape::Text, "For people"),
            ("direction", Shape::Word(Direction::NAMES), "Required"),
            ("when", Shape::Table("when"), "All keys given must hold; none: always"),
            ("require", Shape::Word(Level::NAMES), "What must hold"),
            ("upgrade", Shape::Texts, "Rungs that may serve in place of the link: relay:NAME, smime, openpgp, portal"),
            ("wait", Shape::Duration, "How long the direct path is tried"),
            ("otherwise", Shape::Word(Otherwise::NAMES), "And then"),
            ("hold-for", Shape::Duration, "How long it is kept"),
            ("tell-sender", Shape::Duration, "When the sender hears that it waits"),
            ("notify", Shape::Texts, "Addresses that are told"),
            (
                "unread-after",
                Shape::Duration,
                "When a message that nobody opened in the portal is announced; no portal exists in this version",
            ),
            ("subject", Shape::Word(SubjectCare::NAMES), "What notices say of the subject"),
            ("refuse", Shape::Text, "Refuse it, with this text for the sender"),
            ("mode", Shape::Word(Mode::NAMES), "monitor: decides nothing, and is counted"),
            ("until", Shape::Date, "The end of a monitored rule"),
        ],
    ),
    (
        "when",
        &[
            ("to", Shape::Texts, "Address, domain, *.domain or @group of the recipient"),
            ("not-to", Shape::Texts, "None of these is the recipient"),
            ("from", Shape::Texts, "The same of the envelope's sender, From or Sender"),
            ("not-from", Shape::Texts, "None of these is any of them"),
            ("site", Shape::Texts, "A site that it leaves or reaches"),
            ("content", Shape::Texts, "Classes"),
            ("finding", Shape::Texts, "Kinds of finding"),
            ("subject-tag", Shape::Texts, "\"[secure]\", or a word"),
            ("size-over", Shape::Size, "Larger than \"35MB\""),
            ("recipients-over", Shape::Count, "More recipients than that"),
            ("visible-recipients-over", Shape::Count, "More than that in To and Cc"),
            ("auto-submitted", Shape::Boolean, "Written by a machine"),
            ("header", Shape::Fields, "A field matches a pattern (*, ?)"),
            ("null-sender", Shape::Boolean, "A notice, without a sender"),
            ("forwarded", Shape::Boolean, "Sent on, or From is nobody of the site's"),
            ("attachment-type", Shape::Texts, "application/pdf, image/* or docx"),
            ("requiretls", Shape::Boolean, "Sent with REQUIRETLS (RFC 8689)"),
        ],
    ),
    (
        "exception",
        &[
            ("description", Shape::Text, "For people"),
            ("rules", Shape::Texts, "The rules that it is for"),
            ("when", Shape::Table("when"), "All keys given must hold; none: always"),
            ("require", Shape::Word(Level::NAMES), "They ask for no more than this"),
            ("lift", Shape::Boolean, "true: they do not match"),
            ("until", Shape::Date, "Ends at 12:00 of that day. Required"),
            ("reason", Shape::Text, "Required"),
            ("approved-by", Shape::Text, "Required"),
        ],
    ),
    (
        "test",
        &[
            ("description", Shape::Text, "For people"),
            ("direction", Shape::Word(Direction::NAMES), "outbound unless given"),
            ("site", Shape::Text, "The site that it leaves or reaches"),
            ("from", Shape::Text, "The sender. Required"),
            ("to", Shape::Texts, "Recipients. Required"),
            ("subject", Shape::Text, "The message's subject"),
            ("body", Shape::Text, "The message's text"),
            ("message", Shape::Text, "Or a whole message: a file beside the policy"),
            ("requiretls", Shape::Boolean, "true: sent with REQUIRETLS"),
            ("peer", Shape::Word(PEERS), "What the other side can reach; none unless given"),
            ("can", Shape::Texts, "Rungs that can serve the recipients"),
            ("expect", Shape::Table("expect"), "What must come out. Required"),
        ],
    ),
    (
        "expect",
        &[
            ("require", Shape::Word(Level::NAMES), "What must hold"),
            ("fate", Shape::Text, "send, defer, hold, reject, refuse, or a rung"),
            ("then", Shape::Text, "What follows after `wait`"),
            ("rules", Shape::Texts, "Rules that match and are in force"),
            ("classes", Shape::Texts, "Exactly the classes that it is in"),
        ],
    ),
    ("ladder", &[("order", Shape::Texts, "Rungs, the first that is tried first")]),
    ("recognise", &[("nhs-number", Shape::Table("nhs-number"), "NHS numbers")]),
    (
        "nhs-number",
        &[
            ("labels", Shape::Texts, "Words before a number that make it one"),
            ("against", Shape::Texts, "Words before a number that speak against it"),
            ("window", Shape::Count, "Characters around a number that are looked at"),
        ],
    ),
    ("tests", &[("at", Shape::Date, "The day that the tests live on")]),
    (
        "policy",
        &[
            ("empty", Shape::Boolean, "true: no rule in force looks at what a message contains, and that is meant"),
            ("guard", Shape::Boolean, "false: what lowers need not be accepted"),
            ("reload-on-change", Shape::Boolean, "true: changed files are put into force by themselves"),
        ],
    ),
];

const NAME: &str = "^[a-z0-9-]+$";

impl Shape {
    fn schema(self) -> Value {
        let table = |name: &str| json!({ "$ref": format!("#/definitions/{name}") });
        let texts = || json!({ "type": ["string", "array"], "items": { "type": "string" } });
        match self {
            Shape::Text => json!({ "type": "string" }),
            Shape::Texts => texts(),
            Shape::Word(words) => json!({ "enum": words }),
            Shape::Duration => json!({ "type": "string", "pattern": r"^\d+(ms|s|m|h|d|w)?$" }),
            Shape::Size => json!({ "type": "string", "pattern": r"^\d+(\.\d+)?(B|KB|MB|GB)$" }),
            Shape::Count => json!({ "type": "integer", "minimum": 0 }),
            Shape::Number => json!({ "type": "number", "minimum": 0 }),
            Shape::Boolean => json!({ "type": "boolean" }),
            // A TOML date is a text to those who check by JSON.
            Shape::Date => json!({ "type": "string", "format": "date" }),
            Shape::Table(name) => table(name),
            Shape::Named(name) => {
                json!({ "type": "object", "propertyNames": { "pattern": NAME }, "additionalProperties": table(name) })
            }
            Shape::Weights => weights(),
            Shape::Fields => json!({ "type": "object", "additionalProperties": texts() }),
        }
    }
}

/// Kinds that are built in, and those of the site: `pattern.NAME` is a table within for TOML.
fn weights() -> Value {
    let weight = || json!({ "type": "number", "minimum": 0 });
    let own = || json!({ "type": "object", "propertyNames": { "pattern": NAME }, "additionalProperties": weight() });
    let built_in = FindingKind::NAMES.iter().map(|kind| ((*kind).to_owned(), weight()));
    let properties: Map<String, Value> =
        built_in.chain(["pattern", "lexicon"].map(|kind| (kind.to_owned(), own()))).collect();
    json!({ "type": "object", "properties": properties, "patternProperties": { r"^(pattern|lexicon)\.[a-z0-9-]+$": weight() },
        "additionalProperties": false })
}

fn table(keys: &[Key]) -> Value {
    let described = |(key, shape, purpose): &Key| {
        let mut schema = shape.schema();
        // Beside a reference nothing else is read (draft 7).
        if schema.get("$ref").is_none() {
            schema["description"] = (*purpose).into();
        }
        ((*key).to_owned(), schema)
    };
    let properties: Map<String, Value> = keys.iter().map(described).collect();
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

/// The schema of one file of a policy (JSON Schema, draft 7).
#[must_use]
pub fn schema() -> Value {
    let mut definitions: Map<String, Value> =
        TABLES.iter().map(|(name, keys)| ((*name).to_owned(), table(keys))).collect();
    let mut schema = definitions.remove("file").unwrap_or_default();
    schema["$schema"] = "http://json-schema.org/draft-07/schema#".into();
    schema["title"] = "A file of a Mailward policy".into();
    schema["definitions"] = Value::Object(definitions);
    schema
}

#[cfg(test)]
mod tests {
    use super::super::{Known, SourceFile, class, compile, exception, group, own, rule, test_case, when};
    use super::*;
    use std::collections::BTreeSet;

    fn keys_of(name: &str) -> &'static [Key] {
        TABLES.iter().find(|(table, _)| *table == name).map(|(_, keys)| *keys).unwrap()
    }

    #[test]
    fn its_keys_are_those_of_the_compiler() {
        let known = [
            ("group", group::KEYS),
            ("pattern", own::PATTERN),
            ("lexicon", own::LEXICON),
            ("class", class::KEYS),
            ("rule", rule::KEYS),
            ("when", when::KEYS),
            ("exception", exception::KEYS),
            ("test", test_case::KEYS),
            ("expect", test_case::EXPECT_KEYS),
        ];
        for (name, keys) in known {
            let said: BTreeSet<&str> = keys_of(name).iter().map(|(key, ..)| *key).collect();
            assert_eq!(said, keys.known.iter().copied().collect(), "{name}");
        }
    }

    /// Codes that the compiler complains with about `key = value` in a table of that kind.
    fn complaints(name: &str, key: &str, value: &str) -> Vec<&'static str> {
        let (header, inner) = match name {
            "file" | "ladder" | "recognise" | "tests" | "policy" => {
                (if name == "file" { "" } else { name }, String::new())
            }
            "nhs-number" => ("recognise.nhs-number", String::new()),
            "when" => ("rule.x.when", String::new()),
            "expect" => ("test.x.expect", String::new()),
            named => ("", format!("[{named}.x]\n")),
        };
        let header = if header.is_empty() { inner } else { format!("[{header}]\n") };
        let text = format!("{header}{key} = {value}\n");
        let files = [SourceFile { name: "policy.toml".into(), text }];
        let found = compile(&files, &Known::default()).err().unwrap_or_default();
        found.iter().map(|diagnostic| diagnostic.code).collect()
    }

    #[test]
    fn the_compiler_wants_the_types_that_it_says() {
        let others = ["true", "[[1]]", "{ x = [[1]] }", "1.5"];
        for (name, keys) in TABLES {
            for (key, shape, _) in *keys {
                let takes = match shape {
                    Shape::Boolean => 0,
                    Shape::Table(_) | Shape::Named(_) | Shape::Weights | Shape::Fields => 2,
                    Shape::Number => 3,
                    _ => 9,
                };
                for (number, value) in others.iter().enumerate().filter(|(number, _)| *number != takes) {
                    let found = complaints(name, key, value);
                    assert!(found.contains(&"wrong-type"), "{name} {key} = {value}: {found:?}");
                    assert!(
                        !found.contains(&"unknown-key") && !found.contains(&"unknown-table"),
                        "{name} {key} {number}"
                    );
                }
                let right = match shape {
                    Shape::Text | Shape::Texts | Shape::Duration | Shape::Size => "\"x\"",
                    Shape::Word(words) => &format!("\"{}\"", words[0]),
                    Shape::Count | Shape::Number => "1",
                    Shape::Boolean => "true",
                    Shape::Date => "2027-01-01",
                    Shape::Table(_) | Shape::Named(_) | Shape::Weights | Shape::Fields => "{}",
                };
                assert!(!complaints(name, key, right).contains(&"wrong-type"), "{name} {key} = {right}");
            }
        }
    }
}
