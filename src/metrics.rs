//! One table of every metric: name, help (with what to alert on), labels. Nothing is counted anywhere else.
//!
//! Called by the stages. Promises: closed label sets, emitted as 0 from the start; never an address, never a domain that
//! is not named in policy. A metric is in this table only when something feeds it. Fails only at construction, when two
//! rows share a name.

use crate::mail::TlsVersion;
use crate::vocabulary::{Cause, Direction, Fate, FetchResult, FindingKind, Level, Mode, Outcome, Proof, Reason};
use prometheus::{
    Encoder, GaugeVec, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
};
use std::sync::{Mutex, PoisonError};

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    pub name: &'static str,
    pub help: &'static str,
    pub labels: &'static [&'static str],
}

macro_rules! table {
    ($($field:ident: $kind:ident $name:literal [$($label:literal),*] $help:literal;)+) => {
        /// Every metric of this version.
        pub const TABLE: &[Row] = &[$(Row { name: concat!("mailward_", $name), help: $help, labels: &[$($label),*] },)+];

        /// The handles, registered once.
        pub struct Metrics {
            registry: Registry,
            /// The classes of the policy in force.
            classes: Mutex<Vec<String>>,
            $(pub $field: $kind,)+
        }

        impl Metrics {
            /// # Errors
            /// When two rows share a name: a mistake in the table.
            pub fn new() -> Result<Metrics, prometheus::Error> {
                let registry = Registry::new();
                let mut rows = TABLE.iter();
                $(let $field = $kind::from_row(rows.next().unwrap_or(&TABLE[0]))?;
                  registry.register(Box::new($field.clone()))?;)+
                let metrics = Metrics { registry, classes: Mutex::default(), $($field,)+ };
                metrics.start_at_zero();
                Ok(metrics)
            }
        }
    };
}

