//! Few open files: sessions get what delivery and the store can spare, the others hear 421; nothing that was taken is lost.

use crate::account::{Load, Sinks, hand_over_in};
use crate::lab::client::Client;
use crate::lab::until;
use crate::world::{Setup, World};
use std::io::Read;
use std::net::TcpStream;

#[test]
fn with_few_descriptors_sessions_wait_and_mail_flows() {
    if !crate::can("with_few_descriptors_sessions_wait_and_mail_flows", &["prlimit"]) {
        return;
    }
    let _alone = crate::alone();
    let world = World::new(129);
    let sinks = Sinks::that_defer(&world, 4);
    let mut gateway = world.prepared(&Setup { more: "[queue]\nretry = [\"1s\"]", ..Setup::default() });
    gateway.launcher = vec!["prlimit".into(), "--nofile=180:180".into()];
    gateway.start();
    let mut client = Client::connect(gateway.door).unwrap();
    let idle: Vec<TcpStream> = (0..200).map_while(|_| TcpStream::connect(gateway.door).ok()).collect();
    let busy = until(|| idle.iter().rev().find_map(first_code).filter(|code| code == "421"));
    assert!(busy.is_some(), "nobody is told that it is busy\n{}", gateway.log());
    let numbers = [0, 1, 2, 23, 95];
    for number in numbers {
        assert_eq!(hand_over_in(&mut client, number).unwrap().code, 250, "{}", gateway.log());
    }
    gateway.wait_until_empty();
    assert!(gateway.log().contains("raise LimitNOFILE"), "{}", gateway.log());
    drop((idle, client));
    let load = Load::from(gateway.door, 6, 1_000);
    assert!(load.goes_on(20), "sessions that ended give nothing back\n{}", gateway.log());
    let mut acknowledged = load.stop();
    acknowledged.extend(numbers);
    gateway.wait_until_empty();
    sinks.settle(&acknowledged, &[]).assert_clean();
}

/// The first code that the server says within a moment.
fn first_code(stream: &TcpStream) -> Option<String> {
    stream.set_read_timeout(Some(std::time::Duration::from_millis(200))).ok()?;
    let mut code = [0; 3];
    (&mut &*stream).read_exact(&mut code).ok()?;
    String::from_utf8(code.into()).ok()
}
