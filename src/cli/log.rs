//! The log's writer: lines gather in memory, and a thread of its own writes them out a few times a second.
//!
//! Called by `serve`, through `tracing_subscriber`. Promises: no session ever waits for whoever reads the log; a line is
//! written whole or counted as dropped; at an orderly end everything is written that is read within `PATIENCE`. A crash loses
//! what came in the last `GATHER`: evidence is in the database, not here. Fails by dropping lines.
//!
//! A channel with a wake-up and a write for each line cost more than a tenth of a small message's whole processor time.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long lines gather before they are written.
const GATHER: Duration = Duration::from_millis(20);
/// How long the end waits for whoever reads the log.
const PATIENCE: Duration = Duration::from_secs(1);
/// Octets that gather at most while whoever reads the log does not keep up.
const MOST: usize = 8 * 1024 * 1024;

/// Where lines gather; shared by all who log.
#[derive(Default)]
pub(super) struct Lines {
    gathered: Mutex<Gathered>,
    rung: Condvar,
    dropped: AtomicU64,
}

#[derive(Default)]
struct Gathered {
    text: Vec<u8>,
    over: bool,
}

impl Lines {
    /// Lines that found no room so far.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, line: &[u8]) {
        let mut gathered = self.lock();
        if gathered.over || gathered.text.len() + line.len() > MOST {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let is_first = gathered.text.is_empty();
        gathered.text.extend_from_slice(line);
        drop(gathered);
        if is_first {
            self.rung.notify_one();
        }
    }

    /// Waits for lines and takes them; none when it is over and all were taken.
    fn take(&self) -> Option<Vec<u8>> {
        let waits = |gathered: &mut Gathered| gathered.text.is_empty() && !gathered.over;
        let gathered = self.rung.wait_while(self.lock(), waits).unwrap_or_else(PoisonError::into_inner);
        // Others that come now are written with the first, whoever rings: only the end is hurried.
        let goes_on = |gathered: &mut Gathered| !gathered.over;
        let waited = self.rung.wait_timeout_while(gathered, GATHER, goes_on);
        let mut gathered = waited.unwrap_or_else(PoisonError::into_inner).0;
        let text = std::mem::take(&mut gathered.text);
        (!text.is_empty()).then_some(text)
    }
}

/// One line, which the subscriber hands over in one piece.
pub(super) struct Line(Arc<Lines>);

impl Write for Line {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.add(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes all of `text`; where that fails, returns how many lines were not written whole.
fn write(to: &mut impl Write, text: &[u8]) -> u64 {
    let mut rest = text;
    while !rest.is_empty() {
        match to.write(rest) {
            Ok(0) => break,
            Ok(written) => rest = &rest[written..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    let _ = to.flush();
    rest.iter().filter(|octet| **octet == b'\n').count() as u64
}

/// The writing thread; dropped, it writes what there is and ends.
pub(super) struct Writer {
    lines: Arc<Lines>,
    ended: Receiver<()>,
}

impl Writer {
    /// Starts writing to `to`, on a thread for it.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(mut to: impl Write + Send + 'static) -> io::Result<Writer> {
        let lines = Arc::<Lines>::default();
        let gathering = lines.clone();
        let (ends, ended) = channel();
        let write = move || {
            while let Some(text) = gathering.take() {
                // Whoever reads the log may be gone: mail goes on without it.
                let dropped = write(&mut to, &text);
                gathering.dropped.fetch_add(dropped, Ordering::Relaxed);
            }
            drop(ends);
        };
        std::thread::Builder::new().name("log".into()).spawn(write)?;
        Ok(Writer { lines, ended })
    }

    pub fn lines(&self) -> Arc<Lines> {
        self.lines.clone()
    }

    /// What the subscriber asks for each line's writer.
    pub fn maker(&self) -> impl Fn() -> Line + use<> {
        let lines = self.lines.clone();
        move || Line(lines.clone())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.lines.lock().over = true;
        self.lines.rung.notify_one();
        let _ = self.ended.recv_timeout(PATIENCE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::Sender;

    /// A reader of the log that takes nothing until it is told to.
    struct Slow(Receiver<()>, Sender<Vec<u8>>);

    impl Write for Slow {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            self.1.send(text.to_vec()).map_err(io::Error::other)?;
            Ok(text.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_come_whole_and_in_order_and_the_end_is_waited_for() {
        let ((go, told), (wrote, written)) = (channel(), channel());
        let writer = Writer::start(Slow(told, wrote)).unwrap();
        let make = writer.maker();
        (0..100).for_each(|n| writeln!(make(), "line {n}").unwrap());
        drop(go);
        drop(writer);
        let text: Vec<u8> = written.iter().flatten().collect();
        let expected: String = (0..100).map(|n| format!("line {n}\n")).collect();
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }

    #[test]
    fn who_does_not_read_stops_nobody_and_what_is_dropped_is_counted() {
        let ((go, told), (wrote, written)) = (channel(), channel());
        let writer = Writer::start(Slow(told, wrote)).unwrap();
        let (make, lines) = (writer.maker(), writer.lines());
        let line = [b'x'; 1024];
        let lines_in_all = 3 * MOST / line.len();
        (0..lines_in_all).for_each(|_| make().write_all(&line).unwrap());
        assert!(lines.dropped() > 0);
        drop(go);
        drop(writer);
        let octets: usize = written.iter().map(|text| text.len()).sum();
        assert_eq!(octets / line.len() + usize::try_from(lines.dropped()).unwrap(), lines_in_all);
    }
}