table! {
    messages: IntCounterVec "messages_total" ["direction", "outcome"]
        "Messages by their final outcome, one per recipient. Alert when delivered stops growing in working hours.";
    policy_verdicts: IntCounterVec "policy_verdicts_total" ["rule", "mode", "fate"]
        "How often a rule took part in a decision, and the fate that came out. A rule at 0 for weeks is dead or misspelt.";
    policy_would_block: IntCounterVec "policy_would_block_total" ["rule"]
        "What a monitored rule would have stopped. Read it before the rule is enforced.";
    link_attempts: IntCounterVec "link_attempts_total" ["direction", "level", "result", "reason"]
        "Attempts to reach a peer at the level that the mail asks. Alert on a reason that grows at many destinations at once: it is ours.";
    link_sessions: IntCounterVec "link_sessions_total" ["direction", "version", "proof"]
        "Links that carried mail, by TLS version and proof.";
    cleartext_messages: IntCounterVec "cleartext_messages_total" ["direction", "class"]
        "Messages that crossed a link without TLS, by class (none: in no class). Alert on any growth with a class.";
    cleartext_after_failed_tls: IntCounter "cleartext_after_failed_tls_total" []
        "Messages in no class that went in clear because TLS was offered and failed twice at every host; counted in cleartext_messages_total too. Alert on growth: a peer's TLS is broken, or somebody breaks it.";
    kept_from_cleartext: IntCounter "kept_from_cleartext_total" []
        "Mail in a class that a plain relay would have sent in clear and that did not leave so.";
    outcome_unknown: IntCounter "outcome_unknown_total" []
        "Recipients whose server had the whole message and went away before it answered: tried again, perhaps a second copy. Alert on growth at one destination: its server breaks off.";
    released_in_clear: IntCounter "released_in_clear_total" []
        "Recipients for whom a person lowered what policy asks. Alert on any growth: each has a name and a reason in trace.";
    journal_held: IntCounter "journal_held_total" []
        "Journal reports that came to be held: their archive cannot be reached as gateway.toml asks. Alert on any growth: queue list --rule journal.";
    refused_untold: IntCounter "refused_untold_total" []
        "Refusals and failures that nobody could be told of by mail. Alert on growth: somebody has to look at trace.";
    findings: IntCounterVec "findings_total" ["kind"]
        "Findings by kind. A sudden fall of nhs-number in working hours means that recognition is blind.";
    class_messages: IntCounterVec "class_messages_total" ["class"]
        "Messages in each class.";
    queue_messages: IntGaugeVec "queue_messages" ["state"]
        "Recipient groups in the queue by state. Alert on held above 0 for longer than your duty rota allows.";
    queue_oldest: GaugeVec "queue_oldest_seconds" ["state", "class"]
        "Age of the oldest message by state and class. Alert on a class above 900.";
    delivery_duration: Histogram "delivery_duration_seconds" []
        "From 250 at our door to 250 at the peer's.";
    refusals: IntCounterVec "refusals_total" ["reason"]
        "What was refused or put off at the door, by reason; what rules refuse is in messages_total. Alert on no-room, store-failed or too-many-sessions above 0 (mail waits outside), on mail-loop (two servers send each other the same mail), on growth of the others: a site's programme writes wrong or too large mail.";
    logins_refused: IntCounterVec "logins_refused_total" ["reason"]
        "Logins that were not taken: wrong (name or password), too-many (the client guessed before), busy. Alert on wrong above 20 in an hour: somebody guesses, or a programme of a site has an old password.";
    line_endings_normalised: IntCounter "line_endings_normalised_total" []
        "CR or LF on their own in what a site's client sent by BDAT, each made a CRLF. Growth means that a programme of the site writes wrong mail.";
    accept_duration: Histogram "accept_duration_seconds" []
        "From the dot to our reply.";
    accept_delayed: IntCounter "accept_delayed_total" []
        "Replies that waited because warm memory was used up. Growth means that delivery is slower than arrival.";
    warm_bytes: IntGauge "warm_bytes" []
        "Octets of accepted messages that are still in memory for their first attempt.";
    dns_lookups: IntCounterVec "dns_lookups_total" ["kind", "result"]
        "Look-ups by record type and result. Alert on tempfail at many names: the resolver is ours.";
    mta_sts_fetch: IntCounterVec "mta_sts_fetch_total" ["result"]
        "Fetches of MTA-STS policies by result. Alert on tls or timeout at many domains: a proxy or firewall of ours is between.";
    dnssec_self_test: IntGaugeVec "dnssec_self_test" ["result"]
        "1 for how the last self-test of the resolver ended: secure, failed, or off (nobody's word on signatures is believed). Alert on failed: nothing can be proved by DANE, and mail that needs it waits.";
    common_cause: IntGaugeVec "common_cause" ["cause"]
        "1 while many unrelated destinations fail alike, so that the cause is ours: firewall, proxy, clock, resolver or network. Alert on 1: mail waits, and nothing is given up meanwhile.";
    stripping_suspected: IntGauge "stripping_suspected_hosts" []
        "Mail hosts that offer less protection than they did, for which mail waits. Alert above 0: somebody on the way may take it away. mailward hosts show --fallen.";
    worker_restarts: IntCounterVec "worker_restarts_total" ["reason"]
        "Processes that read documents and were replaced: used (they had read enough), time, memory, killed (by the system or a person), fault, forbidden. Alert on forbidden: an attachment tried to take over its reader, and was stopped.";
    documents_unread: IntGauge "documents_unread" []
        "1 while no process can be had that reads documents, so that all of them count as unread. Alert on 1. mailward doctor says why.";
    certificate_expiry: GaugeVec "certificate_expiry_timestamp_seconds" ["role"]
        "When our certificate ends. Alert 21 days before.";
    policy_info: IntGaugeVec "policy_info" ["hash"]
        "1 for the policy in force. Two gateways with two hashes disagree.";
    policy_reload_success: IntGauge "policy_reload_success" []
        "1 when the last load took the policy's files. Alert on 0: what somebody edited is not in force.";
    config_lowered: IntGauge "gateway_toml_lowered" []
        "Sentences of what gateway.toml lowers since a restart and no person has accepted. Alert above 0: mailward status lists them; mailward reload --accept-lowering accepts.";
    sessions: IntGaugeVec "sessions" ["listener"]
        "Open sessions by listener.";
    store_free: IntGauge "store_free_bytes" []
        "Free octets where the data folder is. Alert below twice min-free.";
    store_commit_duration: Histogram "store_commit_duration_seconds" []
        "One flush of the store. Alert on a median above 0.05: the disk is slow.";
    store_writable: IntGauge "store_writable" []
        "1 while what arrives can be kept. Alert on 0: the store stopped after a failed write, and takes nothing until a restart.";
    store_log: IntGauge "store_log_bytes" []
        "Octets of the database's log, which is cut at 16 MiB. Alert above 268435456: something that reads keeps it from being cut.";
    log_lines_dropped: IntCounter "log_lines_dropped_total" []
        "Log lines that were dropped because their reader was slow.";
}

/// Why mail and sessions are refused or put off at the door, other than by a rule.
pub const REFUSALS: &[Reason] = &[
    Reason::RelayDenied,
    Reason::ClientUnknown,
    Reason::SenderNotOfSite,
    Reason::SiteLoop,
    Reason::LineEndingRefused,
    Reason::MessageTooLarge,
    Reason::MailLoop,
    Reason::TooManyRecipients,
    Reason::TooManySessions,
    Reason::TooManyErrors,
    Reason::NoRoom,
    Reason::StoreFailed,
    Reason::RecognitionBusy,
    Reason::NoPolicy,
    Reason::RequireTlsNotOffered,
];

