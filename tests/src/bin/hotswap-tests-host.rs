//! A host that can try builds in a child process. It reloads once for each empty line on its standard input, and prints what
//! came of it. For the line `retirements`, it prints how many builds are on their way out of memory.
use hotswap_host::ReloadOptions;
use hotswap_host::prelude::*;
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
    let swapper = builder
        .plugin_dir(plugins)
        .provide::<dyn shapes::Desk>(desk())
        .reload_options(options)
        .open()?;
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
    Ok(())
}
