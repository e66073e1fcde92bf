//! House rule: what deploy/ ships works with this version: the example gateway.toml loads with the shipped policy, every
//! metric that a rule or a panel names exists, the rules pass their own tests, the unit is confined.

// A file that cannot be read is a failed test.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use mailward::metrics::TABLE;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

fn path(below: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(below)
}

fn read(below: &str) -> String {
    std::fs::read_to_string(path(below)).unwrap_or_else(|error| panic!("{below} cannot be read: {error}"))
}

/// The names that begin with `mailward_`, without what a histogram adds.
fn metrics_in(text: &str) -> BTreeSet<String> {
    let rest = |at: usize| text[at..].chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect::<String>();
    let named = text.match_indices("mailward_").map(|(at, _)| rest(at));
    let base = |name: String| {
        let of_histogram = ["_bucket", "_count", "_sum"].iter().find_map(|end| name.strip_suffix(end));
        of_histogram.map_or(name.clone(), str::to_owned)
    };
    named.map(base).collect()
}

/// What `text` names and the table does not have.
fn unknown_metrics(text: &str) -> Vec<String> {
    metrics_in(text).into_iter().filter(|name| TABLE.iter().all(|row| row.name != name)).collect()
}

/// Label names in `{…}` and `by (…)` after metrics, which the table must give to one metric at least.
fn unknown_labels(expression: &str) -> Vec<String> {
    let from_prometheus = ["instance", "job", "le"];
    let known = |name: &str| from_prometheus.contains(&name) || TABLE.iter().any(|row| row.labels.contains(&name));
    let selectors = expression.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(inside, _)| inside);
    let matched = selectors.flat_map(|inside| inside.split(',')).filter_map(|m| m.split(['=', '!']).next());
    let grouped = expression.split("by (").skip(1).filter_map(|rest| rest.split_once(')')).map(|(inside, _)| inside);
    let names = matched.chain(grouped.flat_map(|inside| inside.split(','))).map(str::trim);
    names.filter(|name| !name.is_empty() && !known(name)).map(str::to_owned).collect()
}

/// Runs a tool that need not be installed: None without it. `tests/run` installs it and counts where it could not.
fn tool(program: &str, arguments: &[&str]) -> Option<String> {
    let output = match Command::new(program).args(arguments).current_dir(path("deploy/prometheus")).output() {
        Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("{program} is not installed: not checked");
            return None;
        }
        ran => ran.expect("the tool runs"),
    };
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{program} {}:\n{said}", arguments.join(" "));
    Some(said)
}

#[test]
fn the_example_gateway_toml_loads() {
    let config = mailward::config::load(&path("deploy/gateway.toml")).unwrap_or_else(|wrong| panic!("{wrong}"));
    assert_eq!((config.sites.len(), config.listeners.len()), (1, 2));
    assert!(config.sites[0].duty.is_some(), "the example names somebody who is told");
}

