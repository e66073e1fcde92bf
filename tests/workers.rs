//! The processes that read documents: what they may not do, what becomes of one that fails, and that they find what is found
//! without them.

// What cannot be made for a test is a failed test.
#![allow(clippy::unwrap_used)]

use mailward::clinical::{self, Findings, Limits, Rules, Told};
use mailward::vocabulary::FindingKind;
use mailward::workers::{Confined, Ended, Telling, Workers, confine};
use std::io::Write as _;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const MAILWARD: &str = env!("CARGO_BIN_EXE_mailward");
const TRY: &str = "MAILWARD_TEST_TRY";

type Attempt = fn() -> bool;

/// What a taken-over reader would try. Each must fail, or end the process: true where it was had.
const ATTEMPTS: &[(&str, Attempt)] = &[
    ("open a file", || std::fs::File::open("/etc/hostname").is_ok()),
    ("write a file", || std::fs::write("/tmp/mailward-worker-wrote", "x").is_ok()),
    ("list a folder", || std::fs::read_dir("/").is_ok()),
    ("look at a file", || std::fs::metadata("/etc/passwd").is_ok()),
    ("remove a file", || std::fs::remove_file("/tmp/mailward-worker-wrote").is_ok()),
    ("connect", || TcpStream::connect("127.0.0.1:25").is_ok()),
    ("listen", || TcpListener::bind("127.0.0.1:0").is_ok()),
    ("open a datagram socket", || UdpSocket::bind("127.0.0.1:0").is_ok()),
    ("start a programme", || Command::new("/bin/true").status().is_ok()),
    ("start a thread", || std::thread::Builder::new().spawn(|| ()).is_ok()),
    ("signal another process", || nix::sys::signal::kill(nix::unistd::Pid::from_raw(1), None).is_ok()),
    ("outlive the gateway", || nix::sys::prctl::set_pdeathsig(None).is_ok()),
    ("raise a limit", || nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE, 10, 10).is_ok()),
];
/// Exit codes of the fixture: what was tried was had, or was not.
const HAD: i32 = 41;
const HAD_NOT: i32 = 42;

/// Run by itself in a process of its own, see `what_a_reader_may_not_do_fails_or_ends_it`.
#[test]
fn fixture() {
    let Ok(wanted) = std::env::var(TRY) else { return };
    let (_, attempt) = ATTEMPTS.iter().find(|(name, _)| wanted.ends_with(name)).unwrap();
    if !wanted.starts_with("free to ") {
        confine().unwrap();
    }
    std::process::exit(if attempt() { HAD } else { HAD_NOT });
}

fn attempted(name: &str) -> ExitStatus {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "fixture", "--test-threads=1", "--nocapture"]).env(TRY, name);
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).status().unwrap()
}

#[test]
fn what_a_reader_may_not_do_fails_or_ends_it() {
    for (name, _) in ATTEMPTS {
        let status = attempted(name);
        let ended = status.signal() == Some(nix::libc::SIGSYS);
        assert!(ended || status.code() == Some(HAD_NOT), "{name}: {status}");
        println!("{name}: {}", if ended { "ended it" } else { "failed" });
    }
    assert!(!Path::new("/tmp/mailward-worker-wrote").exists());
    // Whoever is not confined has them.
    for name in ["open a file", "list a folder", "listen", "start a programme", "start a thread", "outlive the gateway"]
    {
        assert_eq!(attempted(&format!("free to {name}")).code(), Some(HAD), "{name}");
    }
}

fn zipped(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap().into_inner()
}

fn message(attached: &[u8]) -> Vec<u8> {
    use base64::Engine as _;
    let letters = base64::engine::general_purpose::STANDARD.encode(attached);
    format!(
        "From: a@site.example\r\nSubject: results\r\nMIME-Version: 1.0\r\n\
         Content-Type: application/octet-stream; name=results.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n{letters}\r\n"
    )
    .into_bytes()
}

fn letter() -> Vec<u8> {
    message(&zipped("letter.txt", b"NHS number 943 476 5919, seen in clinic"))
}

fn first(message: &[u8]) -> Findings {
    clinical::inspect_text(message, &Rules::default(), &Limits::default())
}

/// Workers, and why each of them was replaced.
fn workers(programme: &Path) -> (Workers, Arc<Mutex<Vec<Ended>>>) {
    let ends = Arc::new(Mutex::new(Vec::new()));
    let seen = ends.clone();
    (Workers::new(programme.to_owned(), 1, move |why| seen.lock().unwrap().push(why)), ends)
}

