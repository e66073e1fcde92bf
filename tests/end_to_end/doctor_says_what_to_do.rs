//! `doctor`: each point is found good and found wrong, before the first start and beside a running gateway.

use crate::lab::ca::self_signed;
use crate::lab::peers::{Behaviour, Tls};
use crate::world::{Gateway, Setup, World};
use serde_json::Value;

fn look(gateway: &Gateway, reach: &str) -> (Option<i32>, Vec<Value>) {
    let output = gateway.cli(&["doctor", "--json", "--reach", reach]);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    (output.status.code(), told["checks"].as_array().unwrap().clone())
}

fn state<'p>(points: &'p [Value], name: &str) -> (&'p str, &'p str) {
    let point = points.iter().find(|point| point["name"].as_str().unwrap().starts_with(name));
    let point = point.unwrap_or_else(|| panic!("no point {name}: {points:?}"));
    let hint = point["hint"].as_str().unwrap_or_default();
    assert_eq!(hint.is_empty(), point["state"] == "ok", "what is wrong says what to do: {point}");
    (point["state"].as_str().unwrap(), point["said"].as_str().unwrap())
}

#[test]
fn a_good_installation_passes_and_each_fault_is_found() {
    let world = World::new(184);
    let shows = |leaf| Behaviour { tls: Tls::Shows(leaf), ..Behaviour::default() };
    let _good = world.mx(10, "good.example", shows(self_signed(&["mx.good.example"])));
    let _masked = world.mx(11, "masked.example", Behaviour { tls: Tls::Masked, ..Behaviour::default() });
    world.names.mx("shut.example", &[(10, "mx.shut.example")]).address_of("mx.shut.example", world.ip(12));
    world.names.fails("broken.example").address_of("gw.trust.example", world.ip(1));
    let mut gateway = world.prepared(&Setup { site: "require = \"encrypted\"", ..Setup::default() });

    // Before the first start, and without an Exchange.
    let (code, points) = look(&gateway, "good.example");
    assert_eq!((code, state(&points, "disk").0, state(&points, "policy").0), (Some(1), "warn", "ok"), "{points:?}");
    assert_eq!(state(&points, "exchange of trust").0, "fail");
    assert_eq!(
        (state(&points, "port 25").0, state(&points, "dns").0, state(&points, "dnssec").0),
        ("ok", "ok", "warn")
    );
    assert_eq!(state(&points, "certificate").0, "warn", "it would be self-signed");

    let plain = world.exchange();
    let (code, points) = look(&gateway, "masked.example");
    assert_eq!((code, state(&points, "exchange of trust").0), (Some(1), "fail"), "its Exchange offers no TLS");
    assert!(state(&points, "exchange of trust").1.contains("does not offer encryption"), "{points:?}");
    let (found, said) = state(&points, "port 25");
    assert!(found == "fail" && said.contains("a firewall on the way"), "{said}");
    drop(plain);

    let _exchange = world.peer(21, "exchange.trust.example", shows(self_signed(&["exchange"])));
    let config = std::fs::read_to_string(gateway.config()).unwrap();
    let moved = config.replace(&world.ip(20).to_string(), &world.ip(21).to_string());
    std::fs::write(gateway.config(), moved).unwrap();
    gateway.start();
    let (code, points) = look(&gateway, "good.example");
    assert_eq!(
        (code, state(&points, "exchange of trust").0, state(&points, "disk").0),
        (Some(0), "ok", "ok"),
        "{points:?}"
    );
    for (reach, name) in [("shut.example", "port 25"), ("broken.example", "dns")] {
        let (code, points) = look(&gateway, reach);
        assert_eq!((code, state(&points, name).0), (Some(1), "fail"), "{reach}: {points:?}");
    }
    let text = String::from_utf8(gateway.cli(&["doctor", "--reach", "good.example"]).stdout).unwrap();
    assert!(text.contains("warn  dnssec") && text.contains("-> run a validating resolver"), "{text}");
}
