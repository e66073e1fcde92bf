//! A client logs in: from then on it is its site's, wherever it connects from.
//!
//! Called by `connection`. Promises: neither name nor password is logged. Fails with the reply that `login` gives.

use super::super::listener;
use super::{Connection, Flow};
use crate::smtp::server::{Action, Credentials, Session};
use std::io;
use std::sync::Arc;

impl Connection {
    pub(super) async fn ask_login(&mut self, session: Session, given: Credentials) -> io::Result<Flow> {
        let checked = self.reception.desk.check(self.client, given).await;
        let verdict = match checked {
            Ok(site) => {
                tracing::info!(session = self.session_id, client = %self.client, %site, "logged in");
                self.door = self.standing.door(self.client, Some(&site));
                self.login = Some(site);
                Ok(Arc::new(listener::settings(&self.rules, self.door.as_deref(), &self.reception)))
            }
            Err(denial) => {
                self.reception.metrics.logins_refused.with_label_values(&[denial.name()]).inc();
                tracing::warn!(session = self.session_id, client = %self.client, why = denial.name(), "login refused");
                Err(denial.reply())
            }
        };
        let (session, action) = session.answer_login(verdict);
        match action {
            Action::Close(reply) => self.close(&reply).await,
            Action::Reply(reply) => {
                self.say(&reply);
                Ok(Flow::On(session))
            }
            _ => Ok(Flow::On(session)),
        }
    }
}
