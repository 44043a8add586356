//! The screen in two sizes, and the keys.

use hotswap_control::api::{Calls, Health, Status};
use insta::assert_snapshot;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use serde_json::{Value, json};

use super::column::Column;
use super::{Model, Sample, draw};

fn plugin(name: &str, out: Option<&str>, deployed: bool) -> Value {
    json!({
        "name": name, "version": "0.1.0", "file": "/p/lib.so", "commit": null, "dirty": false,
        "build_id": format!("{:0<64}", format!("{:08x}", name.len() * 7919)),
        "loaded_at": 1000.0 - 60.0 * name.len() as f64, "dependencies": [], "users": [], "deployed": deployed,
        "out_of_service": out.map(|reason| json!({"reason": reason, "since": 900.0})),
        "in_flight": [],
    })
}

fn calls(at: f64, numbers: &[(&str, u64, u64)]) -> Calls {
    let plugins = numbers.iter().map(|(name, calls, errors)| {
        json!({
            "plugin": name, "calls": calls, "errors": errors, "panics": errors / 100,
            "in_flight": calls % 7,
            "memory": (*name != "moon").then_some(calls * 1000),
            "latency": (*calls > 0).then(|| json!({
                "timed": 9, "median": *calls as f64 * 1e-9, "p99": *calls as f64 * 1e-6,
            })),
        })
    });
    let plugins: Vec<_> = plugins.collect();
    serde_json::from_value(json!({"at": at, "plugins": plugins})).unwrap()
}

fn sample(at: f64, plugins: &[Value], numbers: &[(&str, u64, u64)], rest: &Value) -> Sample {
    let mut status = json!({
        "api": 1, "generation": 7, "reloads": 6, "plugins": plugins, "frozen": null, "window": null,
        "host": {"pid": 42, "executable": "/opt/web", "plugin_dir": "/p", "uptime": at},
        "retirements": [], "last_event": 9,
        "last_attempt": {"attempt": 6, "cause": "signal 10", "text": "world: reloaded", "ok": true, "steps": []},
    });
    for (name, value) in rest.as_object().unwrap() {
        status[name] = value.clone();
    }
    let status: Status = serde_json::from_value(status).unwrap();
    let health: Health = serde_json::from_value(json!({
        "text": "", "level": "degraded", "decided_by": [], "host": [],
        "plugins": [{
            "text": "", "plugin": "moon", "build_id": "", "level": "degraded", "message": "", "out_of_service": null,
            "checks": [], "recovery": [], "recovery_suspended": false, "recovery_exhausted": false,
        }],
    }))
    .unwrap();
    Sample {
        status,
        calls: calls(at, numbers),
        health: Some(health),
        now: 1000.0,
    }
}

/// A host with three plugins, two seconds after its first sample.
fn model() -> Model {
    let plugins = [
        plugin("world", None, false),
        plugin("moon", Some("the disk is full"), false),
        plugin("guestbook", None, true),
    ];
    let rest = json!({
        "window": {"left": 23.4, "kept": ["world"]},
        "retirements": [
            {"plugin": "world", "build_id": "0123456789", "state": "in_use", "held_by": ["1 call", "a pin"]},
            {"plugin": "moon", "build_id": "aabbccddee", "state": "kept", "held_by": []},
        ],
    });
    let before = [("world", 1000, 0), ("moon", 0, 0), ("guestbook", 500, 100)];
    let after = [
        ("world", 1_251_000, 0),
        ("moon", 0, 0),
        ("guestbook", 524, 107),
    ];
    let mut model = Model::default();
    model.take(Ok(sample(100.0, &plugins, &before, &json!({}))));
    model.take(Ok(sample(102.0, &plugins, &after, &rest)));
    model
}

fn drawn(model: &Model, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, model)).unwrap();
    terminal.backend().to_string()
}

fn press(model: &mut Model, keys: &str) {
    for key in keys.chars() {
        let key = KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE);
        assert!(model.press(key));
    }
}

fn names(model: &Model) -> Vec<&str> {
    model.rows.iter().map(|row| row.plugin.as_str()).collect()
}

#[test]
fn the_screen_in_two_sizes() {
    let model = model();
    assert_snapshot!("top-80x24", drawn(&model, 80, 24));
    assert_snapshot!("top-200x60", drawn(&model, 200, 60));
}