#[test]
fn what_the_example_leaves_out_in_comments_loads_too() {
    let shown = read("deploy/gateway.toml");
    let (head, relay) = shown.split_once("# [deliver]\n").expect("the example shows a smarthost");
    let lines: Vec<&str> = relay.lines().map(|line| line.strip_prefix("# ").unwrap_or(line)).collect();
    let sentences = ["Without this, a self-signed"];
    let lines = lines.into_iter().filter(|line| !sentences.iter().any(|s| line.starts_with(s)));
    let text = format!("{head}[deliver]\n{}", lines.collect::<Vec<_>>().join("\n"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gateway.toml");
    std::fs::write(&file, &text).unwrap();
    let config = mailward::config::load(&file).unwrap_or_else(|wrong| panic!("{wrong}"));
    assert_eq!(config.relays.len(), 1);
    assert_eq!(config.deliver.smarthost.as_deref(), Some("upstream"));
    assert!(config.tls.identity.is_some());
}

#[test]
fn the_shipped_policy_is_fit_for_use_with_the_example() {
    let config = mailward::config::load(&path("deploy/gateway.toml")).unwrap_or_else(|wrong| panic!("{wrong}"));
    let today = "2026-12-01".parse().unwrap();
    let loaded = mailward::decide::load(&path("policies"), &config.known(), today).unwrap_or_else(|w| panic!("{w}"));
    assert!(!loaded.tests.is_empty());
}

#[test]
fn rules_and_panels_name_only_metrics_and_labels_that_exist() {
    for file in ["deploy/prometheus/mailward.rules.yml", "deploy/prometheus/mailward.test.yml"] {
        assert_eq!(unknown_metrics(&read(file)), Vec::<String>::new(), "{file}");
    }
    let rules = read("deploy/prometheus/mailward.rules.yml");
    let expressions = rules.lines().filter(|line| line.contains("mailward_"));
    for line in expressions {
        assert_eq!(unknown_labels(line), Vec::<String>::new(), "{line}");
    }
}

#[test]
fn the_dashboard_shows_metrics_that_exist_and_nothing_overlaps() {
    let dashboard: Value = serde_json::from_str(&read("deploy/grafana/mailward.json")).expect("the dashboard is JSON");
    let panels = dashboard["panels"].as_array().expect("it has panels");
    let mut taken = BTreeSet::new();
    for panel in panels {
        let expression = panel["targets"][0]["expr"].as_str().expect("a panel asks something");
        assert!(!metrics_in(expression).is_empty(), "{expression}");
        assert_eq!(unknown_metrics(expression), Vec::<String>::new(), "{expression}");
        assert_eq!(unknown_labels(expression), Vec::<String>::new(), "{expression}");
        let side = |key: &str| panel["gridPos"][key].as_u64().expect("a panel has a place");
        for column in side("x")..side("x") + side("w") {
            assert!(column < 24 && taken.insert((column, side("y"))), "{} overlaps", panel["title"]);
        }
    }
    assert!(panels.len() > 5);
}

#[test]
fn the_rules_pass_their_own_tests() {
    tool("promtool", &["check", "rules", "mailward.rules.yml"]);
    if let Some(said) = tool("promtool", &["test", "rules", "mailward.test.yml"]) {
        assert!(said.contains("SUCCESS"), "{said}");
    }
}

/// The exposure that `systemd-analyze security` prints, 0 (closed) to 10.
fn exposure(said: &str) -> Option<f64> {
    let line = said.lines().find(|line| line.contains("Overall exposure level"))?;
    line.split_once("service:")?.1.split_whitespace().next()?.parse().ok()
}

#[test]
fn the_unit_is_confined() {
    let unit = read("deploy/systemd/mailward.service");
    for wanted in ["Type=notify", "NoNewPrivileges=true", "ProtectSystem=strict", "MemoryDenyWriteExecute=true"] {
        assert!(unit.lines().any(|line| line == wanted), "{wanted}");
    }
    // A setting that systemd only understands in another section is passed over silently.
    let start = unit.split("[Service]").next().expect("it has sections");
    assert!(start.contains("StartLimitBurst="));
    let file = path("deploy/systemd/mailward.service");
    let file = file.to_string_lossy();
    if let Some(said) = tool("systemd-analyze", &["security", "--offline=true", "--no-pager", &file]) {
        let level = exposure(&said).unwrap_or_else(|| panic!("no exposure in:\n{said}"));
        assert!(level < 2.0, "exposure {level}");
    }
}

#[test]
fn what_does_not_exist_is_found() {
    let text = "sum(rate(mailward_nothing_total[5m])) / mailward_accept_duration_seconds_bucket{le=\"1\"}";
    assert_eq!(unknown_metrics(text), ["mailward_nothing_total"]);
    assert_eq!(unknown_labels("sum by (instance, colour) (x{state=\"held\",shape!=\"round\"})"), ["shape", "colour"]);
    assert_eq!(exposure("→ Overall exposure level for mailward.service: 1.7 OK"), Some(1.7));
}
