//! Tests a crate with an interface that only one plugin asks for with a feature, on which the interface depends.
use crate::project::{Project, checkout};
use std::fs;

const PAINT: &str = r#"use hotswap_plugin::prelude::*;

#[cfg(not(feature = "alpha"))]
#[shared]
pub struct Color {
    pub red: u8,
}

#[cfg(feature = "alpha")]
#[shared]
pub struct Color {
    pub red: u8,
    pub alpha: u8,
}

impl Color {
    pub fn of(red: u8) -> Self {
        Color {
            red,
            #[cfg(feature = "alpha")]
            alpha: 9,
        }
    }

    pub fn told(&self) -> String {
        #[cfg(feature = "alpha")]
        return format!("{} and {}", self.red, self.alpha);
        #[cfg(not(feature = "alpha"))]
        return format!("{}", self.red);
    }
}

#[interface]
pub trait Paint: Send + Sync {
    fn color(&self) -> Color;
}
"#;

const PLUGIN: &str = r#"use hotswap_plugin::prelude::*;
use PAINT::{Color, Paint};

#[derive(Default)]
pub struct Pot;

#[plugin(exports(PAINT::Paint))]
impl Pot {}

impl Paint for Pot {
    fn color(&self) -> Color {
        Color::of(1)
    }
}
"#;

const HOST: &str = r#"use hotswap_host::prelude::*;
use paint::Paint;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let swapper = Swapper::builder().open()?;
    for name in ["cool", "warm"] {
        let pot: Interface<dyn Paint> = swapper.interface(name)?;
        println!("{name}: {}", pot.call(|pot| pot.color().told())?);
    }
    Ok(())
}
"#;

/// The plugin `cool` has another name for the crate, which is an optional dependency. The host and `cool` have no need of
/// the feature.
#[test]
fn all_plugins_and_the_host_get_what_one_asks_for() {
    let project = Project::new();
    project.plugin_dir("palette");
    let root = project.root.join("ws");
    let write = |path: &str, text: &str| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let package = |directory: &str, rest: &str| {
        let name = directory.rsplit('/').next().unwrap();
        let path = |name: &str| checkout().join(name);
        let rest = rest
            .replace(
                "PLUGIN",
                &format!("hotswap-plugin = {{ path = {:?} }}", path("hotswap-plugin")),
            )
            .replace(
                "HOST",
                &format!("hotswap-host = {{ path = {:?} }}", path("hotswap-host")),
            );
        let head =
            format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
        write(&format!("{directory}/Cargo.toml"), &(head + &rest));
    };
    write(
        "Cargo.toml",
        "[workspace]\nresolver = \"3\"\nmembers = [\"palette\", \"palette/cool\", \"palette/warm\", \"paint\"]\n",
    );
    package("paint", "[features]\nalpha = []\n[dependencies]\nPLUGIN\n");
    package(
        "palette",
        "[dependencies]\nHOST\npaint = { path = \"../paint\" }\n",
    );
    package(
        "palette/cool",
        "[features]\ndefault = [\"pot\"]\npot = [\"dep:color\"]\n[dependencies]\nPLUGIN\n\
         color = { package = \"paint\", path = \"../../paint\", optional = true }\n",
    );
    package(
        "palette/warm",
        "[dependencies]\nPLUGIN\npaint = { path = \"../../paint\", features = [\"alpha\"] }\n",
    );
    write("paint/src/lib.rs", PAINT);
    write("palette/src/main.rs", HOST);
    write("palette/cool/src/lib.rs", &PLUGIN.replace("PAINT", "color"));
    write("palette/warm/src/lib.rs", &PLUGIN.replace("PAINT", "paint"));
    project.lock("ws");

    let ran = project.ok("ws", &["run", "-v"]);
    assert_eq!(ran.stdout, "cool: 1 and 9\nwarm: 1 and 9\n");
    for added in ["palette: paint/alpha", "cool: color?/alpha"] {
        let line = format!("Features {added} (as in warm)");
        assert!(ran.stderr.contains(&line), "{line}: {}", ran.stderr);
    }
    assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
    // The host has other features of crates that its own crates depend on, so that it may need another build.
    let (plugins, _) = ran.stderr.split_once("cargo build ").unwrap();
    let compiled = plugins.matches("Compiling paint ").count();
    assert_eq!(compiled, 1, "{}", ran.stderr);
}