#[test]
fn a_small_screen_and_a_host_that_is_gone() {
    let mut model = model();
    model.take(Err("the control endpoint cannot be reached".into()));
    press(&mut model, " ");
    assert_snapshot!("top-40x10", drawn(&model, 40, 10));
    for (width, height) in [(1, 1), (5, 3), (300, 2), (2, 100)] {
        drawn(&model, width, height);
    }
    drawn(&Model::default(), 80, 24);
}

#[test]
fn keys_sort_as_they_do_in_htop() {
    let mut model = model();
    assert_eq!(names(&model), ["world", "guestbook", "moon"], "by calls");
    press(&mut model, "N");
    assert_eq!(names(&model), ["guestbook", "moon", "world"]);
    press(&mut model, "I");
    assert_eq!(names(&model), ["world", "moon", "guestbook"]);
    press(&mut model, "M");
    assert_eq!(names(&model), ["world", "guestbook", "moon"]);
    press(&mut model, "T");
    assert_eq!(names(&model), ["guestbook", "world", "moon"]);
    press(&mut model, "L");
    assert_eq!(model.sort, Column::P99);
    press(&mut model, "<");
    assert_eq!(model.sort, Column::Median);
    press(&mut model, ">>>");
    assert_eq!(model.sort, Column::Memory);
    for _ in 0..Column::ALL.len() {
        press(&mut model, ">");
    }
    assert_eq!(model.sort, Column::Memory, "it comes round");
    press(&mut model, "P");
    assert_eq!((model.sort, model.is_inverted), (Column::Calls, false));
}

#[test]
fn keys_select_pause_and_quit() {
    let key = |code| KeyEvent::new(code, KeyModifiers::NONE);
    let mut model = model();
    assert_eq!(model.selected(), Some(0));
    for (code, at) in [
        (KeyCode::Down, 1),
        (KeyCode::Down, 2),
        (KeyCode::Down, 2),
        (KeyCode::Up, 1),
        (KeyCode::Home, 0),
        (KeyCode::Up, 0),
        (KeyCode::End, 2),
    ] {
        assert!(model.press(key(code)));
        assert_eq!(model.selected(), Some(at), "{code:?}");
    }
    // The selection stays with the plugin.
    let selected = model.rows[2].plugin.clone();
    press(&mut model, "I");
    assert_eq!(model.rows[model.selected().unwrap()].plugin, selected);

    press(&mut model, " ");
    model.take(Err("gone".into()));
    assert_eq!((model.is_paused, &model.error), (true, &None));
    press(&mut model, " ");
    model.take(Err("gone".into()));
    assert_eq!(model.error.as_deref(), Some("gone"));

    for quits in [
        key(KeyCode::Char('q')),
        key(KeyCode::F(10)),
        KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL),
    ] {
        assert!(!model.press(quits));
    }
}

#[test]
fn a_host_that_counts_from_zero_again_has_no_rates() {
    let plugins = [plugin("world", None, false)];
    let mut model = model();
    model.take(Ok(sample(1.0, &plugins, &[("world", 5, 0)], &json!({}))));
    assert_eq!(names(&model), ["world"]);
    assert_eq!(model.rows[0].calls, 0.0);
    model.take(Ok(sample(2.0, &plugins, &[("world", 7, 1)], &json!({}))));
    assert_eq!((model.rows[0].calls, model.rows[0].errors), (2.0, 1.0));
}

#[test]
fn the_selected_one_of_many_is_on_the_screen() {
    let plugins: Vec<_> = (0..100)
        .map(|n| plugin(&format!("p{n:02}"), None, false))
        .collect();
    let mut model = Model::default();
    model.take(Ok(sample(1.0, &plugins, &[], &json!({}))));
    press(&mut model, "N");
    assert!(!drawn(&model, 80, 24).contains("p99"));
    model.press(KeyEvent::new(KeyCode::End, KeyModifiers::NONE));
    assert!(drawn(&model, 80, 24).contains("p99"));
}

#[test]
fn names_cannot_control_the_terminal() {
    let plugins = [plugin("w\u{1b}[31mred", Some("a\nb\u{7}"), false)];
    let mut model = Model::default();
    model.take(Ok(sample(1.0, &plugins, &[], &json!({}))));
    let drawn = drawn(&model, 200, 24);
    assert!(!drawn.contains('\u{1b}') && !drawn.contains('\u{7}'));
}
