//! The options of reloads, in code, files, and the environment.
use crate::support::{add, host, orders, stateful, window};
use hotswap_host::{Drain, Keep, OptionError, ReloadOptions, WindowOutcome};
use std::time::Duration;

#[test]
fn they_are_read_from_toml_by_the_names_of_the_fields() {
    let text =
        "smoke_limit = 2.5\ndrain = \"or_fail\"\nhealthy_deadline = 60\nauto_promote = false\n";
    let options: ReloadOptions = toml::from_str(text).unwrap();
    let mut expected = ReloadOptions::development();
    expected.smoke_limit = Duration::from_millis(2500);
    expected.drain = Drain::OrFail;
    expected.healthy_deadline = Duration::from_secs(60);
    expected.auto_promote = false;
    assert_eq!(options, expected);
    let written = toml::to_string(&options).unwrap();
    assert_eq!(toml::from_str::<ReloadOptions>(&written).unwrap(), options);
}

#[test]
fn what_is_kept_of_single_plugins_is_a_table_or_a_list() {
    let options: ReloadOptions =
        toml::from_str("keep = \"cold\"\nkeep_of = { world = \"warm\", the-moon = \"cold\" }")
            .unwrap();
    let mut expected = ReloadOptions::development()
        .keep_of("world", Keep::Warm)
        .keep_of("the_moon", Keep::Cold);
    expected.keep = Keep::Cold;
    assert_eq!(options, expected);
    let written = toml::to_string(&options).unwrap();
    assert_eq!(toml::from_str::<ReloadOptions>(&written).unwrap(), options);
    let mut set = ReloadOptions::development();
    set.set("keep", "cold").unwrap();
    set.set("keep_of", "World=warm, the_moon=cold").unwrap();
    assert_eq!(set, expected);
    for wrong in ["", "world", "world=hot"] {
        assert!(set.set("keep_of", wrong).is_err(), "{wrong:?}");
    }
    set.set("keep_of", "none").unwrap();
    assert_eq!(set.keep_of, ReloadOptions::development().keep_of);
    assert!(toml::from_str::<ReloadOptions>("keep_of = { world = \"hot\" }").is_err());
}

#[test]
fn a_wrong_key_or_value_is_an_error() {
    let error = toml::from_str::<ReloadOptions>("smoke_limits = 1").unwrap_err();
    assert!(
        error.to_string().contains("unknown field `smoke_limits`"),
        "{error}"
    );
    assert!(toml::from_str::<ReloadOptions>("smoke_limit = -1").is_err());
    let mut options = ReloadOptions::development();
    let error = options.set("smoke_limits", "1").unwrap_err();
    assert!(matches!(error, OptionError::Unknown { .. }));
    let error = options.set("drain", "maybe").unwrap_err().to_string();
    assert_eq!(
        error,
        r#"drain cannot be "maybe": it is off, or_fail, or or_proceed"#
    );
    assert_eq!(options, ReloadOptions::development());
}

#[test]
fn each_is_set_by_the_text_that_describes_its_default() {
    let mut options = ReloadOptions::production();
    let described = ReloadOptions::describe();
    for option in &described {
        options.set(option.name, &option.default).unwrap();
        assert!(option.meaning.ends_with('.'), "{option:?}");
        assert_eq!(
            option.variable,
            format!("HOTSWAP_{}", option.name.to_uppercase())
        );
    }
    assert_eq!(options, ReloadOptions::default());
    let keys = toml::Table::try_from(&options).unwrap();
    assert_eq!(keys.len(), described.len());
}

#[test]
fn any_limit_may_be_as_long_as_can_be() {
    const EVER: Duration = Duration::MAX;
    let mut options = window();
    options.healthy_deadline = EVER;
    options.min_healthy_time = EVER;
    options.interval = EVER;
    options.smoke_limit = EVER;
    options.drain = Drain::OrFail;
    options.drain_limit = EVER;
    let stage = host(&stateful("first"), |builder| {
        let builder = builder.gate_limit(EVER).hook_limit(EVER);
        builder.retire_limit(EVER).reload_options(options)
    });
    assert_eq!(add(&stage, 7), 7);
    let window = stage.swap("checked", &stateful("second")).window.unwrap();
    assert_eq!(add(&stage, 1), 8);
    assert_eq!(window.wait(Duration::ZERO), None);
    stage.swapper.confirm().unwrap();
    assert_eq!(window.wait(EVER), Some(WindowOutcome::Permanent));
    assert!(stage.swapper.wait_retired(EVER).is_empty());
    stage.swapper.drain("checked", "it rests", EVER).unwrap();
    assert!(stage.swapper.resume("checked").unwrap());
    assert_eq!(orders(&stage), "second");
    assert!(stage.swapper.shutdown(EVER).unwrap().is_empty());
}
