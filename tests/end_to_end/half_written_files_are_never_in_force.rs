//! Files of the policy are rewritten in place and in pieces, renamed, and swapped as folders, while sessions send without a pause: each
//! message is judged by one whole policy, and none is refused for a file that is half written.

use crate::lab::client::Client;
use crate::lab::until;
use crate::world::{self, DOCTOR, Gateway, Setup, World};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

const BASE: &str = "[policy]\nempty = true\nguard = false\nreload-on-change = true\n";
const SENDERS: usize = 4;

/// One of two rules, in a file of its own. Its beginning is a whole rule: half a file may well be a policy.
fn rule(name: &str, edition: &str) -> String {
    format!(
        "[rule.{name}-{edition}]\ndirection = \"outbound\"\nrequire = \"encrypted\"\notherwise = \"hold\"\n# {}\n\
         [rule.{name}-{edition}-too]\ndirection = \"outbound\"\nwait = \"2h\"\n",
        "word ".repeat(60)
    )
}

struct Writer<'a> {
    gateway: &'a Gateway,
    ids: &'a Mutex<Vec<String>>,
}

impl Writer<'_> {
    fn folder(&self) -> PathBuf {
        self.gateway.folder.path().join("policies")
    }

    fn hash(&self) -> String {
        self.gateway.json(&["status", "--json"])["policy_hash"].as_str().unwrap().to_owned()
    }

    /// Until so many more messages are judged: this is the clock here.
    fn wait_for_mail(&self, more: usize) {
        let before = self.ids.lock().unwrap().len();
        until(|| (self.ids.lock().unwrap().len() >= before + more).then_some(())).unwrap();
    }

    fn wait_for_hash(&self, hash: &str) {
        let taken = until(|| (self.hash() == hash).then_some(()));
        assert!(taken.is_some(), "{hash} is not taken: {}\n{}", self.hash(), self.gateway.log());
        self.wait_for_mail(5 * SENDERS);
    }

    fn in_pieces(&self, edition: &str) {
        for name in ["one", "two"] {
            let mut file = File::create(self.folder().join(format!("{name}.toml"))).unwrap();
            for piece in rule(name, edition).as_bytes().chunks(40) {
                file.write_all(piece).unwrap();
                self.wait_for_mail(15);
            }
        }
    }

    fn by_rename(&self, edition: &str) {
        for name in ["one", "two"] {
            fs::write(self.folder().join(format!(".{name}.new")), rule(name, edition)).unwrap();
        }
        for name in ["one", "two"] {
            fs::rename(self.folder().join(format!(".{name}.new")), self.folder().join(format!("{name}.toml"))).unwrap();
        }
    }

    /// As Kubernetes mounts a folder: links to a link to a folder, and that link is swapped.
    fn becomes_linked(&self) {
        for edition in ["a", "b"] {
            let below = self.folder().join(format!("..{edition}"));
            fs::create_dir(&below).unwrap();
            ["one", "two"].iter().for_each(|n| fs::write(below.join(format!("{n}.toml")), rule(n, edition)).unwrap());
        }
        self.swap("a");
        for name in ["one", "two"] {
            let (beside, file) = (self.folder().join(".new"), format!("{name}.toml"));
            symlink(format!("..data/{file}"), &beside).unwrap();
            fs::rename(beside, self.folder().join(file)).unwrap();
        }
    }

    fn swap(&self, edition: &str) {
        let beside = self.folder().join("..new");
        symlink(format!("..{edition}"), &beside).unwrap();
        fs::rename(beside, self.folder().join("..data")).unwrap();
    }
}

/// Sends until it is told to stop; the ids.
fn send(mut client: Client, ids: &Mutex<Vec<String>>, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let reply = client.send(DOCTOR, &["b@partner.example"], world::ordinary("car park").as_bytes()).unwrap();
        assert_eq!(reply.code, 250, "{reply:?}");
        ids.lock().unwrap().push(world::queued_as(&reply.text));
    }
    client.quit();
}

/// What was decided of an entry, asked over the socket: hundreds of processes would take long.
fn decided(gateway: &Gateway, id: &str) -> (String, Vec<String>) {
    let mut stream = UnixStream::connect(gateway.folder.path().join("data/control.sock")).unwrap();
    writeln!(stream, "{{\"verb\":\"queue-show\",\"id\":\"{id}\"}}").unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    let answer: Value = serde_json::from_str(&line).unwrap();
    let shown = &answer["good"];
    let rules = shown["requirements"][0]["rules"].as_array().unwrap_or_else(|| panic!("{line}"));
    let names = rules.iter().map(|rule| rule["name"].as_str().unwrap().to_owned()).collect();
    (shown["decision"]["policy_hash"].as_str().unwrap().to_owned(), names)
}

#[test]
fn each_message_is_judged_by_one_whole_policy_however_its_files_are_written() {
    let world = World::new(201);
    // Nobody takes it: it waits, and can be asked about.
    world.names.mx("partner.example", &[(10, "mx.partner.example")]).address_of("mx.partner.example", world.ip(10));
    let gateway = world.prepared(&Setup { policy: BASE, ..Setup::default() });
    ["one", "two"].iter().for_each(|name| gateway.policy_file(&format!("{name}.toml"), &rule(name, "a")));
    let gateway = gateway.started();
    let (ids, stop) = (Mutex::new(Vec::new()), AtomicBool::new(false));
    let writer = Writer { gateway: &gateway, ids: &ids };
    let first = writer.hash();
    let mut second = String::new();
    std::thread::scope(|scope| {
        for _ in 0..SENDERS {
            let client = gateway.session();
            scope.spawn(|| send(client, &ids, &stop));
        }
        // A panic here must end the senders as well.
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            writer.in_pieces("b");
            until(|| (writer.hash() != first).then_some(())).unwrap();
            second = writer.hash();
            writer.by_rename("a");
            writer.wait_for_hash(&first);
            writer.becomes_linked();
            writer.swap("b");
            writer.wait_for_hash(&second);
            // As fast as it goes, and asked to read meanwhile.
            for round in 0..60 {
                writer.swap(if round % 2 == 0 { "a" } else { "b" });
                gateway.signal("HUP");
                writer.wait_for_mail(1);
            }
            writer.swap("a");
            writer.wait_for_hash(&first);
        }));
        stop.store(true, Ordering::Relaxed);
        ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
    let rules = |edition: &str| {
        ["one", "two"].iter().flat_map(|n| [format!("{n}-{edition}"), format!("{n}-{edition}-too")]).collect::<Vec<_>>()
    };
    let whole: BTreeMap<&str, Vec<String>> = [(first.as_str(), rules("a")), (second.as_str(), rules("b"))].into();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for id in ids.lock().unwrap().iter() {
        let (hash, mut names) = decided(&gateway, id);
        names.sort();
        assert_eq!(whole.get(hash.as_str()), Some(&names), "{id} was judged by {hash}");
        *seen.entry(hash).or_default() += 1;
    }
    println!("messages by policy: {seen:?}");
    assert_eq!(seen.len(), 2, "{seen:?}");
}
