//! What many clients at once cost: memory of idle sessions, of large messages, of header sections that never end; and what
//! one busy client does to another's latency.
//!
//! `cargo bench --bench memory -- PROGRAM idle SESSIONS [tls]` lets each of SESSIONS send one message and fall silent;
//! `large MESSAGES MIB` sends so many messages of that size at once; `headers SESSIONS` begins as many messages and sends of each
//! a MB of header section without an end; `busy` has one client keep the gateway busy in several ways. All print the
//! resident memory of PROGRAM (a built mailward), which starts on a throw-away folder, or latencies. Both sides need a
//! descriptor for each session: raise the limit of open files. Loopback addresses: 127.30.140.0/24.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use mailward::tls::Connector;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

const DOOR: &str = "127.30.140.200:2525";
const SINK: &str = "127.30.140.1:2625";
const MAIL: &[u8] = b"MAIL FROM:<s@bench.local>\r\nRCPT TO:<r@[127.30.140.1]>\r\nDATA\r\n";

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A client's session.
struct Client(BufReader<Box<dyn Stream>>);

/// The code of the next reply, all its lines read; 0 when there is none.
async fn reply(reader: &mut (impl AsyncBufRead + Unpin)) -> u16 {
    loop {
        let mut line = String::new();
        match reader.read_line(&mut line).await {
            Ok(4..) if line.as_bytes()[3] == b' ' => return line[..3].parse().unwrap_or(0),
            Ok(4..) => {}
            _ => return 0,
        }
    }
}

impl Client {
    async fn open(tls: Option<&Connector>) -> Client {
        let stream = TcpStream::connect(DOOR).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut clear = BufReader::with_capacity(512, stream);
        assert_eq!(reply(&mut clear).await, 220);
        let stream: Box<dyn Stream> = match tls {
            None => Box::new(clear.into_inner()),
            Some(connector) => {
                clear.write_all(b"EHLO c.bench.local\r\n").await.unwrap();
                assert_eq!(reply(&mut clear).await, 250);
                clear.write_all(b"STARTTLS\r\n").await.unwrap();
                assert_eq!(reply(&mut clear).await, 220);
                let shaken = connector.connect(clear.into_inner(), "gw.bench.local", Duration::from_secs(60)).await;
                Box::new(shaken.map_err(|failure| failure.detail).unwrap().stream)
            }
        };
        let mut client = Client(BufReader::with_capacity(512, stream));
        assert_eq!(client.say(b"EHLO c.bench.local\r\n").await, 250);
        client
    }

    async fn say(&mut self, octets: &[u8]) -> u16 {
        self.write(octets).await;
        reply(&mut self.0).await
    }

    /// What the gateway does not take any more is the gateway's matter: its reply says so.
    async fn write(&mut self, octets: &[u8]) {
        let _ = self.0.write_all(octets).await;
        let _ = self.0.flush().await;
    }

    /// MAIL to the 354.
    async fn begin(&mut self) {
        assert_eq!(self.say(MAIL).await, 250);
        assert_eq!((reply(&mut self.0).await, reply(&mut self.0).await), (250, 354));
    }

    async fn small_message(&mut self) -> u16 {
        self.begin().await;
        let text = format!("Subject: bench\r\n\r\n{}.\r\n", "line of a small message\r\n".repeat(160));
        self.say(text.as_bytes()).await
    }
}

/// Takes everything that is sent to it.
async fn sink() {
    let listener = TcpListener::bind(SINK).await.unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        tokio::spawn(async move {
            let mut stream = BufReader::new(stream);
            let mut line = Vec::new();
            stream.write_all(b"220 sink\r\n").await?;
            while stream.read_until(b'\n', &mut line).await? > 0 {
                let said: &[u8] = match line.get(..4) {
                    Some(b"DATA") => b"354 go\r\n",
                    _ => b"250 ok\r\n",
                };
                stream.write_all(said).await?;
                let is_text = said.starts_with(b"354");
                line.clear();
                while is_text && line != b".\r\n" {
                    line.clear();
                    stream.read_until(b'\n', &mut line).await?;
                }
                if is_text {
                    stream.write_all(b"250 ok\r\n").await?;
                    line.clear();
                }
            }
            std::io::Result::Ok(())
        });
    }
}

