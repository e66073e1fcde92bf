//! A real Postfix whose key is published in signed names, and Postfix's own `posttls-finger` asked of the same names: what the gateway
//! proves, delivers and says in a probe is what they say.

use crate::lab::ca::{Leaf, self_signed};
use crate::lab::mta::{Absent, Setup as Server};
use crate::lab::postfix::Postfix;
use crate::lab::signed::{Kind, SignedNames, Zone};
use crate::lab::{skipped, until};
use crate::programme::{Said, announce, run};
use crate::world::{self, Gateway, NUMBER, SECRET, Setup, World};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

const FINGER: &str = "/usr/sbin/posttls-finger";

/// A domain of the scene, what its host publishes, and what is said of it.
struct Published {
    domain: &'static str,
    host: u8,
    records: Vec<String>,
    /// Of a probe.
    level: Option<&'static str>,
    proof: &'static str,
    /// `posttls-finger -l dane` sees a proof.
    is_verified: bool,
}

/// One domain for each answer that there is.
fn all(own: &str, other: &str) -> Vec<Published> {
    let published = |domain, host, records: &[&str]| {
        let records = records.iter().map(|&record| record.to_owned()).collect();
        Published { domain, host, records, level: None, proof: "none", is_verified: false }
    };
    let proved = |published| Published { level: Some("verified"), proof: "dane", is_verified: true, ..published };
    let encrypted = |published| Published { level: Some("encrypted"), ..published };
    let digest = |key: &str, kind: &str| format!("{kind} {key}");
    let (right, wrong) = (digest(own, "3 1 1"), digest(other, "3 1 1"));
    // RFC 7671 9: a stronger digest is published, and it is another key's.
    let stronger = digest(&other.repeat(2), "3 1 2");
    vec![
        proved(published("right.signed", 10, &[&right])),
        published("wrong.signed", 11, &[&wrong]),
        proved(published("rolling.signed", 12, &[&wrong, &right])),
        published("outdone.signed", 13, &[&right, &stronger]),
        // RFC 7672 2.2 and 3.1.3: records that nobody can use.
        encrypted(published("unusable.signed", 14, &[&digest(own, "1 1 1")])),
        encrypted(published("nothing.signed", 15, &[])),
        encrypted(published("right.unsigned", 16, &[&right])),
    ]
}

impl Published {
    fn zone_lines(&self, world: &World) -> String {
        let (domain, host, port) = (self.domain, self.world_address(world).ip(), world.port);
        let keys = self.records.iter().map(|record| format!("_{port}._tcp.mx.{domain}. TLSA {record}\n"));
        format!("{domain}. MX 10 mx.{domain}.\nmx.{domain}. A {host}\n{}", keys.collect::<String>())
    }

    fn world_address(&self, world: &World) -> SocketAddr {
        SocketAddr::new(world.ip(self.host), world.port)
    }
}

struct Scene {
    world: World,
    names: SignedNames,
    postfix: Postfix,
    published: Vec<Published>,
}

impl Scene {
    /// Every domain's host is the one Postfix that shows `leaf`.
    fn start(number: u8, leaf: &Leaf, published: Vec<Published>) -> Result<Scene, Absent> {
        let world = World::new(number);
        let zone = |name: &'static str, kind| {
            let ours = published.iter().filter(|published| published.domain.ends_with(&format!(".{name}")));
            Zone { name, kind, records: ours.map(|published| published.zone_lines(&world)).collect() }
        };
        let zones = [zone("signed", Kind::Signed), zone("unsigned", Kind::Unsigned)];
        let names = SignedNames::start_for_this_system(&world.ip(2).to_string(), &zones)?;
        let domains: Vec<&str> = published.iter().map(|published| published.domain).collect();
        let postfix = Postfix::start(&Server {
            listen: world.free(110),
            hostname: "mx.right.signed",
            domains: &domains,
            relay: None,
            leaf: Some(leaf),
        })?;
        for published in &published {
            world.wire.tap(published.world_address(&world), postfix.listen);
        }
        announce("Postfix", &Postfix::version()?);
        Ok(Scene { world, names, postfix, published })
    }

    fn gateway(&self) -> Gateway {
        let dns = format!("servers = [\"{}\"]", self.names.address);
        self.world.gateway(&Setup { dns: &dns, ..Setup::default() })
    }

    /// `posttls-finger -l dane`. It asks the system's resolver, which in a mount namespace of its own is the lab's.
    fn finger(&self, domain: &str) -> Said {
        let resolver = tempfile::NamedTempFile::new().unwrap();
        let lines = format!("nameserver {}\noptions trust-ad\n", self.names.address.ip());
        std::fs::write(resolver.path(), lines).unwrap();
        // It gives up its rights before it reads.
        std::fs::set_permissions(resolver.path(), std::fs::Permissions::from_mode(0o644)).unwrap();
        let asks = format!(
            "mount --bind {} /etc/resolv.conf && exec timeout -k 1 60 {FINGER} -c -l dane -L summary,verbose -o inet_protocols=ipv4 \
             {domain}:{}",
            resolver.path().display(),
            self.world.port
        );
        run(Command::new("unshare").args(["--mount", "sh", "-c", &asks]).stdin(Stdio::null()))
    }
}

