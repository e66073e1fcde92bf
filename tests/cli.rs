//! The commands as scripts and people meet them: the built programme, its output and its exit codes.

// What cannot be set up fails its test.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use assert_cmd::Command;
use bytes::Bytes;
use mailward::clock::{EntryId, Wall};
use mailward::mail::{Envelope, Recipient};
use mailward::policy::{Requirement, RuleAsk};
use mailward::queue::entry::{Destined, Entry, Progress};
use mailward::queue::{Instruction, Stop};
use mailward::record::{self, Ending};
use mailward::store::Opened;
use mailward::vocabulary::{Direction, Level, Outcome, Reason};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What came out: exit code, standard output, standard error.
struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Said {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|why| panic!("{why}: {}{}", self.out, self.err))
    }

    /// One `error`, one hint, and this exit code.
    fn fails(&self, code: i32) -> &Said {
        assert_eq!(self.code, code, "{}", self.err);
        assert!(self.err.starts_with("error"), "{}", self.err);
        assert!(!self.err.starts_with("error: error"), "{}", self.err);
        assert!(self.err.lines().filter(|line| line.starts_with("hint:")).count() <= 1, "two hints: {}", self.err);
        self
    }
}

fn mailward(arguments: &[&str]) -> Said {
    let run = Command::cargo_bin("mailward").unwrap().args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Said { code: run.status.code().unwrap_or(-1), out: text(run.stdout), err: text(run.stderr) }
}

fn shipped() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("policies").to_string_lossy().into_owned()
}

/// A folder with a gateway.toml on loopback; `more` is put behind it.
fn gateway(more: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let policies = shipped();
    let text = format!(
        "hostname = \"gw.example\"\ndata = \"data\"\npolicies = \"{policies}\"\n\
         [site.kingston]\ndomains = [\"kingston.example\"]\nexchange = [\"127.0.0.1:1\"]\nnetworks = [\"127.0.0.9/32\"]\n\
         duty = \"duty@kingston.example\"\n\
         [site.hill]\ndomains = [\"hill.example\"]\nexchange = [\"127.0.0.1:1\"]\nnetworks = [\"127.0.0.8/32\"]\n\
         duty = \"duty@hill.example\"\n\
         [listen.exchange]\naddress = \"127.0.0.1:0\"\nmail-from = \"sites\"\n\
         [web]\nadmin = \"127.0.0.1:0\"\n[dns]\nservers = [\"127.0.0.1:1\"]\n{more}"
    );
    let file = folder.path().join("gateway.toml");
    std::fs::write(&file, text).unwrap();
    (folder, file.to_string_lossy().into_owned())
}

const ID: i64 = 7_000_000_000_000;
/// Long after any run of this test: nothing is due by itself.
const NEXT: Wall = Wall(4_102_444_800_000);

fn entry() -> Entry {
    let recipients = ["ward@nhs.net", "ward@kingston.example"];
    Entry {
        version: 2,
        id: EntryId::from_row(ID),
        accepted: Wall(1_795_348_471_000),
        site: Some("kingston".into()),
        session: "s1".into(),
        envelope: Envelope {
            reverse_path: "dr@kingston.example".parse().unwrap(),
            recipients: recipients.iter().map(|r| Recipient::new(r.parse().unwrap())).collect(),
            body: Default::default(),
            smtputf8: false,
            ret: None,
            envid: None,
            require_tls: false,
        },
        destined: vec![Destined { direction: Direction::Outbound, requirement: 0 }; 2],
        requirements: vec![Requirement { level: Level::Verified, ..Requirement::unreadable() }],
        size: 4,
        received: "Received: x\r\n".into(),
        message_id: Some("<m@kingston.example>".into()),
        large: false,
        digest: None,
        notice: false,
        instructions: Vec::new(),
    }
}

