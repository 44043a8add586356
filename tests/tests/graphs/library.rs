//! Hundreds of different libraries without a compiler: the texts in four builds of one crate are overwritten.
use hotswap_host::Hook;
use hotswap_tests::fixture::{self, Build};
use hotswap_tests::model::{self, Conduct, NOBODY, Plugin};
use std::sync::LazyLock;

/// The texts that are overwritten.
const TEXTS: [&str; 8] = [
    "node-0",
    "need-1",
    "need-2",
    "want-1",
    "want-2",
    "wait-1",
    "build 0000",
    "orders:________________",
];

/// A library, and the places of the texts in it.
struct Template {
    bytes: Vec<u8>,
    places: Vec<(usize, usize)>,
}

impl Template {
    fn new(build: Build) -> Self {
        let bytes = build.bytes("node");
        let begins = |at: usize| {
            let text = TEXTS
                .iter()
                .position(|text| bytes[at..].starts_with(text.as_bytes()));
            Some((at, text?))
        };
        let starts = (0..bytes.len()).filter(|at| b"nwbo".contains(&bytes[*at]));
        let places = starts.filter_map(begins).collect();
        Template { bytes, places }
    }
}

static PLAIN: LazyLock<Template> = LazyLock::new(|| Template::new(Build::Node));
static NEEDS: LazyLock<Template> = LazyLock::new(|| Template::new(Build::NodeNeeds));
static WAITS: LazyLock<Template> = LazyLock::new(|| Template::new(Build::NodeWaits));
static NEEDS_WAITS: LazyLock<Template> = LazyLock::new(|| Template::new(Build::NodeNeedsWaits));

/// Returns the name of a plugin.
pub fn name(plugin: Plugin) -> String {
    format!("node-{plugin}")
}

/// Returns the library of a build.
pub fn library(build: &model::Build) -> Vec<u8> {
    let template = match (build.needs.is_empty(), build.waits.is_empty()) {
        (true, true) => &PLAIN,
        (false, true) => &NEEDS,
        (true, false) => &WAITS,
        (false, false) => &NEEDS_WAITS,
    };
    // A name may be written in several ways. No plugin is called Z.
    let import = |plugin: Option<&Plugin>| {
        name(*plugin.unwrap_or(&NOBODY))
            .to_uppercase()
            .replace('-', "_")
    };
    let orders = match build.conduct {
        Conduct::Well => String::new(),
        Conduct::Fixed => "fixed".into(),
        Conduct::Fails(hook) => format!("fail {hook}"),
        Conduct::Panics(hook) => format!("panic {hook}"),
    };
    let texts = [
        name(build.plugin),
        import(build.needs.first()),
        import(build.needs.last()),
        import(build.wants.first()),
        import(build.wants.get(1)),
        import(build.waits.first()),
        format!("build {:04}", build.number),
        format!("orders:{orders:_<16}"),
    ];
    let mut library = template.bytes.clone();
    for (at, text) in &template.places {
        let text = texts[*text].as_bytes();
        library[*at..*at + text.len()].copy_from_slice(text);
    }
    let note = fixture::artifact(&template.bytes).note;
    note.expect("the file has a note").append_to(&mut library);
    library
}

/// Checks that each text is at its place, and that hosts read what is written over it.
#[test]
fn a_library_with_other_texts_is_another_plugin() {
    let build = model::Build {
        number: 7,
        plugin: 'c',
        needs: vec!['a', 'b'],
        wants: vec!['d'],
        waits: vec!['e'],
        conduct: Conduct::Panics(Hook::OnLoad),
    };
    let library = library(&build);
    let metadata = fixture::artifact(&library).metadata;
    assert_eq!(metadata.name, "node-c");
    let imports: Vec<_> = metadata
        .imports
        .iter()
        .filter_map(|import| Some(import.from.as_ref()?.as_str()))
        .collect();
    assert_eq!(imports, ["NODE_A", "NODE_B", "NODE_D", "NODE_Z", "NODE_E"]);
    for text in TEXTS {
        let left = library
            .windows(text.len())
            .any(|bytes| bytes == text.as_bytes());
        assert!(!left, "{text}");
    }
}
