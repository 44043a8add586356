//! Builds of the demo's plugins, and which of them are live after a number of swaps.
use hotswap_tests::fixture::{self, Build, variant};
use std::ops::RangeInclusive;

/// The number of builds of each plugin.
const BUILDS: u64 = 4;

/// The plugins, and a text in each that is overwritten to make another build. The swaps replace them in turn.
const PLUGINS: [(&str, &str); 2] = [
    ("guestbook", "computing a seal does not panic"),
    ("pages", "The guestbook"),
];

pub struct Builds([Vec<Made>; 2]);

struct Made {
    library: Vec<u8>,
    /// The name of the build in the plugin's pages.
    name: String,
}

impl Builds {
    pub fn make() -> Self {
        Builds(PLUGINS.map(|(plugin, text)| {
            let library = Build::Web.bytes(&format!("web-{plugin}"));
            let made = |number| {
                let library = variant(&library, text, &format!("{number}{}", &text[1..]));
                let name = format!("{plugin} {:.8}", fixture::build_id(&library));
                Made { library, name }
            };
            (0..BUILDS).map(made).collect()
        }))
    }

    /// Returns another build of the pages, with one text in place of another.
    pub fn of_pages(&self, text: &str, by: &str) -> Vec<u8> {
        variant(&self.0[1][0].library, text, by)
    }

    /// Returns the first builds.
    pub fn first(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        let first = self.0.iter().map(|builds| &*builds[0].library);
        PLUGINS.map(|(plugin, _)| plugin).into_iter().zip(first)
    }

    /// Returns the plugin that this swap replaces, and its new build.
    pub fn of_swap(&self, swap: u64) -> (&'static str, &[u8]) {
        let plugin = swap as usize % PLUGINS.len();
        (PLUGINS[plugin].0, &self.live(plugin, swap).library)
    }

    /// Returns the live build of a plugin after this many swaps.
    fn live(&self, plugin: usize, swaps: u64) -> &Made {
        let own = (swaps + plugin as u64) / PLUGINS.len() as u64;
        &self.0[plugin][(own % BUILDS) as usize]
    }

    /// Checks that one of the sets in this range has made the page.
    pub fn one_has_made(&self, page: &str, live: RangeInclusive<u64>) {
        let has = |swaps| {
            let [guestbook, pages] = [0, 1].map(|plugin| &self.live(plugin, swaps).name);
            page.ends_with(&format!("\nby {pages}, {guestbook}\n"))
        };
        assert!(live.clone().any(has), "by none of {live:?}: {page}");
    }
}