/// A message with one recipient that waits after three attempts and one that is delivered.
fn with_waiting(folder: &TempDir) {
    let waiting = Progress::Waiting {
        attempts: 3,
        held: false,
        told: true,
        next_attempt: NEXT,
        reason: Reason::CertificateExpired,
        status: None,
        host: Some("mx1.example".into()),
        names: Vec::new(),
    };
    let ending = Ending {
        at: Wall(1_795_348_472_000),
        recipient: "ward@kingston.example".into(),
        direction: Direction::Outbound,
        outcome: Outcome::Delivered,
        reason: Reason::Delivered,
        last_reason: None,
        host: None,
        address: None,
        tls: None,
        proof: None,
        reached: None,
        status: None,
        attempts: 1,
    };
    let entry = entry();
    let mut changes = entry.admitted(Some(Bytes::from_static(b"a\r\n")));
    changes.push(waiting.kept(entry.id, 0));
    changes.push(Progress::Final.kept(entry.id, 1));
    let decision =
        json!({ "recipients": [{ "to": "ward@nhs.net", "fate": "send", "require": "verified", "rules": [] }] });
    changes.push(record::decided(entry.id, entry.message_id.as_deref(), &entry.envelope, decision.to_string().into()));
    changes.push(record::ended(entry.id, 1, &ending));
    let opened = Opened::open(&folder.path().join("data"), |_| {}).unwrap();
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(opened.store.commit(changes)).unwrap();
    opened.close();
}

/// A gateway that runs until it is dropped.
struct Running(std::process::Child);

