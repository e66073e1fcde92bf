//! Fetching a policy over HTTPS (RFC 8461 3.3).
//!
//! Called by `mta_sts`. Promises: the certificate is valid for the policy host under the public roots; nothing is followed elsewhere;
//! type, size and time are bounded; an address that may be inside is not connected to unless configuration allows it. Fails by `FetchError`.

use super::super::{Asked, ProofCheck, ProofSource, prove};
use super::text::StsPolicy;
use crate::clock::Now;
use crate::dns::{AddressAnswer, Resolver, is_public};
use crate::mail::Domain;
use crate::tls::{Connector, Roots};
use crate::vocabulary::FetchResult;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::header::{CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Request, Response, StatusCode, body::Bytes, body::Incoming};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// RFC 8461 3.3 suggests a minute; a letter does not wait so long for a host that does not answer.
const PATIENCE: Duration = Duration::from_secs(15);
const CONNECT: Duration = Duration::from_secs(5);
/// RFC 8461 3.3 suggests 64 kilobytes.
const LARGEST: usize = 64 * 1024;
/// Addresses of the policy host that are tried.
const ADDRESSES: usize = 3;

/// Why there is no policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchError {
    pub result: FetchResult,
    /// For logs.
    pub cause: String,
}

fn failed<E: std::fmt::Display>(result: FetchResult) -> impl Fn(E) -> FetchError {
    move |cause| FetchError { result, cause: cause.to_string() }
}

/// What fetching needs.
#[derive(Clone)]
pub struct Fetcher {
    pub resolver: Resolver,
    pub connector: Connector,
    pub roots: Arc<Roots>,
    pub port: u16,
    pub allow_private: bool,
}

impl Fetcher {
    /// # Errors
    /// Why there is none.
    pub async fn fetch(&self, domain: &Domain) -> Result<StsPolicy, FetchError> {
        let host = format!("mta-sts.{domain}");
        let fetched = timeout(PATIENCE, self.over_https(&host)).await;
        fetched.unwrap_or_else(|_| Err(failed(FetchResult::Timeout)("the policy host did not answer in time")))
    }

    async fn over_https(&self, host: &str) -> Result<StsPolicy, FetchError> {
        let tcp = self.connect(host).await?;
        let tls = failed::<String>(FetchResult::Tls);
        let made = self.connector.connect(tcp, host, PATIENCE).await.map_err(|failure| tls(failure.detail))?;
        let names = ProofSource::new("mta-sts", ProofCheck::Names(vec![host.to_owned()]));
        prove(&made.certificates, Asked::of(host, &[names]), &self.roots, Now::read().wall)
            .map_err(|reason| tls(reason.words().to_owned()))?;
        let http = failed::<hyper::Error>(FetchResult::Http);
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(made.stream)).await.map_err(&http)?;
        // It ends with the exchange, at the latest when its socket is dropped.
        let driving = tokio::spawn(connection);
        let answer = sender.send_request(request(host)?).await.map_err(&http);
        let policy = match answer {
            Ok(answer) => read(answer).await,
            Err(error) => Err(error),
        };
        driving.abort();
        policy
    }

    async fn connect(&self, host: &str) -> Result<TcpStream, FetchError> {
        let dns = failed::<String>(FetchResult::Dns);
        let addresses = match self.resolver.addresses(host).await {
            AddressAnswer::Found(addresses) => addresses,
            AddressAnswer::Absent => return Err(dns(format!("{host} has no address"))),
            AddressAnswer::Tempfail(cause) | AddressAnswer::Bogus(cause) => return Err(dns(cause)),
        };
        let mut last = dns(format!("{host} has a private or local address only"));
        for address in addresses.into_iter().filter(|a| self.allow_private || is_public(*a)).take(ADDRESSES) {
            match timeout(CONNECT, TcpStream::connect(SocketAddr::new(address, self.port))).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last = failed(FetchResult::Connect)(error),
                Err(_) => last = failed(FetchResult::Connect)(format!("{address} did not answer in time")),
            }
        }
        Err(last)
    }
}

fn request(host: &str) -> Result<Request<Empty<Bytes>>, FetchError> {
    let request = Request::get("/.well-known/mta-sts.txt").header(HOST, host).header(USER_AGENT, "mailward");
    request.body(Empty::new()).map_err(failed(FetchResult::Http))
}

async fn read(answer: Response<Incoming>) -> Result<StsPolicy, FetchError> {
    // RFC 8461 3.3: 3xx is not followed, and only 200 is an answer.
    let status = answer.status();
    if status != StatusCode::OK {
        let result = if status.is_redirection() { FetchResult::Redirect } else { FetchResult::Http };
        return Err(failed(result)(format!("the policy host answered {status}")));
    }
    let kind = answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let bare = kind.split(';').next().unwrap_or_default().trim();
    if !bare.eq_ignore_ascii_case("text/plain") {
        return Err(failed(FetchResult::WrongType)(format!(
            "the policy is `{}`, not text/plain",
            bare.escape_default()
        )));
    }
    let whole = Limited::new(answer.into_body(), LARGEST).collect().await;
    let whole = whole.map_err(|error| match error.downcast::<http_body_util::LengthLimitError>() {
        Ok(_) => failed(FetchResult::TooLong)("the policy is longer than 64 KiB"),
        Err(error) => failed(FetchResult::Http)(error),
    })?;
    let syntax = failed::<String>(FetchResult::Syntax);
    let text = String::from_utf8(whole.to_bytes().into()).map_err(|_| syntax("the policy is no text".to_owned()))?;
    StsPolicy::parse(&text).map_err(syntax)
}
