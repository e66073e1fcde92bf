//! One mistake per folder of tests/gateway, with the exact text that the operator gets for that gateway.toml.
//!
//! `BLESS=1 cargo test --test gateway` writes what comes out into expected.txt: read the diff before you keep it.

// A fixture that cannot be read fails its test.
#![allow(clippy::unwrap_used)]

use mailward::config;
use std::fs;
use std::path::{Path, PathBuf};

fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gateway");
    let mut folders: Vec<PathBuf> = fs::read_dir(root).unwrap().map(|e| e.unwrap().path()).collect();
    folders.sort();
    folders
}

#[test]
fn every_mistake_is_told_with_its_place() {
    let bless = std::env::var_os("BLESS").is_some();
    let mut wrong = Vec::new();
    for folder in folders() {
        let got = match config::load(&folder.join("gateway.toml")) {
            Ok(_) => panic!("{} has no mistake", folder.display()),
            Err(error) => format!("{error}\n"),
        };
        let path = folder.join("expected.txt");
        if bless {
            fs::write(&path, &got).unwrap();
        } else if fs::read_to_string(&path).unwrap_or_default() != got {
            wrong.push(format!("== {}\n{got}", folder.display()));
        }
    }
    assert!(wrong.is_empty(), "texts changed (BLESS=1 writes them):\n{}", wrong.join("\n"));
}

#[test]
fn what_is_not_said_has_the_documented_default() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gateway.toml");
    let text = "hostname = \"gw.example\"\ndata = \"d\"\npolicies = \"/p\"\n\
        [site.s]\ndomains = [\"S.example.\"]\nexchange = [\"exch.example\", \"[2001:db8::1]:26\"]\nnetworks = [\"10.0.0.0/8\"]\n\
        [listen.a]\naddress = \"127.0.0.1:25\"\nmail-from = \"sites\"\n\
        [listen.b]\naddress = \"127.0.0.1:26\"\nmail-from = \"anyone\"\n";
    fs::write(&file, text).unwrap();
    let config = config::load(&file).unwrap();
    assert_eq!(config.data, folder.path().join("d"), "relative to the file");
    assert_eq!(config.policies, Path::new("/p"));
    let exchange: Vec<(String, u16)> = config.sites[0].exchange.iter().map(|h| (h.host.clone(), h.port)).collect();
    assert_eq!(exchange, [("exch.example".to_owned(), 25), ("2001:db8::1".to_owned(), 26)]);
    assert_eq!(config.sites[0].domains[0].as_str(), "s.example");
    assert_eq!(config.listeners[0].tls, config::ListenerTls::Require, "a site's Exchange can be told to");
    assert_eq!(config.listeners[1].tls, config::ListenerTls::Offer, "the internet cannot");
    assert_eq!(config.deliver.port, 25);
    assert!(!config.deliver.allow_private);
    assert_eq!(config.limits.max_message, 50_000_000);
    assert_eq!(config.queue.retry.expire.as_secs(), 2 * 86_400);
}
