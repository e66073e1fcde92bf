//! `mailward explain`: what would become of a message, and why. It judges with the function of the live path.
//!
//! Promises: nothing is sent and nothing is stored. Fails by exit code 1 where the policy is not fit for use.

mod print;

use super::check::{style, usage};
use super::known::{Source, Surroundings};
use crate::clinical::Findings;
use crate::decide::{self, Judge, Judgement, Transaction};
use crate::mail::{Body, Envelope, Mailbox, Recipient, ReversePath};
use crate::policy::peer_level;
use crate::vocabulary::{Direction, Level, Rung};
use std::path::PathBuf;
use std::process::ExitCode;

/// Explain what would become of a message, recipient by recipient, and which rules decide it.
///
/// Example: mailward explain --from dr@surgery.nhs.uk --to patient@webmail.example --subject Results --body "NHS number 943 476 5919"
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    source: Source,
    /// The reverse-path; empty for a notice
    #[arg(long, value_name = "ADDRESS")]
    from: ReversePath,
    /// A recipient; give it again for more
    #[arg(long, value_name = "ADDRESS", required = true)]
    to: Vec<Mailbox>,
    /// outbound, inbound or internal [default: by the sites of --config, else outbound]
    #[arg(long)]
    direction: Option<Direction>,
    /// The site that it comes from or goes to [default: by the sites of --config]
    #[arg(long)]
    site: Option<String>,
    /// The message, as a file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["subject", "body"])]
    message: Option<PathBuf>,
    #[arg(long, default_value = "")]
    subject: String,
    #[arg(long, default_value = "")]
    body: String,
    /// What the other side can reach: none, encrypted or verified [default: not known; inbound: none]
    #[arg(long, value_parser = peer_level)]
    peer: Option<Level>,
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
    parts: Vec<Part<'a>>,
}

/// One recipient's own judgement: direction and site can differ from one to the next.
struct Part<'a> {
    to: &'a Mailbox,
    direction: Direction,
    judgement: Judgement,
}

#[must_use]
pub fn run(args: Args) -> ExitCode {
    let surroundings = match args.source.surroundings() {
        Ok(surroundings) => surroundings,
        Err(why) => return usage(&why),
    };
    let message = match args.message() {
        Ok(message) => message,
        Err(why) => return usage(&why),
    };
    // Not `load`: whoever asks why a test fails wants an answer although it fails.
    let judge = match decide::read(&surroundings.policies).map(|files| decide::judge_of(&files, &surroundings.known)) {
        Ok(Ok(judge)) => judge,
        Ok(Err(wrong)) => {
            wrong.iter().for_each(|diagnostic| eprintln!("{}\n", diagnostic.render(style())));
            return ExitCode::from(1);
        }
        Err(why) => return usage(&why),
    };
    let explained = args.explain(&judge, &surroundings, &message);
    if args.json {
        println!("{}", explained.json());
    } else {
        print!("{}", explained.text());
    }
    ExitCode::SUCCESS
}

impl Args {
    fn message(&self) -> Result<Vec<u8>, String> {
        if let Some(path) = &self.message {
            return std::fs::read(path).map_err(|why| format!("`{}` cannot be read: {why}", path.display()));
        }
        let to: Vec<String> = self.to.iter().map(ToString::to_string).collect();
        let fields = format!("From: <{}>\r\nTo: {}\r\n", self.from, to.join(", "));
        Ok(decide::compose(&fields, &self.subject, &self.body).into_bytes())
    }

    fn explain<'a>(&'a self, judge: &'a Judge, around: &Surroundings, message: &[u8]) -> Explained<'a> {
        let findings = judge.inspect(message);
        let envelope = Envelope {
            reverse_path: self.from.clone(),
            recipients: self.to.iter().cloned().map(Recipient::new).collect(),
            body: Body::EightBitMime,
            smtputf8: false,
            ret: None,
            envid: None,
        };
        let parts = self.to.iter().enumerate().map(|(number, to)| {
            let direction = self.direction(around, to);
            let site = self.site.as_deref().or_else(|| self.site_of(around, direction, to));
            let peer = self.peer.or((direction == Direction::Inbound).then_some(Level::Any));
            let size = message.len() as u64;
            let transaction = Transaction { direction, site, envelope: &envelope, message, size, peer, can: &self.can };
            let mut judgement = judge.at_accept(&transaction, &findings);
            judgement.recipients = judgement.recipients.drain(..).skip(number).take(1).collect();
            Part { to, direction, judgement }
        });
        let parts = parts.collect();
        Explained { judge, findings, parts }
    }

    fn direction(&self, around: &Surroundings, to: &Mailbox) -> Direction {
        self.direction.unwrap_or_else(|| around.direction(self.from.mailbox().map(Mailbox::domain), to.domain()))
    }

    fn site_of<'s>(&self, around: &'s Surroundings, direction: Direction, to: &Mailbox) -> Option<&'s str> {
        match direction {
            Direction::Inbound => around.site_of(to.domain()),
            _ => around.site_of(self.from.mailbox()?.domain()),
        }
    }
}