/// How a self-test of the resolver ends.
pub const SELF_TESTS: &[&str] = &["secure", "failed", "off"];
/// Why a process that reads documents was replaced.
pub const WORKER_ENDS: &[&str] = &["used", "time", "memory", "killed", "forbidden", "fault"];

/// Why logins are not taken.
const LOGIN_REFUSALS: &[&str] = &["wrong", "too-many", "busy"];

/// Makes one metric from its row.
trait FromRow: Sized {
    fn from_row(row: &Row) -> Result<Self, prometheus::Error>;
}

impl FromRow for IntCounterVec {
    fn from_row(row: &Row) -> Result<Self, prometheus::Error> {
        IntCounterVec::new(Opts::new(row.name, row.help), row.labels)
    }
}

impl FromRow for IntGaugeVec {
    fn from_row(row: &Row) -> Result<Self, prometheus::Error> {
        IntGaugeVec::new(Opts::new(row.name, row.help), row.labels)
    }
}

impl FromRow for GaugeVec {
    fn from_row(row: &Row) -> Result<Self, prometheus::Error> {
        GaugeVec::new(Opts::new(row.name, row.help), row.labels)
    }
}

impl FromRow for IntCounter {
    fn from_row(row: &Row) -> Result<Self, prometheus::Error> {
        IntCounter::new(row.name, row.help)
    }
}

impl FromRow for IntGauge {
    fn from_row(row: &Row) -> Result<Self, prometheus::Error> {
        IntGauge::new(row.name, row.help)
    }
}

impl FromRow for Histogram {
    fn from_row(row: &Row) -> Result<Self, prometheus::Error> {
        // From a fast flush (0.1 ms) to a message that waited for days.
        let buckets =
            vec![0.0001, 0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 86_400.0];
        Histogram::with_opts(HistogramOpts::new(row.name, row.help).buckets(buckets))
    }
}

/// States of the queue as `queue list` prints them.
pub const QUEUE_STATES: &[&str] = &["active", "deferred", "held"];

/// The class label of mail that is in no class.
pub const NO_CLASS: &str = "none";
/// The version label of a link without TLS.
pub const NO_TLS: &str = "none";

impl Metrics {
    /// Closed label sets appear before anything has happened.
    fn start_at_zero(&self) {
        for direction in Direction::ALL {
            for outcome in Outcome::ALL {
                self.messages.with_label_values(&[direction.name(), outcome.name()]);
            }
            self.cleartext_messages.with_label_values(&[direction.name(), NO_CLASS]);
            self.link_sessions.with_label_values(&[direction.name(), NO_TLS, Proof::Nothing.name()]);
            for (version, proof) in TlsVersion::ALL.iter().flat_map(|v| Proof::ALL.iter().map(move |p| (v, p))) {
                self.link_sessions.with_label_values(&[direction.name(), version.name(), proof.name()]);
            }
            for level in Level::ALL {
                self.link_attempts.with_label_values(&[
                    direction.name(),
                    level.name(),
                    "ok",
                    Reason::RequirementMet.name(),
                ]);
                let in_grace = [direction.name(), level.name(), "ok", Reason::CertificateExpired.name()];
                self.link_attempts.with_label_values(&in_grace);
                for reason in LINK_REASONS {
                    self.link_attempts.with_label_values(&[direction.name(), level.name(), "failed", reason.name()]);
                }
            }
        }
        for reason in REFUSALS {
            self.refusals.with_label_values(&[reason.name()]);
        }
        for reason in LOGIN_REFUSALS {
            self.logins_refused.with_label_values(&[reason]);
        }
        for result in SELF_TESTS {
            self.dnssec_self_test.with_label_values(&[result]);
        }
        self.common_causes(None);
        for result in FetchResult::NAMES {
            self.mta_sts_fetch.with_label_values(&[result]);
        }
        for reason in WORKER_ENDS {
            self.worker_restarts.with_label_values(&[reason]);
        }
        for kind in FindingKind::ALL {
            self.findings.with_label_values(&[kind.to_string().as_str()]);
        }
        for state in QUEUE_STATES {
            self.queue_messages.with_label_values(&[state]);
            self.queue_oldest.with_label_values(&[state, NO_CLASS]);
        }
    }

