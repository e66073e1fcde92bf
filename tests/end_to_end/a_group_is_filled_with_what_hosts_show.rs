//! `mx` and `pins` that are proposed to a person: for the domains that a newer edition of a list adds, and for one that is probed.

use crate::lab::ca::self_signed;
use crate::lab::peers::{Behaviour, Tls};
use crate::world::{Gateway, Setup, World};
use serde_json::{Value, json};
use std::fs;

fn shows(leaf: crate::lab::ca::Leaf) -> Behaviour {
    Behaviour { tls: Tls::Shows(leaf), ..Behaviour::default() }
}

const LIST: &str = "lists/partners.csv";

fn import(gateway: &Gateway, newer: &str, more: &[&str]) -> String {
    fs::write(gateway.folder.path().join("newer.csv"), newer).unwrap();
    let words = ["list", "import", "newer.csv", "--as", LIST, "--by", "J. Smith", "--probe"];
    let output = gateway.cli(&[&words, more].concat());
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

#[test]
fn the_domains_that_a_list_adds_get_the_hosts_that_prove_themselves() {
    let world = World::new(215);
    let good = world.mx(10, "good.example", shows(world.ca.good(&["mx.good.example"])));
    let weak = world.mx(11, "weak.example", shows(self_signed(&["mx.weak.example"])));
    let plain = world.mx(12, "plain.example", Behaviour::default());
    let own = world.mx(13, "own.example", shows(world.ca.good(&["mx.own.example"])));
    world.names.null_mx("closed.example");
    let gateway = world.prepared(&Setup::default());
    let list = gateway.folder.path().join("policies").join(LIST);
    let newer = "domain,organisation,mx\ngood.example,G,\nweak.example,W,\nplain.example,P,\nclosed.example,C,\n\
                 own.example,O,*.elsewhere.example\n";

    // Shown with the difference, before it asks; nobody says yes.
    let said = import(&gateway, newer, &[]);
    for line in [
        "mx proposed, from certificates that hosts show now: 1\n  good.example: mx.good.example\n",
        "cannot reach verified now: 3\n",
        "  closed.example: null-mx: ",
        "  plain.example: tls-not-offered of mx.plain.example: ",
        "  weak.example: certificate-self-signed of mx.weak.example: the receiving server's certificate is self-signed\n",
        "nothing is written",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }
    assert!(!list.exists() && own.sessions() == 0, "whoever says it himself is not asked");

    let told: Value = serde_json::from_str(&import(&gateway, newer, &["--yes", "--json"])).unwrap();
    assert_eq!(told["proposed"], json!([{ "domain": "good.example", "mx": ["mx.good.example"] }]));
    assert_eq!((&told["unproved"][2]["reason"], &told["written"]), (&"certificate-self-signed".into(), &true.into()));
    let written = fs::read_to_string(&list).unwrap();
    assert!(written.contains("mx of 1 as they showed it\n"), "{written}");
    for row in ["good.example,G,,,mx.good.example,\n", "weak.example,W,,,,\n", "own.example,O,,,*.elsewhere.example,\n"]
    {
        assert!(written.contains(row), "{row}\n{written}");
    }

    // What the list has already is neither asked nor changed.
    let asked = [&good, &weak, &plain].map(|peer| peer.sessions());
    let _more = world.mx(14, "more.example", shows(world.ca.good(&["mx.more.example"])));
    let said = import(&gateway, &format!("{newer}more.example,M,\n"), &["--yes"]);
    assert!(
        said.contains("  more.example: mx.more.example\n") && said.contains("cannot reach verified now: 0\n"),
        "{said}"
    );
    assert_eq!([&good, &weak, &plain].map(|peer| peer.sessions()), asked);
    let written = fs::read_to_string(&list).unwrap();
    assert!(written.contains("own.example,O,,,*.elsewhere.example,\n"), "{written}");
    assert_eq!(written.matches("mx.").count(), 2, "{written}");
}

#[test]
fn a_key_is_proposed_when_it_has_been_the_same_for_a_month() {
    let world = World::new(216);
    let leaf = self_signed(&["mx.self.example"]);
    let _peer = world.mx(10, "self.example", shows(leaf.clone()));
    let gateway = world.prepared(&Setup::default());
    let data = gateway.folder.path().join("data");
    fs::create_dir(&data).unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64;
    let remember = |days: i64, key: &str| {
        let at = now - days * 86_400_000;
        let offered = json!({ "starttls": true, "version": "TLSv1.3", "proof": "none", "key": key });
        let past = json!({ "host": "mx.self.example", "first": at, "last": now, "offered": offered, "key_since": at, "fall": null });
        fs::write(data.join("hosts.json"), json!([past]).to_string()).unwrap();
    };
    let proposed = || gateway.json(&["probe", "--json", "--propose", "self.example"])["proposal"].clone();
    let text = || String::from_utf8(gateway.cli(&["probe", "--propose", "self.example"]).stdout).unwrap();
    assert_eq!(proposed()["pins"], json!([]), "nothing is remembered");
    assert!(text().contains("# mx.self.example: nothing is remembered of it\n"), "{}", text());
    remember(29, &leaf.pin());
    assert_eq!(proposed()["pins"], json!([]), "it is too young");
    let young = text();
    assert!(young.contains("# not yet: a key is proposed once") && young.contains("this key since "), "{young}");
    remember(31, &leaf.pin());
    assert_eq!(proposed()["pins"], json!([leaf.pin()]));
    assert!(text().contains(&format!("\npins    = [\"{}\"]\n", leaf.pin())), "{}", text());
    remember(31, "sha256/another");
    assert_eq!(proposed()["pins"], json!([]), "it is another");
    assert!(text().contains("ANOTHER key than the one since "), "{}", text());
}