async fn gateway(folder: &Path, program: &str) -> Running {
    std::fs::create_dir(folder.join("policies")).unwrap();
    std::fs::write(folder.join("policies/p.toml"), "[policy]\nempty = true\n").unwrap();
    let config = format!(
        "hostname = \"gw.bench.local\"\ndata = \"data\"\npolicies = \"policies\"\n[site.bench]\ndomains = [\"bench.local\"]\n\
         exchange = [\"{SINK}\"]\nnetworks = [\"127.0.0.0/8\"]\nrequire = \"any\"\nduty = \"d@bench.local\"\n\
         [listen.exchange]\naddress = \"{DOOR}\"\nmail-from = \"sites\"\ntls = \"offer\"\n\
         [limits]\nsessions = 12000\nsessions-per-client = 12000\nmax-message = \"100MB\"\n\
         [deliver]\nport = 2625\nallow-private = true\n[dns]\nservers = [\"127.30.140.200:5353\"]\ndnssec = \"off\"\n\
         [web]\nadmin = \"127.30.140.200:8025\"\n[queue]\nmin-free = \"10MB\"\n"
    );
    std::fs::write(folder.join("gateway.toml"), config).unwrap();
    let mut command = Command::new(program);
    command.arg("serve").arg("--config").arg(folder.join("gateway.toml")).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = Running(command.spawn().unwrap());
    while TcpStream::connect(DOOR).await.is_err() {
        assert!(child.0.try_wait().unwrap().is_none(), "the gateway does not start: run it by hand");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    child
}

/// Ends the gateway with the measurement, however that ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().and_then(|()| self.0.wait().map(drop)).ok();
    }
}

/// `VmRSS` or `VmHWM` in KiB.
fn memory(child: &Child, key: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(key)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0)
}

async fn idle(child: &Child, sessions: usize, tls: Option<Connector>) {
    let _first = Client::open(tls.as_ref()).await.small_message().await;
    let before = memory(child, "VmRSS");
    let turns = Arc::new(Semaphore::new(32));
    let mut opening = tokio::task::JoinSet::new();
    for _ in 0..sessions {
        let (turns, tls) = (turns.clone(), tls.clone());
        opening.spawn(async move {
            let _turn = turns.acquire().await.unwrap();
            let mut client = Client::open(tls.as_ref()).await;
            assert_eq!(client.small_message().await, 250);
            client
        });
    }
    let clients = opening.join_all().await;
    // Until what was sent has been delivered too.
    tokio::time::sleep(Duration::from_secs(10)).await;
    let (after, most) = (memory(child, "VmRSS"), memory(child, "VmHWM"));
    println!(
        "{} idle sessions: {:.1} KiB each (from {before} to {after} KiB, most {most} KiB)",
        clients.len(),
        (after.saturating_sub(before)) as f64 / clients.len() as f64
    );
}

async fn large(child: &Child, messages: usize, mib: usize) {
    let before = memory(child, "VmRSS");
    let line = format!("{}\r\n", "Zm9v".repeat(19));
    let piece = Arc::new(line.repeat(64 * 1024 / line.len()));
    let (begun, mut sending) = (Instant::now(), tokio::task::JoinSet::new());
    for _ in 0..messages {
        let piece = piece.clone();
        sending.spawn(async move {
            let mut client = Client::open(None).await;
            client.begin().await;
            client
                .write(b"Subject: bench\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n")
                .await;
            for _ in 0..mib * 1024 * 1024 / piece.len() {
                client.write(piece.as_bytes()).await;
            }
            client.say(b".\r\n").await
        });
    }
    let mut codes = std::collections::BTreeMap::new();
    while let Some(code) = sending.join_next().await {
        *codes.entry(code.unwrap()).or_insert(0) += 1;
    }
    println!(
        "{messages} messages of {mib} MiB at once: answered {codes:?} in {:.0} s; from {before} KiB to {} KiB at most",
        begun.elapsed().as_secs_f64(),
        memory(child, "VmHWM")
    );
}

