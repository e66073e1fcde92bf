//! A hundred destinations, one of which may be dead: how long mail to the others takes.
//!
//! `cargo bench --bench fairness -- PROGRAM [none|stalls|refuses] [SECONDS]` starts PROGRAM (a built mailward) with a throw-away
//! folder, sends it some hundred messages a second in turn to 100 addresses of 127.30.114.0/24, and prints how long those to
//! the 99 good ones took from 250 to arrival. `stalls`: the hundredth takes connections and never greets. `refuses`: nobody
//! listens there. As many messages go to it as to all others together.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

const PORT: u16 = 2_625;
const DOOR: &str = "127.30.114.200:2525";
const GOOD: u8 = 99;

/// Arrivals: the number of the message.
type Arrivals = Sender<(usize, Instant)>;

fn serve(stream: TcpStream, arrivals: &Arrivals) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    writer.set_nodelay(true)?;
    writer.write_all(b"220 peer\r\n")?;
    let (mut line, mut numbers) = (String::new(), Vec::new());
    while {
        line.clear();
        reader.read_line(&mut line)? > 0
    } {
        match line.get(..4).unwrap_or_default().to_ascii_uppercase().as_str() {
            "EHLO" => writer.write_all(b"250-peer\r\n250 PIPELINING\r\n")?,
            "RCPT" => {
                numbers.extend(line.split(['<', '@']).nth(1).and_then(|n| n[1..].parse::<usize>().ok()));
                writer.write_all(b"250 ok\r\n")?;
            }
            "DATA" => {
                writer.write_all(b"354 go\r\n")?;
                while line != ".\r\n" {
                    line.clear();
                    reader.read_line(&mut line)?;
                }
                numbers.drain(..).for_each(|n| arrivals.send((n, Instant::now())).unwrap_or(()));
                writer.write_all(b"250 ok\r\n")?;
            }
            "QUIT" => return writer.write_all(b"221 bye\r\n"),
            _ => writer.write_all(b"250 ok\r\n")?,
        }
    }
    Ok(())
}

fn peers(arrivals: &Arrivals) {
    for host in 1..=GOOD {
        let listener = TcpListener::bind((format!("127.30.114.{host}"), PORT)).unwrap();
        let arrivals = arrivals.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let arrivals = arrivals.clone();
                std::thread::spawn(move || serve(stream, &arrivals));
            }
        });
    }
}

fn gateway(folder: &std::path::Path, program: &str) -> Child {
    std::fs::create_dir(folder.join("policies")).unwrap();
    std::fs::write(folder.join("policies/p.toml"), "[policy]\nempty = true\n").unwrap();
    let config = format!(
        "hostname = \"gw.bench.local\"\ndata = \"data\"\npolicies = \"policies\"\n[site.bench]\ndomains = [\"bench.local\"]\n\
         exchange = [\"127.30.114.1:{PORT}\"]\nnetworks = [\"127.0.0.0/8\"]\nrequire = \"any\"\nduty = \"d@bench.local\"\n\
         [listen.exchange]\naddress = \"{DOOR}\"\nmail-from = \"sites\"\ntls = \"off\"\n\
         [deliver]\nport = {PORT}\nallow-private = true\n[dns]\nservers = [\"127.30.114.200:5353\"]\ndnssec = \"off\"\n\
         [web]\nadmin = \"127.30.114.200:8025\"\n[queue]\nmin-free = \"10MB\"\n"
    );
    std::fs::write(folder.join("gateway.toml"), config).unwrap();
    let mut command = Command::new(program);
    command.arg("serve").arg("--config").arg(folder.join("gateway.toml")).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    while TcpStream::connect(DOOR).is_err() {
        assert!(child.try_wait().unwrap().is_none(), "the gateway does not start: run it by hand");
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

/// Sends message after message for `seconds`; when each was answered with 250.
fn source(seconds: u64, dead: bool) -> Vec<Instant> {
    let stream = TcpStream::connect(DOOR).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut writer = stream;
    let mut reply = |code: &str| loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        assert!(line.starts_with(code), "{line}");
        if line.as_bytes()[3] == b' ' {
            return;
        }
    };
    reply("220");
    writer.write_all(b"EHLO source.bench.local\r\n").unwrap();
    reply("250");
    let (begun, mut sent) = (Instant::now(), Vec::new());
    while begun.elapsed() < Duration::from_secs(seconds) {
        let number = sent.len();
        let host = if dead && !number.is_multiple_of(2) { 100 } else { number / 2 % usize::from(GOOD) + 1 };
        let commands = format!("MAIL FROM:<s@bench.local>\r\nRCPT TO:<n{number}@[127.30.114.{host}]>\r\nDATA\r\n");
        writer.write_all(commands.as_bytes()).unwrap();
        ["250", "250", "354"].into_iter().for_each(&mut reply);
        writer.write_all(format!("Subject: {number}\r\n\r\n{}\r\n.\r\n", "x".repeat(2_000)).as_bytes()).unwrap();
        reply("250");
        sent.push(Instant::now());
        std::thread::sleep(Duration::from_millis(2));
    }
    sent
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let Some(program) = words.first() else { return println!("name the built mailward to measure") };
    let fault = words.get(1).map_or("none", String::as_str);
    let seconds = words.get(2).map_or(10, |s| s.parse().unwrap());
    let (arrivals, arrived) = channel();
    peers(&arrivals);
    // Takes connections from the kernel's backlog and says nothing.
    let _stalls = (fault == "stalls").then(|| TcpListener::bind(("127.30.114.100", PORT)).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let mut child = gateway(folder.path(), program);
    let sent = source(seconds, fault != "none");
    let is_good = |n: usize| fault == "none" || n.is_multiple_of(2);
    let good = (0..sent.len()).filter(|n| is_good(*n)).count();
    let mut took: Vec<Duration> = Vec::new();
    while took.len() < good
        && let Ok((number, at)) = arrived.recv_timeout(Duration::from_secs(30))
    {
        took.push(at.saturating_duration_since(sent[number]));
    }
    child.kill().and_then(|()| child.wait()).unwrap();
    took.sort();
    let at = |part: usize| took[(took.len() - 1) * part / 1000].as_secs_f64() * 1e3;
    println!(
        "{fault}: {} of {good} arrived; from 250 to arrival: median {:.2} ms, 95 % {:.2} ms, 99 % {:.2} ms, longest {:.2} ms",
        took.len(),
        at(500),
        at(950),
        at(990),
        at(1000)
    );
}
