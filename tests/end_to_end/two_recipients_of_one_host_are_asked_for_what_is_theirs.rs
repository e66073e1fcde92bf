//! Two domains have the same mail host, and of one of them more is asked: each recipient of one message goes by what is asked for it, and a link
//! that was good enough for one is no way for the other.

use crate::lab::ca::self_signed;
use crate::lab::peers::{Behaviour, Tls};
use crate::world::{self, POLICY, Setup, World};

const BOTH: [&str; 2] = ["a@other.example", "b@partner.example"];

fn policy(level: &str) -> String {
    format!(
        "{POLICY}\n[rule.partner]\ndirection = \"outbound\"\nwhen = {{ to = [\"@partner\"] }}\nrequire = \"{level}\"\nwait = \"1h\"\notherwise = \"hold\"\n"
    )
}

fn only_the_other_gets_it(number: u8, (level, tls): (&str, Tls), reason: &str) {
    let world = World::new(number);
    let is_tls = !matches!(tls, Tls::None);
    let peer = world.mx(10, "partner.example", Behaviour { tls, ..Behaviour::default() });
    world.names.mx("other.example", &[(10, "mx.partner.example")]);
    let policy = policy(level);
    let gateway = world.gateway(&Setup { policy: &policy, ..Setup::default() });
    for order in [BOTH, [BOTH[1], BOTH[0]]] {
        let before = peer.received().len();
        gateway.send(&order, &world::ordinary("car park"));
        let got = peer.wait_for(before + 1);
        assert_eq!((&got[before].recipients[..], got[before].tls), (&["a@other.example".to_owned()][..], is_tls));
        let row = gateway.waits_for(reason);
        assert_eq!(row["recipients"].to_string(), "[\"b@partner.example\"]");
    }
    assert_eq!(peer.received().len(), 2);
}

#[test]
fn proof_is_asked_for_one() {
    only_the_other_gets_it(
        233,
        ("verified", Tls::Shows(self_signed(&["mx.partner.example"]))),
        "certificate-self-signed",
    );
}

#[test]
fn encryption_is_asked_for_one() {
    only_the_other_gets_it(234, ("encrypted", Tls::None), "tls-not-offered");
}