impl Running {
    fn on(config: &str) -> Running {
        let child = std::process::Command::new(env!("CARGO_BIN_EXE_mailward"))
            .args(["serve", "--config", config])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // From here on it ends with this value, whatever fails below.
        let mut running = Running(child);
        let deadline = Instant::now() + Duration::from_secs(30);
        while mailward(&["status", "--config", config]).code != 0 {
            assert!(running.0.try_wait().unwrap().is_none(), "the gateway ended");
            assert!(Instant::now() < deadline, "the gateway does not answer");
            std::thread::park_timeout(Duration::from_millis(20));
        }
        running
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn explain_takes_a_peer_that_is_not_named_for_none() {
    let policies = shipped();
    let ask = |more: &[&str]| {
        let base = ["explain", "--policies", &policies, "--from", "dr@surgery.example", "--to", "a@nhs.net", "--json"];
        mailward(&[&base[..], more].concat()).json()
    };
    let (unnamed, none) = (ask(&[]), ask(&["--peer", "none"]));
    assert_eq!(unnamed, none);
    assert_eq!(unnamed["recipients"][0]["fate"], "defer");
    assert_eq!(unnamed["recipients"][0]["reason"], "requirement-not-met");
    assert_eq!(ask(&["--peer", "verified"])["recipients"][0]["fate"], "send");
}

#[test]
fn explain_takes_both_ways_to_write_the_null_reverse_path() {
    let policies = shipped();
    for null in ["<>", ""] {
        let said = mailward(&["explain", "--policies", &policies, "--from", null, "--to", "a@nhs.net"]);
        assert_eq!(said.code, 0, "{null:?}: {}", said.err);
    }
    let said = mailward(&["explain", "--policies", &policies, "--from", "a b", "--to", "a@nhs.net"]);
    said.fails(2);
}

#[test]
fn explain_finds_both_sites_of_internal_mail() {
    let (folder, config) = gateway("");
    let rule = "[policy]\nempty = true\n[rule.hill]\ndirection = \"internal\"\nwhen = { site = [\"hill\"] }\nrequire = \"verified\"\n";
    let policies = folder.path().join("rules");
    std::fs::create_dir(&policies).unwrap();
    std::fs::write(policies.join("hill.toml"), rule).unwrap();
    let policies = policies.to_string_lossy().into_owned();
    for (from, to) in [("a@kingston.example", "b@hill.example"), ("a@hill.example", "b@kingston.example")] {
        let asked = ["explain", "--config", &config, "--policies", &policies, "--from", from, "--to", to, "--json"];
        let said = mailward(&asked).json();
        assert_eq!(said["recipients"][0]["require"], "verified", "{from} {to}");
        let with = mailward(&[&asked[..], &["--requiretls"]].concat()).json();
        let told = &with["recipients"][0];
        assert_eq!(
            (&told["fate"], &told["reason"]),
            (&json!("refuse"), &json!("requiretls-not-offered")),
            "as at RCPT"
        );
    }
}

#[test]
fn show_and_retry_answer_people_and_scripts() {
    let (folder, config) = gateway("");
    with_waiting(&folder);
    let id = EntryId::from_row(ID).to_string();
    let shown = mailward(&["queue", "show", &id, "--json", "--config", &config]).json();
    assert_eq!(shown["waiting"][0]["attempts"], 3);
    assert_eq!(shown["progress"][0]["progress"]["waiting"]["next_attempt"], "2100-01-01T00:00:00Z");
    let text = mailward(&["queue", "show", &id, "--config", &config]);
    assert_eq!(text.code, 0, "{}", text.err);
    for words in ["from <dr@kingston.example>", "ward@nhs.net: deferred (certificate-expired)", "attempts 3"] {
        assert!(text.out.contains(words), "{words}: {}", text.out);
    }
    assert!(!text.out.contains('{'), "people do not read JSON: {}", text.out);
    mailward(&["queue", "retry", "--yes", "--json", "--config", &config]).fails(1);
    let _running = Running::on(&config);
    let retried = mailward(&["queue", "retry", &id, "--yes", "--json", "--config", &config]).json();
    assert_eq!(retried, json!({ "retried": 1 }));
}

/// More messages like `entry`, one second apart, none of them due.
fn with_many(folder: &TempDir, count: i64) -> Vec<String> {
    let opened = Opened::open(&folder.path().join("data"), |_| {}).unwrap();
    let mut ids = Vec::new();
    let mut changes = Vec::new();
    for number in 0..count {
        let entry = Entry { id: EntryId::at(Wall(1_795_348_471_000 + number * 1_000)), ..entry() };
        let waiting = Progress::unattempted(NEXT);
        changes.extend(entry.admitted(Some(Bytes::from_static(b"a\r\n"))));
        changes.extend([0, 1].map(|recipient| waiting.kept(entry.id, recipient)));
        ids.push(entry.id.to_string());
    }
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(opened.store.commit(changes)).unwrap();
    opened.close();
    ids
}

#[test]
fn a_large_queue_is_listed_whole_in_its_order_and_in_parts() {
    let (folder, config) = gateway("");
    let ids = with_many(&folder, 1_200);
    let list = |more: &[&str]| -> Vec<String> {
        let rows = mailward(&[&["queue", "list", "--json", "--config", &config], more].concat()).json();
        rows.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(list(&[]), ids);
    assert_eq!(list(&["--limit", "3"]), ids[..3]);
    assert_eq!(list(&["--limit", "2", "--after", &ids[1_100]]), ids[1_101..1_103]);
    assert_eq!(list(&["--after", &ids[1_199]]), Vec::<String>::new());
    assert_eq!(list(&[&ids[7], &ids[5]]), [ids[5].clone(), ids[7].clone()]);
    mailward(&["queue", "list", "--after", "x", "--config", &config]).fails(2);
}

#[test]
fn a_part_of_the_queue_ends_with_an_entrys_last_row_and_says_where_it_goes_on() {
    let (folder, config) = gateway("");
    let opened = Opened::open(&folder.path().join("data"), |_| {}).unwrap();
    let mut changes = Vec::new();
    for number in 0..3 {
        let entry = Entry { id: EntryId::at(Wall(1_795_348_471_000 + number)), ..entry() };
        changes.extend(entry.admitted(Some(Bytes::from_static(b"a\r\n"))));
        // Recipients that wait for different times have a row each.
        changes.extend([0, 1].map(|r| Progress::unattempted(Wall(NEXT.0 + i64::from(r) * 1_000)).kept(entry.id, r)));
    }
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(opened.store.commit(changes)).unwrap();
    opened.close();
    let list = |more: &[&str]| mailward(&[&["queue", "list", "--config", &config], more].concat());
    let (mut rows, mut after) = (0, Vec::new());
    for part in 0..3 {
        let said = list(&[&["--limit", "1"], &after.iter().map(String::as_str).collect::<Vec<_>>()[..]].concat()).out;
        rows += said.matches("    from <").count();
        let more = said.lines().find_map(|line| line.strip_prefix("more: "));
        assert_eq!(more.is_some(), part < 2, "{said}");
        after = more.unwrap_or("").split(' ').map(str::to_owned).collect();
    }
    assert_eq!(rows, 6, "every recipient was in one part");
    assert_eq!(list(&["--limit", "3", "--json"]).json().as_array().unwrap().len(), 4);
    list(&["--limit", "0"]).fails(2);
}

#[test]
fn ids_that_are_not_there_are_named_and_domains_are_found_however_they_are_typed() {
    let (folder, config) = gateway("");
    with_waiting(&folder);
    let id = EntryId::from_row(ID).to_string();
    let queue = |words: &[&str]| mailward(&[&["queue"], words, &["--config", &config]].concat());
    for words in [&["show", "xyz"][..], &["hold", "nosuchid", "--yes"], &["list", "38g"], &["retry", "x", "--yes"]] {
        assert!(queue(words).fails(2).err.contains("13 letters and digits"), "{words:?}");
    }
    let gone = "38g000000000z";
    let listed = queue(&["list", gone, &id, "--json"]);
    assert_eq!((listed.json().as_array().unwrap().len(), listed.code), (1, 1));
    assert!(listed.fails(1).err.contains("38g000000000z is not in the queue"), "{}", listed.err);
    for domain in ["nhs.net", "nhs.net.", "@nhs.net", "NHS.Net", "@nhs\u{ff0e}net"] {
        assert_eq!(queue(&["list", "--to-domain", domain, "--json"]).json()[0]["id"], id, "{domain}");
    }
    queue(&["list", "--to-domain", "a b"]).fails(2);
    let _running = Running::on(&config);
    let bounced = queue(&["bounce", gone, "--yes", "--json"]);
    assert_eq!((bounced.json(), bounced.fails(1).code), (json!({ "bounced": 0 }), 1));
    let held = queue(&["hold", &id, gone, "--yes"]);
    assert!(held.fails(1).err.contains(gone) && !held.err.contains(&id), "{}", held.err);
    assert!(held.out.contains("1 messages held") && held.out.contains("from now on is not held"), "{}", held.out);
    let again = queue(&["hold", &id, "--yes"]);
    assert!(again.out.contains("0 messages held") && again.out.contains("that was asked already"), "{}", again.out);
    assert_eq!(again.code, 1, "nothing fitted");
    let retried = queue(&["retry", &id]);
    assert!(retried.fails(1).err.contains("an operator holds all of it"), "it asks nothing: {}", retried.err);
    assert_eq!(retried.out, "nothing was done\n");
    assert!(!queue(&["bounce", "--to-domain", "nhs.net.", "--yes"]).out.contains("0 messages"));
}

/// Entries that people have dealt with, and one that is a notice; none is due.
fn with_instructions(folder: &TempDir) -> [String; 3] {
    let rule =
        |name: &str| RuleAsk { name: name.to_owned(), at: "r.toml:1".to_owned(), require: None, excepted: Vec::new() };
    let requirement = Requirement { rules: vec![rule("first"), rule("second")], ..Requirement::unreadable() };
    let asked = [
        Instruction { stop: Some(Stop::Bounce), ..Instruction::default() },
        Instruction { lowered_from: Some(Level::Sealed), ..Instruction::default() },
        Instruction { route: Some("relay:hub".parse().unwrap()), ..Instruction::default() },
    ];
    let opened = Opened::open(&folder.path().join("data"), |_| {}).unwrap();
    let mut changes = Vec::new();
    let ids = [0, 1, 2].map(|number| {
        let requirements = if number == 0 { vec![requirement.clone()] } else { entry().requirements };
        let id = EntryId::at(Wall(1_795_348_471_000 + number * 1_000));
        let entry = Entry { id, requirements, notice: number == 2, ..entry() };
        changes.extend(entry.admitted(Some(Bytes::from_static(b"a\r\n"))));
        for recipient in [0, 1] {
            changes.push(Progress::unattempted(NEXT).kept(id, recipient));
            changes.push(asked[usize::try_from(number).unwrap()].kept(id, recipient));
        }
        id.to_string()
    });
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(opened.store.commit(changes)).unwrap();
    opened.close();
    ids
}

#[test]
fn people_read_what_was_asked_for_an_entry_and_whose_it_is() {
    let (folder, config) = gateway("");
    let [bounced, lowered, rerouted] = with_instructions(&folder);
    let show = |id: &str| mailward(&["queue", "show", id, "--config", &config]).out;
    assert!(show(&lowered).contains("RELEASED IN CLEAR: sealed was required"), "{}", show(&lowered));
    assert!(show(&lowered).contains("site       kingston\n"), "{}", show(&lowered));
    assert!(show(&rerouted).contains("rerouted to relay:hub"), "{}", show(&rerouted));
    assert!(show(&rerouted).contains("site       this gateway (a notice)\n"), "{}", show(&rerouted));
    assert!(show(&bounced).contains("(ended-by-operator)"), "{}", show(&bounced));
    assert!(show(&bounced).contains("next never: it ends"), "{}", show(&bounced));
    let chosen = |filter: [&str; 2]| {
        let rows = mailward(&["queue", "list", "--json", "--config", &config, filter[0], filter[1]]).json();
        rows.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for filter in [["--rule", "first"], ["--rule", "second"], ["--reason", "ended-by-operator"]] {
        assert_eq!(chosen(filter), std::slice::from_ref(&bounced), "{filter:?}");
    }
}

#[test]
fn the_control_socket_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, config) = gateway("");
    let _running = Running::on(&config);
    let mode = std::fs::metadata(folder.path().join("data/control.sock")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// What the parser of the command line says ends in one hint as well.
#[test]
fn what_was_typed_wrongly_ends_in_a_hint() {
    for words in
        [&["reload"][..], &["queue", "hold", "--because"], &["queue", "lst"], &["trace"], &["queue", "list", "--jsn"]]
    {
        let said = mailward(words);
        let last = said.fails(2).err.lines().last().unwrap_or_default();
        assert!(last.starts_with("hint: "), "{words:?}: {}", said.err);
        assert!(!said.err.contains("For more information"), "{}", said.err);
    }
    assert_eq!(mailward(&["--version"]).code, 0);
}

#[test]
fn orders_need_a_choice_a_running_gateway_and_for_a_release_a_name() {
    let (folder, config) = gateway("");
    with_waiting(&folder);
    let id = EntryId::from_row(ID).to_string();
    let order = |words: &[&str]| mailward(&[&["queue"], words, &["--yes", "--config", &config]].concat());
    for words in [&["hold"][..], &["bounce"], &["reroute", "--to", "mx"]] {
        assert!(order(words).fails(2).err.contains("nothing is chosen"), "{words:?}");
    }
    assert!(order(&["release", &id]).fails(2).err.contains("--because TEXT --by NAME"));
    order(&["release", &id, "--in-clear", "--by", "A. Admin"]).fails(2);
    order(&["reroute", &id, "--to", "hub"]).fails(2);
    order(&["hold", "--all", "--class", "clinical"]).fails(2);
    let stopped = order(&["bounce", &id]);
    assert!(stopped.fails(1).err.contains("the gateway is stopped"), "{}", stopped.err);
    assert_eq!(order(&["hold", "--class", "no-such", "--json"]).json(), json!({ "held": 0 }));
    let asked = mailward(&["queue", "hold", &id, "--config", &config]);
    assert_eq!(asked.code, 1, "nobody agreed: {}", asked.out);
    assert!(asked.err.contains("1 messages (1 recipients) will be held"), "{}", asked.err);
    let _running = Running::on(&config);
    let held = order(&["hold", &id, "--because", "INC-4711", "--by", "A. Admin", "--json"]).json();
    assert_eq!((&held["held"], &held["recipients"]), (&json!(1), &json!(1)), "{held}");
    let shown = mailward(&["queue", "show", &id, "--config", &config]).out;
    for words in ["held (held-by-operator)", "next when it is released", "hold by A. Admin", "because INC-4711"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert_eq!(order(&["retry", &id, "--json"]).json(), json!({ "retried": 0 }));
}

#[test]
fn a_filter_that_matches_nothing_says_so_and_a_reason_that_is_none_is_an_error() {
    let (folder, config) = gateway("");
    with_waiting(&folder);
    let list = |more: &[&str]| mailward(&[&["queue", "list", "--config", &config], more].concat());
    assert!(list(&["--reason", "certificate-expired"]).out.contains("ward@nhs.net"));
    for filter in [["--reason", "null-mx"], ["--class", "no-such"], ["--rule", "no-such"], ["--to-domain", "x.example"]]
    {
        assert_eq!(list(&filter).out, "nothing that waits matches\n", "{filter:?}");
    }
    let wrong = list(&["--reason", "certificate-expird"]);
    wrong.fails(2);
    assert!(wrong.err.contains("hint: did you mean `certificate-expired`?"), "{}", wrong.err);
}

#[test]
fn trace_shows_what_still_waits_and_prints_every_time_alike() {
    let (folder, config) = gateway("");
    with_waiting(&folder);
    let lives = mailward(&["trace", "dr@kingston", "--json", "--config", &config]).json();
    let waiting = &lives[0]["waiting"][0];
    assert_eq!(waiting["state"], "deferred");
    assert_eq!(waiting["reason"], "certificate-expired");
    assert_eq!(waiting["attempts"], 3);
    assert_eq!(waiting["next_attempt"], "2100-01-01T00:00:00Z");
    assert_eq!(waiting["host"], "mx1.example");
    assert_eq!(waiting["recipients"], json!(["ward@nhs.net"]), "what is delivered waits no more");
    assert_eq!(lives[0]["endings"][0]["at"], "2026-11-22T11:54:32Z");
    let text = mailward(&["trace", "dr@kingston", "--config", &config]).out;
    for words in
        ["ward@nhs.net: deferred (certificate-expired)", "attempts 3, next 2100-01-01T00:00:00Z", "mx1.example"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn what_is_not_there_ends_with_2_and_what_is_wrong_with_1() {
    let (folder, _) = gateway("");
    let missing = folder.path().join("none.toml").to_string_lossy().into_owned();
    let (_wrong_folder, wrong) = gateway("[queue]\nretri = \"1m\"\n");
    let explain = ["explain", "--from", "a@b.example", "--to", "c@d.example"];
    let commands: [&[&str]; 9] = [
        &["serve"],
        &["check"],
        &explain,
        &["inspect", "Cargo.toml"],
        &["status"],
        &["trace", "x"],
        &["queue", "list"],
        &["queue", "show", "38g3bxtjw0000"],
        &["queue", "retry", "--yes"],
    ];
    for command in commands {
        mailward(&[command, &["--config", &missing]].concat()).fails(2);
        let said = mailward(&[command, &["--config", &wrong]].concat());
        // `check` reports on its standard output what is wrong.
        assert_eq!(said.code, 1, "{command:?}");
        assert!(format!("{}{}", said.out, said.err).contains("did you mean `retry`?"), "{command:?}: {}", said.err);
        if command != ["check"] {
            said.fails(1);
        }
    }
    for command in &commands[1..4] {
        mailward(&[command, &["--policies", &missing][..]].concat()).fails(2);
    }
    let (no_policy, config) = gateway("");
    let text = std::fs::read_to_string(&config).unwrap().replace(&shipped(), "nowhere");
    std::fs::write(no_policy.path().join("gateway.toml"), text).unwrap();
    mailward(&["serve", "--config", &config]).fails(2);
}

#[test]
fn check_reports_a_wrong_gateway_toml_as_json() {
    let (_folder, config) = gateway("[queue]\nretri = \"1m\"\n");
    let report = mailward(&["check", "--json", "--config", &config]).json();
    assert_eq!(report["errors"][0]["code"], "unknown-key");
}

#[test]
fn status_has_the_same_keys_running_and_stopped() {
    let (_folder, config) = gateway("");
    let status = || mailward(&["status", "--json", "--config", &config]);
    let keys = |status: &Value| status.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let stopped = status();
    assert_eq!(stopped.code, 1);
    assert_eq!(stopped.json()["running"], false);
    assert!(stopped.json().as_object().unwrap().iter().all(|(key, value)| key == "running" || value.is_null()));
    let _running = Running::on(&config);
    assert_eq!(keys(&status().json()), keys(&stopped.json()));
}

/// A folder with a policy of its own, and a message in a file beside it.
fn with_message(message: &str) -> (TempDir, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let policies = folder.path().join("policies");
    std::fs::create_dir_all(policies.join("lists")).unwrap();
    let lists = ["lists/clinical-terms.txt", "lists/letter-headings.txt", "lists/letter-phrases.txt"];
    for name in ["10-domains.toml", "20-content.toml", "25-recognise.toml", "30-rules.toml"].iter().chain(&lists) {
        std::fs::copy(Path::new(&shipped()).join(name), policies.join(name)).unwrap();
    }
    let file = folder.path().join("letter.eml");
    std::fs::write(&file, message.replace('\n', "\r\n")).unwrap();
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let (policies, file) = (text(&policies), text(&file));
    (folder, policies, file)
}

#[test]
fn inspect_says_why_something_was_not_recognised() {
    let (_folder, policies, file) = with_message(
        "From: a@surgery.example\nSubject: order 401 023 2137\n\nbare 9434765919, wrong 943 476 5918, 0123456789 x\n\
         bloods: Hb 132 g/L, CRP 4 mg/L and creatinine 80 umol/L\n",
    );
    let ask = |more: &[&str]| mailward(&[&["inspect", &file, "--policies", &policies][..], more].concat());
    let all = ask(&["--json", "--why-not"]).json()["why_not"].clone();
    let told = |masked: &str| {
        let found = all.as_array().unwrap().iter().find(|one| one["masked"] == masked);
        found.unwrap_or_else(|| panic!("{masked}: {all}"))["why"].as_str().unwrap().to_owned()
    };
    assert!(told("401***2137").contains("counter-label \"order\""), "{}", told("401***2137"));
    assert!(told("943***5919").contains("low confidence"));
    assert!(told("943***5918").contains("check digit"));
    let class = all.as_array().unwrap().iter().find(|one| one["kind"] == "class.clinical").unwrap();
    assert!(class["why"].as_str().unwrap().contains("of 10"), "{class}");
    assert!(all.as_array().unwrap().iter().all(|one| !one["hint"].as_str().unwrap().is_empty()));
    assert!(!all.to_string().contains("476"), "{all}");
    let text = ask(&["--why-not", "nhs-number"]);
    assert!(
        text.out.contains("why not nhs-number 943***5918 in text") && !text.out.contains("class.opaque"),
        "{}",
        text.out
    );
    assert!(!ask(&["--json"]).out.contains("why_not"));
    ask(&["--why-not", "nhs"]).fails(2);
}

/// Text and HTML say the same: it is said once, as the gateway counts it.
#[test]
fn inspect_counts_a_term_once_wherever_it_stands() {
    let words = "Thank you for referring him with atrial fibrillation: bisoprolol, apixaban.";
    let head = "From: a@surgery.example\nSubject: x\nContent-Type: multipart/alternative; boundary=b1\n\n";
    let (_folder, policies, file) = with_message(&format!(
        "{head}--b1\nContent-Type: text/plain\n\n{words}\n--b1\nContent-Type: text/html\n\n<p>{words}</p>\n--b1--\n"
    ));
    let said = mailward(&["inspect", &file, "--policies", &policies, "--json"]).json();
    let places: Vec<&str> = said["findings"].as_array().unwrap().iter().filter_map(|f| f["place"].as_str()).collect();
    assert_eq!((places.len(), &said["classes"]), (8, &json!({})), "{said}");
}

#[test]
fn a_message_that_was_judged_wrongly_becomes_a_test_without_its_words() {
    let (folder, policies, file) = with_message(
        "From: Jane Doe <jane.doe@surgery.example>\nTo: Margaret <margaret@webmail.example>\nSubject: Margaret Smith\n\n\
         Dear Margaret, about your visit on 12 May:\nNHS number 943 476 5919\nJane Doe\n",
    );
    let cases = folder.path().join("policies/90-cases.toml");
    let add = |more: &[&str]| {
        mailward(&[&["policy", "add-case", &file, "--policies", &policies, "--expect"][..], more].concat())
    };
    let before = mailward(&["check", "--policies", &policies]);
    assert_eq!(before.code, 0, "{}{}", before.out, before.err);
    // Nobody answers: nothing is written.
    let asked = add(&["send", "no-class"]);
    assert_eq!(asked.code, 1, "{}", asked.err);
    assert!(asked.out.contains("nothing is written") && !cases.exists(), "{}", asked.out);
    let said = add(&["send", "no-class", "--name", "a-visit", "--yes"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(said.out.contains("a running gateway keeps the policy that it has"), "{}", said.out);
    let text = std::fs::read_to_string(&cases).unwrap();
    for word in ["Margaret", "margaret", "Jane", "Smith", "jane.doe", "943", "5919", "May"] {
        assert!(!text.contains(word) && !said.out.contains(word), "{word}: {text}{}", said.out);
    }
    assert!(text.contains("recipient@recipient.example") && text.contains("sender@sender.example"), "{text}");
    assert!(text.contains("[test.a-visit]") && text.contains("999 000 "), "{text}");
    let check = mailward(&["check", "--policies", &policies]);
    assert_eq!(check.code, 1);
    assert!(format!("{}{}", check.out, check.err).contains("a-visit"), "{}", check.out);
    // It is never overwritten, and grows by the next; one that holds says so.
    add(&["send", "--name", "a-visit", "--yes"]).fails(2);
    let second = add(&["reject", "clinical", "--yes", "--json"]).json();
    assert_eq!((&second["written"], &second["fails"]), (&json!(true), &Value::Null), "{second}");
    let grown = std::fs::read_to_string(&cases).unwrap();
    assert!(grown.starts_with(text.trim_end()) && grown.contains("[test.case-1-reject]"), "{grown}");
    add(&["send", "--to", "lists/x.csv", "--yes"]).fails(2);
    add(&["sent", "--yes"]).fails(2);
    let (_other, policies, image) = with_message(
        "From: a@surgery.example\nTo: b@webmail.example\nSubject: x\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo=\n",
    );
    let said = mailward(&["policy", "add-case", &image, "--policies", &policies, "--expect", "reject", "--yes"]);
    said.fails(1);
    assert!(!said.out.contains("passes it already"), "{}", said.out);
    assert!(
        said.out.contains("`image` cannot be put") && !Path::new(&policies).join("90-cases.toml").exists(),
        "{}",
        said.out
    );
}

#[test]
fn a_message_in_which_nothing_is_found_makes_no_test_that_could_never_hold() {
    let letter = "From: Jane <jane@surgery.example>\nTo: ada@ada-lovelace-1961.me.uk\nSubject: hello\n\nThe usual thing again, Ada.\n";
    let (folder, policies, file) = with_message(letter);
    let cases = folder.path().join("policies/90-cases.toml");
    // As a programme on Linux saves it.
    std::fs::write(&file, letter).unwrap();
    let words = ["policy", "add-case", &file, "--policies", &policies, "--expect", "reject", "clinical", "--yes"];
    let said = mailward(&words);
    said.fails(1);
    assert!(said.out.contains("nothing is recognised in it that a test could hold") && !cases.exists(), "{}", said.out);
    let said = mailward(&[&words[..], &["--anyway"]].concat());
    let text = std::fs::read_to_string(&cases).unwrap();
    assert!(said.code == 0 && text.contains("recipient@recipient.example") && !text.contains("lovelace"), "{text}");
}

/// Every command and command below it.
fn commands(words: &[String]) -> Vec<Vec<String>> {
    let arguments: Vec<&str> = words.iter().map(String::as_str).chain(["-h"]).collect();
    let help = mailward(&arguments).out;
    let section = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // What is indented more goes on from the line above.
    let names = section.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
    let mut found = vec![words.to_vec()];
    for name in names {
        found.extend(commands(&[words, &[name.to_owned()]].concat()));
    }
    found
}

#[test]
fn every_command_shows_an_example_in_its_short_and_long_help() {
    let all = commands(&[]);
    assert!(all.len() >= 12, "{all:?}");
    for command in all {
        for flag in ["-h", "--help"] {
            let arguments: Vec<&str> = command.iter().map(String::as_str).chain([flag]).collect();
            let help = mailward(&arguments).out;
            assert_eq!(help.matches("Example").count(), 1, "{arguments:?}: {help}");
        }
    }
}

/// `mailward levels | head -1`: a reader that goes away, or a full disk, is no reason to panic.
#[test]
fn nobody_panics_because_nobody_reads() {
    for words in
        [&["levels"][..], &["check", "--policies", "policies"], &["explain", "--from", "", "--to", "a@nhs.net"]]
    {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_mailward"));
        let run = command.args(words).stdout(full).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(run.status.code(), Some(0), "{words:?}: {}", String::from_utf8_lossy(&run.stderr));
    }
}

#[test]
fn a_password_under_a_misspelt_key_is_not_shown() {
    for wrong in ["password = \"sesame\"", "password = \"sesame"] {
        let relay = format!("[relay.hub]\nhosts = [\"hub.example:587\"]\nauth = {{ user = \"trust\", {wrong} }}\n");
        let (_folder, config) = gateway(&relay);
        for command in ["serve", "check"] {
            let said = mailward(&[command, "--config", &config]);
            let all = said.out + &said.err;
            assert!(said.code != 0 && all.contains("gateway.toml:") && !all.contains("sesame"), "{all}");
        }
    }
}
