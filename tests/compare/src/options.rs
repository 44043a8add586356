//! The command line.
use anyhow::bail;

const USAGE: &str = "usage: cargo run --release --manifest-path tests/compare/Cargo.toml -- [--quick] [--book] [PEER...]";

/// What to do.
pub struct Options {
    /// Measure few times.
    pub quick: bool,
    /// Write the result into the book.
    pub book: bool,
    /// The peers that are compared with hotswap; all of them, if this is empty.
    only: Vec<String>,
}

/// How often to measure.
pub struct Effort {
    /// The number of passes over all peers in which calls are measured.
    pub passes: u64,
    /// The number of rounds of calls in each pass.
    pub rounds: u64,
    /// The number of calls in a round.
    pub times: u64,
    /// The number of reloads whose time and memory are measured.
    pub reloads: u64,
    /// The number of reloads beside a thread that calls.
    pub stalls: u64,
    /// The number of edits.
    pub edits: u64,
}

impl Options {
    pub fn parse(args: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut options = Options {
            quick: false,
            book: false,
            only: Vec::new(),
        };
        for arg in args {
            match arg.as_str() {
                "--quick" => options.quick = true,
                "--book" => options.book = true,
                name if crate::PEERS.iter().any(|peer| peer.name == name) => options.only.push(arg),
                _ => {
                    let names: Vec<_> = crate::PEERS.iter().map(|peer| peer.name).collect();
                    bail!(
                        "unknown argument `{arg}`\n{USAGE}\npeers: {}",
                        names.join(", ")
                    );
                }
            }
        }
        if options.book && !options.only.is_empty() {
            bail!("the book has all peers: leave out either --book or the names");
        }
        Ok(options)
    }

    /// hotswap is always measured, because the others are compared with it.
    pub fn wants(&self, peer: &str) -> bool {
        self.only.is_empty() || peer == "hotswap" || self.only.iter().any(|name| name == peer)
    }

    pub fn effort(&self) -> Effort {
        if self.quick {
            return Effort {
                passes: 1,
                rounds: 5,
                times: 100_000,
                reloads: 40,
                stalls: 10,
                edits: 3,
            };
        }
        Effort {
            passes: 3,
            rounds: 10,
            times: 1_000_000,
            reloads: 1000,
            stalls: 200,
            edits: 20,
        }
    }

    /// The command that does the same again.
    pub fn command(&self) -> String {
        let mut command = "cargo run --release --manifest-path tests/compare/Cargo.toml".to_owned();
        let flags = [("--quick", self.quick), ("--book", self.book)];
        let flags = flags
            .into_iter()
            .filter(|(_, set)| *set)
            .map(|(flag, _)| flag);
        let args: Vec<_> = flags.chain(self.only.iter().map(String::as_str)).collect();
        if !args.is_empty() {
            command += " -- ";
            command += &args.join(" ");
        }
        command
    }
}
