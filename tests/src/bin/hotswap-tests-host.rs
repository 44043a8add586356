//! A host that can try builds in a child process. It reloads once for each empty line on its standard input, and prints what
//! came of it. For the line `retirements`, it prints how many builds are on their way out of memory.
//!
//! With `HOTSWAP_TEST_STATE`, it has a history in that directory, and a control endpoint. With `HOTSWAP_TEST_FAILURE`, each reload
//! fails in its rollback window for that reason.
use hotswap_control::Control;
use hotswap_host::prelude::*;
use hotswap_host::{ReloadEventKind, ReloadOptions};
use hotswap_operate::History;
use hotswap_tests::Desk;
use std::sync::Arc;
use std::time::Duration;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let desk = || Arc::new(Desk::default());
    hotswap_host::init_with(|probe| probe.provide::<dyn shapes::Desk>(desk()));
    let plugins = std::env::args_os()
        .nth(1)
        .ok_or("name the plugin directory")?;
    let options = ReloadOptions::development().with_environment()?;
    let mut builder = Swapper::builder();
    if let Ok(limit) = std::env::var("HOTSWAP_TEST_HOOK_LIMIT") {
        builder = builder.hook_limit(Duration::from_millis(limit.parse()?));
    }
    let mut control = None;
    if let Some(state) = std::env::var_os("HOTSWAP_TEST_STATE") {
        let history = History::open(state)?;
        let served = Control::new().history(history.clone());
        builder = builder.observe(served.observer()).journal(history);
        control = Some(served);
    }
    if let Ok(failure) = std::env::var("HOTSWAP_TEST_FAILURE") {
        builder = builder.observe(move |event| {
            if let ReloadEventKind::Completed(report) = &event.kind
                && let Some(window) = &report.window
            {
                window.report_failure(&failure);
            }
        });
    }
    let swapper = builder
        .plugin_dir(plugins)
        .provide::<dyn shapes::Desk>(desk())
        .reload_options(options)
        .open()?;
    let serving = control.map(|control| control.serve(&swapper)).transpose()?;
    if let Ok(place) = std::env::var("HOTSWAP_TEST_PANIC") {
        hotswap_host::fail_point::panic_at(place.leak(), 1);
    }
    println!("open");
    for line in std::io::stdin().lines() {
        if line? == "retirements" {
            println!("{}", swapper.retirements().len());
            continue;
        }
        match swapper.reload() {
            Ok(report) => println!("{report}"),
            Err(error) => println!("{}", error.to_string().replace('\n', " | ")),
        }
        if let Value::Str(orders) = swapper.invoke("checked", "orders", &[])? {
            println!("live {orders}");
        }
    }
    drop(serving);
    Ok(())
}