#[test]
fn a_worker_finds_what_is_found_without_it() {
    let (workers, ends) = workers(Path::new(MAILWARD));
    let confined = workers.confined().unwrap();
    println!("PEER kernel: readers of documents are confined {confined:?}");
    assert!(matches!(confined, Confined::Twice | Confined::BySystemCalls));
    let telling = Telling::of(&Told::default());
    let message = letter();
    let without = first(&message);
    assert_eq!((without.documents.as_slice(), without.findings.as_slice()), (&["results.zip".to_owned()][..], &[][..]));
    for _ in 0..3 {
        let found = workers.inspect(&telling, &message, without.clone()).unwrap();
        let here = clinical::inspect(&message, &Rules::default(), &Limits::default());
        assert_eq!((&found.findings, &found.read, &found.unread), (&here.findings, &here.read, &here.unread));
        assert_eq!(found.findings[0].place, "results.zip!/letter.txt");
        assert_eq!(found.attachments, without.attachments);
    }
    assert!(ends.lock().unwrap().is_empty());
}

#[test]
fn a_worker_goes_by_the_policy_of_each_message() {
    let (workers, _) = workers(Path::new(MAILWARD));
    let message = message(&zipped("a.txt", b"ward RQX1234567"));
    let told = |regex: &str| {
        let pattern = clinical::ToldPattern { name: "ward".into(), regex: regex.into(), near: Vec::new() };
        Telling::of(&Told { patterns: vec![pattern], ..Told::default() })
    };
    let (finds, finds_not) = (told(r"RQX\d{7}"), told(r"ZZZ\d{7}"));
    for _ in 0..2 {
        assert_eq!(workers.inspect(&finds, &message, first(&message)).unwrap().findings.len(), 1);
        assert_eq!(workers.inspect(&finds_not, &message, first(&message)).unwrap().findings.len(), 0);
    }
}

#[test]
fn a_message_that_takes_too_much_memory_ends_its_worker_and_nothing_else() {
    let (workers, ends) = workers(Path::new(MAILWARD));
    let (telling, small) = (Telling::of(&Told::default()), letter());
    let huge = vec![b'x'; 300 * 1024 * 1024];
    let passed_over = Findings { documents: vec!["a.zip".into()], ..Findings::default() };
    let found = workers.inspect(&telling, &huge, passed_over).unwrap();
    assert_eq!(
        found.unread.first().map(|u| (u.kind, u.limit.as_deref())),
        Some((FindingKind::LimitReached, Some("memory")))
    );
    // Many small pieces are bounded as one large one is.
    let terms = (0..4_000_000).map(|n| (format!("term {n}"), n)).collect();
    let lexicon = clinical::ToldLexicon { name: "words".into(), terms };
    let much = Telling::of(&Told { lexicons: vec![lexicon], ..Told::default() });
    let found = workers.inspect(&much, &small, first(&small)).unwrap();
    assert_eq!(found.unread.first().and_then(|u| u.limit.as_deref()), Some("memory"));
    assert_eq!(*ends.lock().unwrap(), [Ended::Memory, Ended::Memory]);
    assert_eq!(workers.inspect(&telling, &small, first(&small)).unwrap().findings.len(), 1, "the next one reads");
}

