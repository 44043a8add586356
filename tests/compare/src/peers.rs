//! What is compared, and what is known of it.

/// The way in which a new build of a peer becomes live.
#[derive(Clone, Copy, PartialEq)]
pub enum Kind {
    /// The host finds an artifact in its plugin directory.
    Hotswap,
    /// The host watches a library.
    Watched,
    /// The host opens a library when it is told to.
    Library,
    /// The host applies a library as a patch.
    Patch,
    /// The host compiles a WebAssembly module when it is told to.
    Module,
    /// Another program is started.
    Restart,
}

/// A way to run changed code.
pub struct Peer {
    /// The name of its directory, and the suffix of its packages.
    pub name: &'static str,
    /// The crates whose versions are shown.
    pub crates: &'static [&'static str],
    pub kind: Kind,
    /// The file with the number that is edited.
    pub source: &'static str,
    /// The files that its user writes.
    pub written: &'static [&'static str],
    /// What the project itself publishes, as Markdown.
    pub published: &'static str,
}

impl Peer {
    pub fn host(&self) -> String {
        format!("host-{}", self.name)
    }

    pub fn plugin(&self) -> String {
        format!("hum-{}", self.name)
    }

    /// The name of the plugin's library.
    pub fn library(&self) -> String {
        format!("lib{}.so", self.plugin().replace('-', "_"))
    }
}

/// All peers. The first one is what the others are compared with.
pub const PEERS: &[Peer] = &[
    Peer {
        name: "hotswap",
        crates: &["hotswap-host"],
        kind: Kind::Hotswap,
        source: "peers/hotswap/plugin/src/lib.rs",
        written: &[
            "peers/hotswap/host/src/hum.rs",
            "peers/hotswap/plugin/src/lib.rs",
        ],
        published: "[speed](https://github.com/hotswap-rs/hotswap/blob/main/hotswap-host/docs/speed.md#measured): \
                    a typed call 2.9 ns, a reload 0.9 ms, no memory, 16.9 ns for a call by name",
    },
    Peer {
        name: "hot-lib-reloader",
        crates: &["hot-lib-reloader"],
        kind: Kind::Watched,
        source: "peers/hot-lib-reloader/plugin/src/lib.rs",
        written: &[
            "peers/hot-lib-reloader/host/src/hum.rs",
            "peers/hot-lib-reloader/plugin/src/lib.rs",
        ],
        published: "[README](https://github.com/rksm/hot-lib-reloader-rs#adjust-the-file-watch-debounce-duration): \
                    it waits 500 ms after a change of the library, or 50 or 20 ms where that is enough",
    },
    Peer {
        name: "subsecond",
        crates: &["subsecond"],
        kind: Kind::Patch,
        source: "peers/subsecond/host/src/functions.rs",
        written: &[
            "peers/subsecond/host/src/hum.rs",
            "peers/subsecond/host/src/functions.rs",
        ],
        published: "[documentation](https://docs.rs/subsecond/0.7.10/subsecond/#thinlink): \
                    an incremental build in less than 500 ms",
    },
    Peer {
        name: "relib",
        crates: &["relib_host", "relib_module"],
        kind: Kind::Library,
        source: "peers/relib/plugin/src/lib.rs",
        written: &[
            "peers/relib/host/build.rs",
            "peers/relib/host/src/hum.rs",
            "peers/relib/interface/src/lib.rs",
            "peers/relib/interface/src/exports.rs",
            "peers/relib/interface/src/imports.rs",
            "peers/relib/plugin/build.rs",
            "peers/relib/plugin/src/lib.rs",
        ],
        published: "no figures in its [README](https://github.com/xxshady/relib#readme) or its \
                    [documentation](https://docs.rs/relib/latest/relib/docs/index.html)",
    },
    Peer {
        name: "abi-stable",
        crates: &["abi_stable"],
        kind: Kind::Library,
        source: "peers/abi-stable/plugin/src/lib.rs",
        written: &[
            "peers/abi-stable/host/src/hum.rs",
            "peers/abi-stable/interface/src/lib.rs",
            "peers/abi-stable/plugin/src/lib.rs",
        ],
        published: "no figures in its [README](https://github.com/rodrimati1992/abi_stable_crates#readme) or its \
                    [documentation](https://docs.rs/abi_stable/latest/abi_stable/library/index.html)",
    },
    Peer {
        name: "stabby",
        crates: &["stabby", "libloading"],
        kind: Kind::Library,
        source: "peers/stabby/plugin/src/lib.rs",
        written: &[
            "peers/stabby/host/src/hum.rs",
            "peers/stabby/plugin/src/lib.rs",
        ],
        published: "no figures in its [README](https://github.com/ZettaScaleLabs/stabby#readme) or its \
                    [tutorial](https://docs.rs/stabby/latest/stabby/_tutorial_/index.html)",
    },
    Peer {
        name: "wasmtime",
        crates: &["wasmtime"],
        kind: Kind::Module,
        source: "peers/wasmtime/plugin/src/lib.rs",
        written: &[
            "peers/wasmtime/host/src/hum.rs",
            "peers/wasmtime/plugin/src/lib.rs",
        ],
        published: "[its benchmark of calls](https://github.com/bytecodealliance/wasmtime/pull/10643): \
                    27.5 ns for a typed call of an empty function",
    },
    Peer {
        name: "restart",
        crates: &[],
        kind: Kind::Restart,
        source: "peers/restart/plugin/src/lib.rs",
        written: &["peers/restart/plugin/src/lib.rs"],
        published: "",
    },
];
