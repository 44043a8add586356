//! Tests calls of live functions by plugins.
use crate::support::{office, office_numbered};
use hotswap_host::prelude::*;
use hotswap_tests::{LIMIT, Stage};
use std::thread;

#[test]
fn a_plugin_calls_by_name_with_values_and_with_types() {
    let stage = Stage::open(&[("office", &office())]);
    stage.desk.open("now");
    let invoke = |function: &str, args: &[Value]| stage.swapper.invoke("office", function, args);
    let ask = |name: &str, args: Vec<Value>| {
        let asked = invoke("ask", &["now".into(), name.into(), args.into()]);
        asked.map_err(|error| error.to_string())
    };
    assert_eq!(ask("add", vec![40.into(), 2.into()]), Ok(Value::Int(42)));
    assert_eq!(ask("refuse", vec!["it".into()]), Err("it".into()));
    assert_eq!(
        ask("fall", vec!["down".into()]),
        Err("fall panicked: down".into())
    );
    assert_eq!(
        ask("nobody", vec![]),
        Err("nothing live is called nobody".into())
    );
    assert_eq!(
        ask("add", vec![1.into()]),
        Err("add: expected 2 arguments, found 1".into())
    );
    let called = invoke("roll_call_of", &["accounts".into()]).unwrap();
    assert_eq!(called.as_str(), Some("accounts of office 00"));
    let refused = invoke("refused", &["no".into()]).unwrap();
    assert_eq!(refused.as_str(), Some("returned no"));
    let error = invoke("mistaken", &[]).unwrap_err();
    insta::assert_snapshot!(error, @r"
    office cannot call roll_call of office: the signatures differ
      office expects fn roll_call(&str, u8) -> u32
      office has     fn roll_call(department: &str) -> String
      write the signature that the plugin has
    ");
    let listed: Vec<String> = invoke("listed", &[]).unwrap().decode().unwrap();
    let of_host = stage.swapper.pin().live_items();
    let of_host: Vec<_> = of_host.iter().map(ToString::to_string).collect();
    assert_eq!(listed, of_host);
    stage.close();
}

#[test]
fn a_running_call_of_an_old_build_finds_the_functions_of_the_new_one() {
    let stage = Stage::open(&[("office", &office())]);
    let ask: Function<fn(&str, &str, Vec<Value>) -> hotswap_plugin::Result<Value>> =
        stage.swapper.function("office", "ask").unwrap();
    let asked = thread::spawn(move || ask.call("later", "roll_call", vec!["x".into()]));
    stage.desk.until_waiting("later");
    stage.swap("office", &office_numbered(1));
    stage.desk.open("later");
    let asked = asked.join().unwrap().unwrap();
    assert_eq!(asked.as_str(), Some("x of office 01"));
    stage.settle();
    stage.close();
}

#[test]
fn a_vault_outlives_its_host() {
    let stage = Stage::open(&[("office", &office())]);
    let hold = stage.swapper.pin().hold();
    stage.swapper.shutdown(std::time::Duration::ZERO).unwrap();
    stage.desk.open("now");
    let args = ["now".into(), "add".into(), Value::List(Vec::new())];
    let asked = hold.invoke("office", "ask", &args).unwrap_err();
    assert_eq!(asked.to_string(), "nothing live is called add");
    drop(hold);
    assert!(stage.swapper.wait_retired(LIMIT).is_empty());
}
