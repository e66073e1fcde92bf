//! Asks the running gateway, or the data folder of a stopped one. Called by the commands.

use super::{Answer, Request, queries, socket, stopped};
use crate::proof::{memory, mta_sts};
use crate::store;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// Asks, and waits for the answer.
///
/// # Errors
/// With a sentence and a hint: nobody answers, or the answer is no.
pub fn ask(data: &Path, request: &Request) -> Result<Value, String> {
    match UnixStream::connect(socket(data)) {
        Ok(stream) => over_socket(stream, request),
        Err(_) => from_folder(data, request),
    }
}

fn over_socket(mut stream: UnixStream, request: &Request) -> Result<Value, String> {
    let broken = |why: std::io::Error| format!("the gateway did not answer: {why}\nhint: look at its log");
    stream.set_read_timeout(Some(patience(request))).map_err(broken)?;
    let mut line = serde_json::to_vec(request).map_err(|e| e.to_string())?;
    line.push(b'\n');
    stream.write_all(&line).map_err(broken)?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).map_err(broken)?;
    match serde_json::from_str(&answer) {
        Ok(Answer::Good(value)) => Ok(value),
        Ok(Answer::Bad(why)) => Err(why),
        Err(_) => Err("the gateway's answer was cut short\nhint: look at its log".to_owned()),
    }
}

/// A million entries are changed in minutes; everything else is answered at once.
fn patience(request: &Request) -> Duration {
    match request {
        Request::QueueInstruct { .. } | Request::QueueRetry { .. } | Request::Readiness { .. } => {
            Duration::from_secs(3_600)
        }
        _ => Duration::from_secs(60),
    }
}

/// The gateway is stopped: what can be read is read.
fn from_folder(data: &Path, request: &Request) -> Result<Value, String> {
    if matches!(request, Request::Status) {
        return Ok(stopped());
    }
    let connection = store::reader_of(data).map_err(|_| {
        format!(
            "no gateway runs on {}, and there is no data to read\nhint: name its gateway.toml with --config",
            data.display()
        )
    })?;
    let answer = match request {
        Request::QueueList { filter, after } => queries::list(&connection, filter, *after),
        Request::QueueCount { filter, after } => queries::count(&connection, filter, *after),
        Request::QueueShow { id } => queries::show(&connection, id.parse()?),
        Request::Trace { query } => queries::trace(&connection, query),
        Request::Readiness { seconds } => queries::readiness(&connection, *seconds),
        Request::Hosts { host } => Ok(queries::hosts(&memory::read(data), host.as_deref())),
        Request::MtaSts { domain } => Ok(queries::mta_sts(&mta_sts::read(data), domain.as_ref())),
        Request::Status => Ok(stopped()),
        Request::MtaStsRefresh { .. } => {
            return Err("the gateway is stopped: the running gateway asks domains for their policies\nhint: start it"
                .to_owned());
        }
        Request::HostAccept { .. } => {
            return Err(
                "the gateway is stopped: it remembers what hosts offer while it runs\nhint: start it".to_owned()
            );
        }
        Request::QueueRetry { .. } => {
            return Err("the gateway is stopped: nothing is tried again\nhint: start it".to_owned());
        }
        Request::Reload { .. } | Request::Rollback { .. } => {
            return Err("the gateway is stopped: it takes its policy when it starts\nhint: start it".to_owned());
        }
        Request::QueueInstruct { .. } => {
            return Err(
                "the gateway is stopped: what waits is changed by the running gateway only\nhint: start it".to_owned()
            );
        }
    };
    answer.map_err(|error| error.to_string())
}
