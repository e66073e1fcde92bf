//! What holds for whoever sends: sites, their doors and routes, and the policy. One generation, swapped whole.
//!
//! Called by `connection`, at its start and at every MAIL. Promises: a transaction keeps its own from MAIL to the dot, whatever is loaded
//! meanwhile, so doors, routes and policy are never of two generations. Fails never.

use super::access::{Access, Door};
use crate::decide::Judge;
use std::net::IpAddr;
use std::sync::Arc;

#[derive(Clone)]
pub struct Standing {
    pub access: Access,
    pub judge: Arc<Judge>,
}

impl Standing {
    /// The door of a client: its site's where it has logged in, else that of its network.
    #[must_use]
    pub fn door(&self, client: IpAddr, login: Option<&str>) -> Option<Arc<Door>> {
        match login {
            Some(site) => self.access.doors.iter().find(|door| *door.site == *site).cloned(),
            None => self.access.door_of(client).cloned(),
        }
    }
}