fn scene(test: &str, number: u8) -> Option<Scene> {
    // Its name and its issuer say nothing: the key alone does.
    let (leaf, other) = (self_signed(&["elsewhere.example"]), self_signed(&["elsewhere.example"]));
    match Scene::start(number, &leaf, all(&leaf.key_digest(), &other.key_digest())) {
        Ok(scene) => Some(scene),
        Err(Absent(why)) => {
            skipped(test, &why);
            None
        }
    }
}

#[test]
fn a_probe_and_posttls_finger_say_the_same_of_published_keys() {
    let name = "a_probe_and_posttls_finger_say_the_same_of_published_keys";
    if !std::path::Path::new(FINGER).exists() {
        return skipped(name, &format!("{FINGER} is not installed"));
    }
    let may_mount = Command::new("unshare").args(["--mount", "true"]).status().is_ok_and(|status| status.success());
    if !may_mount {
        return skipped(name, "a mount namespace cannot be made");
    }
    let Some(scene) = scene(name, 191) else { return };
    let gateway = scene.gateway();
    for Published { domain, level, proof, is_verified, .. } in &scene.published {
        let probed = gateway.json(&["probe", "--json", domain]);
        let said = scene.finger(domain);
        assert!(said.text.contains("TLS connection established"), "{domain}: {}", said.text);
        assert_eq!(said.text.contains("Verified TLS connection established"), *is_verified, "{domain}: {}", said.text);
        assert_eq!(
            (probed["level"].as_str(), probed["hosts"][0]["proof"].as_str()),
            (*level, Some(*proof)),
            "{probed}"
        );
    }
}

#[test]
fn a_postfix_gets_mail_while_its_key_is_the_published_one() {
    let name = "a_postfix_gets_mail_while_its_key_is_the_published_one";
    let Some(scene) = scene(name, 192) else { return };
    let gateway = scene.gateway();
    for published in scene.published.iter().filter(|published| published.is_verified) {
        let to = format!("b@{}", published.domain);
        let id = gateway.send(&[&to], &world::clinical(published.domain));
        gateway.wait_until_empty();
        let life = gateway.json(&["trace", "--json", &id]);
        let ending = &life[0]["endings"][0];
        assert_eq!((&ending["proof"], &ending["reached"]), (&"dane".into(), &"verified".into()), "{life}");
    }
    let arrived = scene.postfix.wait_for(2).len();
    for domain in ["wrong.signed", "outdone.signed"] {
        let id = gateway.send(&[&format!("b@{domain}")], &world::ordinary("car park"));
        let waits = until(|| {
            gateway.queue().into_iter().find(|row| row["id"] == id.as_str() && row["reason"] == "tlsa-mismatch")
        });
        assert!(waits.is_some(), "{domain}: {:?}\n{}", gateway.queue(), gateway.log());
    }
    // The connections were made, and nothing was sent over them.
    assert_eq!(scene.postfix.mailbox().len(), arrived);
    assert_eq!(scene.world.wire.sightings(&[NUMBER, SECRET]), []);
}