    /// The names that a policy brings: rules and classes are a closed set until the next one is loaded.
    pub fn announce_policy<'a>(
        &self,
        hash: &str,
        classes: impl Iterator<Item = &'a str>,
        rules: impl Iterator<Item = (&'a str, Mode)>,
    ) {
        for (rule, mode) in rules {
            for fate in Fate::ALL {
                self.policy_verdicts.with_label_values(&[rule, mode.name(), fate.name()]);
            }
            if mode == Mode::Monitor {
                self.policy_would_block.with_label_values(&[rule]);
            }
        }
        self.policy_info.reset();
        self.policy_info.with_label_values(&[hash]).set(1);
        let classes: Vec<String> = classes.map(str::to_owned).collect();
        for class in classes.iter().map(String::as_str) {
            self.class_messages.with_label_values(&[class]);
            for direction in Direction::ALL {
                self.cleartext_messages.with_label_values(&[direction.name(), class]);
            }
            for state in QUEUE_STATES {
                self.queue_oldest.with_label_values(&[state, class]);
            }
        }
        *self.classes.lock().unwrap_or_else(PoisonError::into_inner) = classes;
    }

    /// The classes of the policy in force.
    #[must_use]
    pub fn classes(&self) -> Vec<String> {
        self.classes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How the last self-test of the resolver ended: one of `SELF_TESTS`.
    pub fn self_tested(&self, result: &str) {
        for known in SELF_TESTS {
            self.dnssec_self_test.with_label_values(&[known]).set(i64::from(*known == result));
        }
    }

    /// What of ours is the matter now.
    pub fn common_causes(&self, now: Option<&str>) {
        for cause in Cause::NAMES {
            self.common_cause.with_label_values(&[cause]).set(i64::from(now == Some(*cause)));
        }
    }

    /// One message that crossed a link without TLS, in each of its classes.
    pub fn count_clear<'a>(&self, direction: Direction, classes: impl Iterator<Item = &'a str>) {
        let mut counted: Vec<&str> = Vec::new();
        for class in classes {
            if !counted.contains(&class) {
                counted.push(class);
            }
        }
        if counted.is_empty() {
            counted.push(NO_CLASS);
        }
        for class in counted {
            self.cleartext_messages.with_label_values(&[direction.name(), class]).inc();
        }
    }

    /// The text that Prometheus reads.
    #[must_use]
    pub fn scrape(&self) -> Vec<u8> {
        let mut text = Vec::with_capacity(32 * 1024);
        // Writing to memory cannot fail; an encoder that did would leave a shorter page, which Prometheus reports.
        let _ = prometheus::TextEncoder::new().encode(&self.registry.gather(), &mut text);
        text
    }
}

/// What can keep a link from the level that was asked.
pub const LINK_REASONS: &[Reason] = &[
    Reason::TlsMasked,
    Reason::TlsaMismatch,
    Reason::StrippingSuspected,
    Reason::DnssecNotValidated,
    Reason::DnsBogus,
    Reason::ConnectionRefused,
    Reason::ConnectionTimedOut,
    Reason::ConnectionLost,
    Reason::NetworkUnreachable,
    Reason::GreetingRefused,
    Reason::ProtocolError,
    Reason::LoginRefused,
    Reason::TlsNotOffered,
    Reason::TlsRefused,
    Reason::TlsHandshakeFailed,
    Reason::TlsStalled,
    Reason::TlsReset,
    Reason::TlsVersionTooOld,
    Reason::TlsNoCommonCipher,
    Reason::CertificateExpired,
    Reason::CertificateNotYetValid,
    Reason::CertificateWrongName,
    Reason::CertificateSelfSigned,
    Reason::CertificateUnknownIssuer,
    Reason::CertificateInvalid,
    Reason::PinMismatch,
    Reason::HostNotListed,
    Reason::NoProofSource,
    Reason::RequireTlsNotOffered,
    Reason::DnsTempfail,
    Reason::NoSuchDomain,
    Reason::NullMx,
    Reason::NoAddress,
    Reason::AddressNotAllowed,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_label_sets_are_there_before_anything_happened() {
        let metrics = Metrics::new().unwrap();
        let page = String::from_utf8(metrics.scrape()).unwrap();
        assert!(page.contains("mailward_messages_total{direction=\"outbound\",outcome=\"delivered\"} 0"));
        assert!(page.contains("mailward_queue_messages{state=\"held\"} 0"));
        assert!(page.contains("mailward_kept_from_cleartext_total 0"));
    }

    #[test]
    fn every_row_says_what_it_means() {
        for row in TABLE {
            assert!(row.name.starts_with("mailward_") && row.help.ends_with('.'), "{}", row.name);
        }
    }
}
