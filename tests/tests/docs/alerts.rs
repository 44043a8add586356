//! Tests the example of alerts for Prometheus: the rules are valid, say what their tests expect, and are about metrics that a
//! host publishes.
use crate::checkout;
use hotswap_operate::HostMetrics;
use std::fs;
use std::process::Command;

const RULES: &str = "hotswap.rules.yml";
const TESTS: &str = "hotswap.rules.test.yml";

fn text(file: &str) -> String {
    fs::read_to_string(checkout().join("hotswap-host/operate/alerts").join(file)).unwrap()
}

/// Runs promtool on a file of the example.
fn promtool(args: &[&str]) {
    let output = Command::new("promtool")
        .args(args)
        .current_dir(checkout().join("hotswap-host/operate/alerts"))
        .output()
        .expect("promtool is there: `tests/run --setup` installs it");
    let told = [output.stdout, output.stderr].concat();
    let told = String::from_utf8_lossy(&told);
    assert!(output.status.success(), "{args:?}: {told}");
}

#[test]
fn prometheus_takes_the_alerts_and_they_fire_when_they_should() {
    promtool(&["check", "rules", RULES]);
    promtool(&["test", "rules", TESTS]);
    // Each alert has a test.
    let (rules, tests) = (text(RULES), text(TESTS));
    let alerts = rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "));
    let untested: Vec<_> = alerts.filter(|alert| !tests.contains(alert)).collect();
    assert!(untested.is_empty(), "{untested:?}");
}

#[test]
fn the_alerts_are_about_metrics_that_a_host_publishes() {
    let metrics = HostMetrics::describe();
    for file in [RULES, TESTS] {
        let text = text(file);
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let mut count = 0;
        for (at, _) in text.match_indices("hotswap_") {
            let rest = &text[at..];
            let end = rest.find(|c: char| !is_part(c)).unwrap_or(rest.len());
            let (name, rest) = rest.split_at(end);
            let metric = metrics.iter().find(|metric| metric.name == name);
            let metric = metric.unwrap_or_else(|| panic!("{file}: no host publishes {name}"));
            count += 1;
            // The labels in braces, and the values that a host knows.
            let Some(labels) = rest.strip_prefix('{') else {
                continue;
            };
            let labels = labels.split('}').next().unwrap_or_default();
            for label in labels.split(", ") {
                let end = label.find(|c: char| !is_part(c)).unwrap_or(label.len());
                let (label, value) = label.split_at(end);
                let known = metric.labels.split(", ").any(|known| known == label);
                assert!(
                    known || label == "instance",
                    "{file}: {name} has no label {label}"
                );
                let value = value.trim_matches(['=', '!', '"']);
                let has_words = ["outcome", "result", "why"].contains(&label);
                let is_known = metric.meaning.contains(&format!("`{value}`"));
                assert!(
                    is_known || !has_words,
                    "{file}: {name}: {label} is never {value}"
                );
            }
        }
        assert!(count > 10, "{file}: {count} names");
    }
}
