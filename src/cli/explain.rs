//! `mailward explain`: what would become of a message, and why. It judges with the function of the live path.
//!
//! Promises: nothing is sent and nothing is stored. Fails by exit code 1 where the policy is not fit for use.

mod entry;
mod print;

use super::known::{Source, Surroundings};
use super::{Failure, inspect};
use crate::clinical::Findings;
use crate::clock::{EntryId, Now};
use crate::config;
use crate::control::entry_id;
use crate::decide::{self, Judge, Judgement, Transaction};
use crate::mail::{AddressError, Body, Envelope, Mailbox, Recipient, ReversePath};
use crate::policy::{Sites, peer_level};
use crate::receive::access::Denied;
use crate::vocabulary::{Direction, Level, Rung};
use entry::Kept;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const EXAMPLE: &str = "Example:
  mailward explain --from dr@surgery.nhs.uk --to patient@webmail.example \\
      --subject Results --body 'NHS number 943 476 5919' --peer verified";

/// Explain what would become of a message, recipient by recipient, and which rules decide it
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    #[command(flatten)]
    source: Source,
    /// The reverse-path; <> or nothing for a notice
    #[arg(long, value_name = "ADDRESS", value_parser = reverse_path, required_unless_present = "entry")]
    from: Option<ReversePath>,
    /// A recipient; give it again for more
    #[arg(long, value_name = "ADDRESS", required_unless_present = "entry")]
    to: Vec<Mailbox>,
    /// A message that came: by its entry id, from the records of the gateway that --config names
    #[arg(long, value_name = "ID", requires = "config", value_parser = entry_id,
        conflicts_with_all = ["from", "to", "message", "subject", "body", "peer", "can", "direction", "site",
            "requiretls"])]
    entry: Option<EntryId>,
    /// outbound, inbound or internal [default: by the sites of --config, else outbound]
    #[arg(long)]
    direction: Option<Direction>,
    /// The site that it comes from or goes to [default: by the sites of --config]
    #[arg(long)]
    site: Option<String>,
    /// The message, as a file, or `-` for standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["subject", "body"])]
    message: Option<PathBuf>,
    #[arg(long, default_value = "")]
    subject: String,
    #[arg(long, default_value = "")]
    body: String,
    /// It is sent with REQUIRETLS (RFC 8689)
    #[arg(long)]
    requiretls: bool,
    /// What the other side can reach: none, encrypted or verified
    #[arg(long, value_parser = peer_level, default_value = "none")]
    peer: Level,
    /// A rung that can serve the recipients; give it again for more
    #[arg(long, value_name = "RUNG")]
    can: Vec<Rung>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What is explained.
struct Explained<'a> {
    judge: &'a Judge,
    findings: Findings,
    /// It is sent, or came, with REQUIRETLS.
    requiretls: bool,
    parts: Vec<Part<'a>>,
}

/// One recipient's own judgement: direction and site can differ from one to the next.
struct Part<'a> {
    to: &'a Mailbox,
    direction: Direction,
    judgement: Judgement,
    /// It is refused at RCPT, before any rule has its say about the text.
    denied: Option<Denied>,
}

/// As a client says it after MAIL FROM, with or without its brackets.
fn reverse_path(written: &str) -> Result<ReversePath, AddressError> {
    written.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).unwrap_or(written).parse()
}

#[must_use]
pub fn run(args: Args) -> ExitCode {
    args.answer().unwrap_or_else(Failure::print)
}

impl Args {
    fn answer(&self) -> Result<ExitCode, Failure> {
        if let Some(id) = self.entry {
            return self.answer_entry(id);
        }
        let surroundings = self.source.surroundings()?;
        let message = self.message()?;
        let files = decide::read(&surroundings.policies).map_err(Failure::no_policy)?;
        // Not `load`: whoever asks why a test fails wants an answer although it fails.
        let judge = decide::judge_of(&files, &surroundings.known).map_err(|wrong| Failure::diagnosed(&wrong))?;
        let explained = self.explain(&judge, &surroundings, &message);
        if self.json {
            say!("{}", explained.json());
        } else {
            say_as_is!("{}", explained.text());
        }
        Ok(ExitCode::SUCCESS)
    }

    fn answer_entry(&self, id: EntryId) -> Result<ExitCode, Failure> {
        let config = self.source.config.as_deref().unwrap_or(Path::new("gateway.toml"));
        let (config, surroundings) = (config::load(config)?, self.source.surroundings()?);
        let files = decide::read(&surroundings.policies).map_err(Failure::no_policy)?;
        let judge = decide::judge_of(&files, &surroundings.known).map_err(|wrong| Failure::diagnosed(&wrong))?;
        let kept = Kept::of(id, &config)?;
        let explained = kept.explain(&judge)?;
        if self.json {
            let mut json = explained.json();
            json["decided"] = kept.json();
            say!("{json}");
        } else {
            say_as_is!("{}{}", kept.text(&judge), explained.text());
        }
        Ok(ExitCode::SUCCESS)
    }

    fn message(&self) -> Result<Vec<u8>, Failure> {
        if let Some(path) = &self.message {
            return inspect::read(path);
        }
        let to: Vec<String> = self.to.iter().map(ToString::to_string).collect();
        let fields = format!("From: <{}>\r\nTo: {}\r\n", self.reverse_path(), to.join(", "));
        Ok(decide::compose(&fields, &self.subject, &self.body).into_bytes())
    }

    fn explain<'a>(&'a self, judge: &'a Judge, around: &Surroundings, message: &[u8]) -> Explained<'a> {
        let (findings, now) = (judge.inspect(message), Now::read().wall);
        let envelope = Envelope {
            reverse_path: self.reverse_path().clone(),
            recipients: self.to.iter().cloned().map(Recipient::new).collect(),
            body: Body::EightBitMime,
            smtputf8: false,
            ret: None,
            envid: None,
            require_tls: self.requiretls,
        };
        let parts = self.to.iter().enumerate().map(|(number, to)| {
            let direction = self.direction(around, to);
            let sites = self.sites(around, direction, to);
            let size = message.len() as u64;
            let peer = Some(self.peer);
            let denied = envelope.goes_by_require_tls_only().then(|| around.refuses_require_tls(sites.leaves, to));
            let transaction =
                Transaction { at: now, direction, sites, envelope: &envelope, message, size, peer, can: &self.can };
            let mut judgement = judge.at_accept(&transaction, &findings);
            judgement.recipients = judgement.recipients.drain(..).skip(number).take(1).collect();
            Part { to, direction, judgement, denied: denied.flatten() }
        });
        let parts = parts.collect();
        Explained { judge, findings, requiretls: self.requiretls, parts }
    }

    fn reverse_path(&self) -> &ReversePath {
        self.from.as_ref().unwrap_or(&ReversePath::Null)
    }

    fn direction(&self, around: &Surroundings, to: &Mailbox) -> Direction {
        self.direction
            .unwrap_or_else(|| around.direction(self.reverse_path().mailbox().map(Mailbox::domain), to.domain()))
    }

    fn sites<'s>(&'s self, around: &'s Surroundings, direction: Direction, to: &Mailbox) -> Sites<'s> {
        let (given, reaches) = (self.site.as_deref(), around.site_of(to.domain()));
        if direction == Direction::Inbound {
            return Sites { leaves: None, reaches: given.or(reaches) };
        }
        let from = || around.site_of(self.reverse_path().mailbox()?.domain());
        Sites { leaves: given.or_else(from), reaches }
    }
}