/// Median and longest milliseconds from MAIL to the 250 of a small message.
async fn latency(client: &mut Client) -> String {
    let mut took = Vec::new();
    for _ in 0..50 {
        let begun = Instant::now();
        assert_eq!(client.small_message().await, 250);
        took.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    took.sort_by(f64::total_cmp);
    format!("a small message takes {:.1} ms, the longest {:.1} ms", took[25], took[49])
}

async fn headers(child: &Child, sessions: usize) {
    let before = memory(child, "VmRSS");
    let mut flooding = tokio::task::JoinSet::new();
    let turns = Arc::new(Semaphore::new(256));
    for _ in 0..sessions {
        let turns = turns.clone();
        flooding.spawn(async move {
            let _turn = turns.acquire().await.unwrap();
            let mut client = Client::open(None).await;
            client.begin().await;
            client.write(&b"X-Field: text\r\n".repeat(64_000)).await;
            client
        });
    }
    let clients = flooding.join_all().await;
    let held = format!("from {before} to {} KiB, most {} KiB", memory(child, "VmRSS"), memory(child, "VmHWM"));
    println!("{} header sections without an end: {held}", clients.len());
    println!("beside them {}", latency(&mut Client::open(None).await).await);
}

/// Sends `piece` for as long as the gateway takes it, reading what it says.
async fn keep_busy(piece: &'static [u8]) {
    loop {
        let stream = TcpStream::connect(DOOR).await.unwrap();
        let (mut reader, mut writer) = stream.into_split();
        let reading = tokio::spawn(async move { tokio::io::copy(&mut reader, &mut tokio::io::sink()).await });
        let _ = writer.write_all(b"EHLO c.bench.local\r\nMAIL FROM:<s@bench.local>\r\n").await;
        while writer.write_all(piece).await.is_ok() {}
        let _ = reading.await;
    }
}

async fn tiny_fields() {
    loop {
        let mut client = Client::open(None).await;
        client.begin().await;
        client.write(&b"A:\r\n".repeat(240_000)).await;
        client.say(b"\r\ntext\r\n.\r\n").await;
    }
}

async fn folded_lines() {
    loop {
        let mut client = Client::open(None).await;
        client.begin().await;
        client.write(b"Subject: a\r\n").await;
        client.write(&b" a\r\n".repeat(240_000)).await;
        client.say(b"\r\ntext\r\n.\r\n").await;
    }
}

async fn busy() {
    let mut other = Client::open(None).await;
    println!("alone: {}", latency(&mut other).await);
    for (what, piece) in [("commands", b"NOOP\r\n" as &[u8]), ("refused recipients", b"RCPT TO:<a@bench.local:>\r\n")] {
        let piece: &'static [u8] = piece.repeat(1_000).leak();
        let keeping = tokio::spawn(keep_busy(piece));
        println!("beside endless {what}: {}", latency(&mut other).await);
        keeping.abort();
    }
    let keeping = tokio::spawn(tiny_fields());
    println!("beside header sections of 1 MB of tiny fields: {}", latency(&mut other).await);
    keeping.abort();
    let keeping = tokio::spawn(folded_lines());
    println!("beside fields of 1 MB of folded lines: {}", latency(&mut other).await);
    keeping.abort();
}

#[tokio::main]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let Some((program, what)) = words.split_first() else { return println!("name the built mailward to measure") };
    let folder = tempfile::tempdir().unwrap();
    tokio::spawn(sink());
    let running = gateway(folder.path(), program).await;
    let child = &running.0;
    match what {
        ["idle", sessions] => idle(child, sessions.parse().unwrap(), None).await,
        ["idle", sessions, "tls"] => idle(child, sessions.parse().unwrap(), Some(Connector::new().unwrap())).await,
        ["large", messages, mib] => large(child, messages.parse().unwrap(), mib.parse().unwrap()).await,
        ["headers", sessions] => headers(child, sessions.parse().unwrap()).await,
        ["busy"] => busy().await,
        _ => println!("idle SESSIONS [tls], large MESSAGES MIB, headers SESSIONS, or busy"),
    }
}