/// A worker whose reader has a fault of this kind.
fn with_fault(folder: &Path, fault: &str) -> std::path::PathBuf {
    let path = folder.join("worker");
    let script = format!(
        "#!/usr/bin/python3\nimport sys, os, struct\n\
         ready = b'{{\"Ready\":\"Twice\"}}'\nout = sys.stdout.buffer\nout.write(struct.pack('>I', len(ready)) + ready); out.flush()\n\
         sys.stdin.buffer.read(1)\n{fault}\n"
    );
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn a_worker_that_fails_is_replaced_and_what_it_read_is_unread() {
    for (fault, ended, kind) in [
        ("sys.exit(101)", Ended::Fault, FindingKind::BrokenAttachment),
        ("os.kill(os.getpid(), 11)", Ended::Fault, FindingKind::BrokenAttachment),
        ("os.kill(os.getpid(), 31)", Ended::Forbidden, FindingKind::BrokenAttachment),
        ("os.kill(os.getpid(), 9)", Ended::Killed, FindingKind::LimitReached),
        ("os.abort()", Ended::Memory, FindingKind::LimitReached),
        (
            "out.write(b'\\xff\\xff\\xff\\xff'); out.flush(); sys.stdin.buffer.read()",
            Ended::Fault,
            FindingKind::BrokenAttachment,
        ),
        (
            "out.write(b'\\0\\0\\0\\x02{}'); out.flush(); sys.stdin.buffer.read()",
            Ended::Fault,
            FindingKind::BrokenAttachment,
        ),
        ("while True: pass", Ended::Time, FindingKind::LimitReached),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (workers, ends) = workers(&with_fault(folder.path(), fault));
        let (telling, message) = (Telling::of(&Told::default()), letter());
        let begun = Instant::now();
        let found = workers.inspect(&telling, &message, first(&message)).unwrap();
        let unread: Vec<_> = found.unread.iter().map(|u| (u.place.as_str(), u.kind)).collect();
        assert_eq!(unread, [("results.zip", kind)], "{fault}");
        assert_eq!(found.findings.iter().map(|f| f.kind).collect::<Vec<_>>(), [kind], "{fault}");
        assert!(begun.elapsed() < Duration::from_secs(60), "{fault}");
        assert_eq!(ends.lock().unwrap().first(), Some(&ended), "{fault}");
    }
}

/// A message with several files attached.
fn papers(files: &[&[u8]]) -> Vec<u8> {
    use base64::Engine as _;
    let part = |file: &&[u8]| {
        let letters = base64::engine::general_purpose::STANDARD.encode(file);
        format!(
            "--b\r\nContent-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n{letters}\r\n"
        )
    };
    let head = "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n";
    format!("{head}{}--b--\r\n", files.iter().map(part).collect::<String>()).into_bytes()
}

/// Stands before a real worker, and fails as soon as its orders hold some octets: those of a document that its reader does not survive.
fn that_dies_of(folder: &Path, octets: &str, fault: &str) -> std::path::PathBuf {
    let path = folder.join("worker");
    let script = format!(
        "#!/usr/bin/python3\nimport sys, os, struct, subprocess\nreal = subprocess.Popen(['{MAILWARD}', 'worker'], \
         stdin=subprocess.PIPE, stdout=subprocess.PIPE)\nsource, out = sys.stdin.buffer, sys.stdout.buffer\n\
         def answer():\n    head = real.stdout.read(4)\n    out.write(head + real.stdout.read(struct.unpack('>I', head)[0])); out.flush()\n\
         answer()\nwhile True:\n    kind = source.read(1)\n    if not kind: break\n    head = source.read(4)\n    \
         body = source.read(struct.unpack('>I', head)[0])\n    \
         wanted = struct.unpack('>I', body[:4])[0] if kind == b'\\x03' else None\n    \
         if b'{octets}' in body and wanted in (None, 1):\n        {fault}\n    \
         real.stdin.write(kind + head + body); real.stdin.flush()\n    \
         if kind != b'\\x01': answer()\n"
    );
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn a_document_that_ends_its_worker_hides_nothing_of_its_neighbours() {
    let letter = zipped("letter.txt", b"NHS number 943 476 5919, seen in clinic");
    let (killer, last) = (zipped("killer.txt", b"hello"), zipped("last.txt", b"CHI number 010190 1232 of the patient"));
    let message = papers(&[&letter, &killer, &last]);
    let octets = "a2lsbGVyLnR4d"; // killer.txt, as base64 has it here or in one of its other two phases
    let phases = [octets, "tpbGxlci50eHQ", "raWxsZXIudHh0"];
    let text = String::from_utf8_lossy(&message).into_owned();
    let octets = phases.into_iter().find(|phase| text.contains(phase)).unwrap();
    for (fault, ended, kind) in [
        ("sys.exit(101)", Ended::Fault, FindingKind::BrokenAttachment),
        ("\n        while True: pass", Ended::Time, FindingKind::LimitReached),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (workers, ends) = workers(&that_dies_of(folder.path(), octets, fault));
        let found = workers.inspect(&Telling::of(&Told::default()), &message, first(&message)).unwrap();
        let kinds: Vec<FindingKind> = found.findings.iter().map(|f| f.kind).collect();
        for wanted in [FindingKind::NhsNumber, FindingKind::ChiNumber, kind] {
            assert!(kinds.contains(&wanted), "{fault}: {wanted}: {found:?}");
        }
        assert_eq!(found.unread.iter().map(|u| u.kind).collect::<Vec<_>>(), [kind], "{fault}");
        assert_eq!(*ends.lock().unwrap(), [ended, ended], "{fault}");
    }
}
