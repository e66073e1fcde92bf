//! A session's socket, before and inside TLS.
//!
//! Called by `receive::connection`. Promises: waiting for input holds no buffer but for what has come; a task that has used up its turn gives way.
//! Fails with the socket's error.

use bytes::BufMut;
use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::coop::consume_budget;
use tokio_rustls::server::TlsStream;

/// Octets read at once: a small message with its commands fits.
pub(super) const READ: usize = 16 * 1024;
/// The same of a large message: fewer system calls and wake-ups.
pub(super) const READ_LARGE: usize = 64 * 1024;

thread_local! {
    /// Where this thread reads to, whoever's turn it is: only what has come takes memory of its session. Of a large message
    /// more comes at once: it has room of its own, as long as it does not wait.
    static READING: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_LARGE].into());
}

pub(super) enum Socket {
    Clear(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    /// Between the two, or after a failed handshake.
    Gone,
}

impl Socket {
    /// Appends what the client sent, at most so many octets. Waits without a buffer, so that an idle session holds none.
    pub async fn read(&mut self, most: usize, input: &mut Vec<u8>) -> io::Result<usize> {
        loop {
            match poll_fn(|context| Poll::Ready(self.poll_append(context, most, input))).await {
                Poll::Ready(result) => return result,
                Poll::Pending if input.is_empty() => *input = Vec::new(),
                // Who sends half a line and waits holds half a line.
                Poll::Pending => input.shrink_to_fit(),
            }
            // A task that has used up its turn is refused the read though there is something to read. Then waiting for the
            // socket would not wait, and this loop would never end: give way first.
            consume_budget().await;
            self.readable().await?;
        }
    }

    pub async fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Socket::Clear(tcp) => tcp.write_all(bytes).await,
            Socket::Tls(tls) => {
                tls.write_all(bytes).await?;
                tls.flush().await
            }
            Socket::Gone => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn poll_append(&mut self, context: &mut Context<'_>, most: usize, input: &mut Vec<u8>) -> Poll<io::Result<usize>> {
        if most > READ && input.is_empty() {
            input.reserve_exact(most);
            return self.poll_into(context, &mut input.limit(most));
        }
        READING.with_borrow_mut(|reading| {
            let most = most.min(reading.len());
            let mut buffer = ReadBuf::new(&mut reading[..most]);
            let polled = match self {
                Socket::Clear(tcp) => Pin::new(tcp).poll_read(context, &mut buffer),
                Socket::Tls(tls) => Pin::new(tls.as_mut()).poll_read(context, &mut buffer),
                Socket::Gone => Poll::Ready(Ok(())),
            };
            input.extend_from_slice(buffer.filled());
            polled.map_ok(|()| buffer.filled().len())
        })
    }

    /// Fills the room that `input` has: of a large message much comes at once, and is copied once less.
    fn poll_into(&mut self, context: &mut Context<'_>, input: &mut impl BufMut) -> Poll<io::Result<usize>> {
        match self {
            Socket::Clear(tcp) => pin!(tcp.read_buf(input)).poll(context),
            Socket::Tls(tls) => pin!(tls.read_buf(input)).poll(context),
            Socket::Gone => Poll::Ready(Ok(0)),
        }
    }

    async fn readable(&self) -> io::Result<()> {
        match self {
            Socket::Clear(tcp) => tcp.readable().await,
            Socket::Tls(tls) => tls.get_ref().0.readable().await,
            Socket::Gone => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::net::TcpListener;
    use tokio::task::coop::has_budget_remaining;

    /// One octet waits on the socket, and the task's turn is over.
    async fn read_at_the_end_of_a_turn() -> usize {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (server, _) = listener.accept().await.unwrap();
        client.write_all(b"x").await.unwrap();
        server.readable().await.unwrap();
        while has_budget_remaining() {
            consume_budget().await;
        }
        Socket::Clear(server).read(READ, &mut Vec::new()).await.unwrap()
    }

    /// A session's socket, and its client's.
    async fn pair() -> (Socket, TcpStream) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (Socket::Clear(listener.accept().await.unwrap().0), client)
    }

    #[tokio::test]
    async fn much_is_read_at_once_never_more_than_asked_and_waiting_holds_nothing() {
        let (mut socket, mut client) = pair().await;
        let sent: Vec<u8> = (0..READ_LARGE * 3).map(|at| (at % 251) as u8).collect();
        let writing = sent.clone();
        let writer = tokio::spawn(async move { client.write_all(&writing).await.map(|()| client) });
        let (mut all, mut input) = (Vec::new(), Vec::with_capacity(READ_LARGE * 2));
        while all.len() < sent.len() {
            let read = socket.read(READ_LARGE, &mut input).await.unwrap();
            assert!((1..=READ_LARGE).contains(&read) && read == input.len());
            all.append(&mut input);
        }
        assert!(all == sent);
        let mut client = writer.await.unwrap().unwrap();
        let mut waiting = Box::pin(socket.read(READ_LARGE, &mut input));
        assert!(tokio::time::timeout(Duration::from_millis(20), &mut waiting).await.is_err());
        drop(waiting);
        assert_eq!(input.capacity(), 0);
        client.write_all(b"rest").await.unwrap();
        drop(client);
        assert_eq!((socket.read(READ_LARGE, &mut input).await.unwrap(), &input[..]), (4, &b"rest"[..]));
        assert_eq!(socket.read(READ_LARGE, &mut input).await.unwrap(), 0, "the end");
    }

    #[test]
    fn a_session_that_used_up_its_turn_gives_way_and_goes_on() {
        let (done, finished) = std::sync::mpsc::channel();
        // On a thread of its own: a loop that never gives way cannot be timed out from inside.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            done.send(runtime.block_on(read_at_the_end_of_a_turn()))
        });
        assert_eq!(finished.recv_timeout(Duration::from_secs(20)), Ok(1));
    }
}
