//! Measures a peer.
use crate::cell::Cell;
use crate::options::Effort;
use crate::peers::{Kind, Peer};
use crate::place::{Place, Profile};
use crate::process::Process;
use crate::{lines, median, progress};
use anyhow::{Context as _, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// The time for which a host is left alone before its memory is read.
const REST: Duration = Duration::from_millis(300);
/// The time after a reload that still belongs to it, as far as stalls are concerned.
const AFTER: Duration = Duration::from_millis(5);
/// The number of edits that are not counted. The first of them builds what later ones have.
const WARM_UP: u64 = 2;
/// The time that the first build of a host may take.
const FIRST_BUILD: Duration = Duration::from_secs(600);

/// Figures of a peer. Times are in nanoseconds, and memory is in bytes.
pub struct Row {
    pub peer: &'static Peer,
    /// Its host, and two builds of its plugin, in release mode.
    built: Result<(PathBuf, [PathBuf; 2]), String>,
    /// A call through a function pointer, in the same program.
    pub direct: Cell,
    pub add: Cell,
    pub add_2: Cell,
    pub held: Cell,
    pub hum: Cell,
    pub reload: Cell,
    pub memory: Cell,
    /// The median and the longest of the longest gaps around each reload.
    pub stall: Cell,
    pub worst_stall: Cell,
    /// The longest gap while nothing is reloaded, as long as one of those phases lasts.
    pub quiet: Cell,
    /// What 999 of a thousand gaps do not exceed while builds are reloaded.
    pub p999: Cell,
    pub edit: Cell,
    pub lines: usize,
}

impl Row {
    pub fn new(peer: &'static Peer, place: &Place) -> Self {
        let none = || Cell::None(String::new());
        let read = |file: &&str| fs::read_to_string(place.work.join(file));
        let sources = peer.written.iter().map(read);
        let lines = sources.map(|source| lines::count(&source.unwrap_or_default()));
        Row {
            peer,
            built: Err("it was not built".into()),
            direct: none(),
            add: none(),
            add_2: none(),
            held: none(),
            hum: none(),
            reload: none(),
            memory: none(),
            stall: none(),
            worst_stall: none(),
            quiet: none(),
            p999: none(),
            edit: none(),
            lines: lines.sum(),
        }
    }

    /// Builds the host and two builds of the plugin.
    pub fn build(&mut self, place: &Place) {
        progress(self.peer.name, "build");
        let built = build(self.peer, place);
        self.built = built.map_err(|error| format!("{error:#}"));
    }

    /// Measures calls in a new process, after a reload.
    pub fn measure_calls(&mut self, place: &Place, effort: &Effort) {
        progress(self.peer.name, "calls");
        let started = self.live(place).and_then(|mut live| {
            if self.peer.kind != Kind::Restart {
                live.reload()?;
            }
            Ok(live)
        });
        let mut live = match started {
            Ok(live) => live,
            Err(error) => {
                let why = format!("{error:#}");
                for cell in [
                    &mut self.add,
                    &mut self.add_2,
                    &mut self.held,
                    &mut self.hum,
                ] {
                    cell.keep_smaller(Cell::None(why.clone()));
                }
                return;
            }
        };
        let (rounds, times) = (effort.rounds, effort.times);
        let mut ask = |command: String| Cell::from(live.process.number(&command, "ns"));
        self.direct
            .keep_smaller(ask(format!("direct {rounds} {times}")));
        self.add
            .keep_smaller(ask(format!("add 1 {rounds} {times}")));
        self.add_2
            .keep_smaller(ask(format!("add 2 {rounds} {times}")));
        self.hum.keep_smaller(ask(format!("hum {rounds} {times}")));
        let held = match live.process.ask(&format!("held {rounds} {times}"), "ns") {
            Ok(held) => held.parse().map_or(Cell::None(held), Cell::Figure),
            Err(_) => Cell::None(match self.peer.kind {
                Kind::Restart => "there is nothing to hold".into(),
                _ => "each call finds the newest build".into(),
            }),
        };
        self.held.keep_smaller(held);
    }

    /// Measures reloads: their time, their memory, and how callers fare meanwhile.
    pub fn measure_reloads(&mut self, place: &Place, effort: &Effort) {
        progress(self.peer.name, "reloads");
        if self.peer.kind == Kind::Restart {
            self.reload = self.restarts(place, effort).into();
            self.stall = self.reload.clone();
            let why = "the memory goes with the process";
            self.memory = Cell::None(why.into());
            for cell in [&mut self.worst_stall, &mut self.p999] {
                *cell = Cell::None("callers are outside of the process".into());
            }
            return;
        }
        let (reload, memory) = match self.reloads(place, effort) {
            Ok((reload, memory)) => (reload, Cell::Figure(memory)),
            Err(error) => {
                let why = format!("{error:#}");
                (Cell::None(why.clone()), Cell::None(why))
            }
        };
        (self.reload, self.memory) = (reload, memory);
        progress(self.peer.name, "stalls");
        if let Err(error) = self.stalls(place, effort) {
            let why = format!("{error:#}");
            for cell in [&mut self.stall, &mut self.worst_stall, &mut self.p999] {
                cell.keep_smaller(Cell::None(why.clone()));
            }
        }
    }

    fn restarts(&self, place: &Place, effort: &Effort) -> anyhow::Result<f64> {
        let (_, builds) = self.built()?;
        let log = place.log(self.peer);
        let start = |build: &Path| Process::start(&mut Command::new(build), &log);
        let mut process = start(&builds[0])?;
        process.ask("version", "is")?;
        let mut times = Vec::new();
        for n in 0..effort.stalls {
            let next = usize::from(n % 2 == 0);
            let began = Instant::now();
            process.kill();
            process = start(&builds[next])?;
            let version = process.ask("version", "is")?;
            times.push(began.elapsed().as_nanos() as f64);
            ensure!(version == (next + 1).to_string(), "version {version} runs");
        }
        median(times).figure().context("nothing was measured")
    }

    fn reloads(&self, place: &Place, effort: &Effort) -> anyhow::Result<(Cell, f64)> {
        let mut live = self.live(place)?;
        // What a process does only once is not measured.
        for _ in 0..effort.reloads / 4 {
            live.reload()?;
        }
        thread::sleep(REST);
        let before = live.process.number("rss", "bytes")?;
        let mut times = Vec::new();
        for _ in 0..effort.reloads {
            times.push(live.reload()?);
        }
        thread::sleep(REST);
        let after = live.process.number("rss", "bytes")?;
        Ok((median(times), (after - before) / effort.reloads as f64))
    }

    fn stalls(&mut self, place: &Place, effort: &Effort) -> anyhow::Result<()> {
        let mut live = self.live(place)?;
        live.reload()?;
        live.process.ask("watch", "watching")?;
        let longest = |live: &mut Live, reload: bool| {
            live.process.number("longest", "ns")?;
            if reload {
                live.reload()?;
            }
            thread::sleep(AFTER);
            live.process.number("longest", "ns")
        };
        let mut quiet = Vec::new();
        let mut stalls = Vec::new();
        for _ in 0..effort.stalls {
            quiet.push(longest(&mut live, false)?);
            stalls.push(longest(&mut live, true)?);
        }
        let worst = stalls.iter().copied().fold(0.0, f64::max);
        let watched = live.process.ask("watched", "p999")?;
        let p999 = watched
            .split(' ')
            .next()
            .and_then(|number| number.parse().ok());
        self.quiet = median(quiet);
        self.stall = median(stalls);
        self.worst_stall = Cell::Figure(worst);
        self.p999 = Cell::Figure(p999.context("the answer has no number")?);
        Ok(())
    }

    /// Measures the time from a save to a call that runs the new code.
    pub fn measure_edits(&mut self, place: &Place, effort: &Effort) {
        progress(self.peer.name, "edits");
        self.edit = match self.edits(place, effort) {
            Ok(cell) => cell,
            Err(error) => Cell::None(format!("{error:#}")),
        };
        // The next run finds the sources as they were.
        drop(place.set_version(self.peer, 0));
    }

    fn edits(&self, place: &Place, effort: &Effort) -> anyhow::Result<Cell> {
        if self.peer.kind == Kind::Patch {
            bail!("patches are built by the tool `dx`, which this comparison does not run");
        }
        self.built()?;
        place.set_version(self.peer, 0)?;
        let mut edited = Edited::start(self.peer, place)?;
        let mut times = Vec::new();
        for n in 1..=WARM_UP + effort.edits {
            // The numbers are those of no other build.
            let version = 1000 + n;
            let began = Instant::now();
            place.set_version(self.peer, version)?;
            edited.make_live(version)?;
            if n > WARM_UP {
                times.push(began.elapsed().as_nanos() as f64);
            }
        }
        Ok(median(times))
    }

    fn built(&self) -> anyhow::Result<&(PathBuf, [PathBuf; 2])> {
        self.built.as_ref().map_err(|why| anyhow::anyhow!("{why}"))
    }

    /// Starts the host with the first build.
    fn live(&self, place: &Place) -> anyhow::Result<Live> {
        let (host, builds) = self.built()?;
        let directory = place.empty(self.peer, "live")?;
        fs::create_dir(directory.join("new"))?;
        let first = directory.join(builds[0].file_name().context("a build has a name")?);
        fs::copy(&builds[0], &first)?;
        let mut command = match self.peer.kind {
            Kind::Restart => Command::new(&builds[0]),
            _ => Command::new(host),
        };
        command.arg(&first);
        command.env("HOTSWAP_PLUGIN_DIR", &directory);
        command.env("COMPARE_DIRECTORY", &directory);
        let mut process = Process::start(&mut command, &place.log(self.peer))?;
        process.ask("version", "is")?;
        if self.peer.kind == Kind::Watched {
            // Nothing tells when it begins to watch.
            thread::sleep(REST);
        }
        Ok(Live {
            process,
            builds: builds.clone(),
            directory: directory.join("new"),
            reloads: 0,
        })
    }
}

fn build(peer: &Peer, place: &Place) -> anyhow::Result<(PathBuf, [PathBuf; 2])> {
    let host = place.build_host(peer, Profile::Release)?;
    let mut builds = Vec::new();
    for version in [1, 2] {
        place.set_version(peer, version)?;
        let built = place.build_plugin(peer, Profile::Release)?;
        let directory = place.empty(peer, &format!("build-{version}"))?;
        let kept = directory.join(built.file_name().context("a build has a name")?);
        fs::copy(&built, &kept)?;
        builds.push(kept);
    }
    let builds = builds
        .try_into()
        .map_err(|_| anyhow::anyhow!("there are two builds"))?;
    Ok((host, builds))
}

/// A host that runs one of two builds.
struct Live {
    process: Process,
    builds: [PathBuf; 2],
    /// The directory for the file of the next build.
    directory: PathBuf,
    reloads: usize,
}

impl Live {
    /// Makes the other build live, and returns the time that it takes in nanoseconds.
    fn reload(&mut self) -> anyhow::Result<f64> {
        self.reloads += 1;
        let next = self.reloads % 2;
        // A file that was never opened before: the dynamic linker opens no file twice.
        let file = self.directory.join(format!("build-{}", self.reloads));
        fs::copy(&self.builds[next], &file)?;
        let answer = self
            .process
            .ask(&format!("reload {}", file.display()), "took")?;
        // Some hosts have moved it.
        drop(fs::remove_file(&file));
        let (took, version) = answer
            .split_once(' ')
            .context("the answer has two numbers")?;
        ensure!(
            version == (next + 1).to_string(),
            "version {version} is live"
        );
        Ok(took.parse()?)
    }
}

/// A host whose plugin is edited, in the profile of a developer.
struct Edited<'p> {
    peer: &'p Peer,
    place: &'p Place,
    process: Process,
    directory: PathBuf,
}

impl<'p> Edited<'p> {
    fn start(peer: &'p Peer, place: &'p Place) -> anyhow::Result<Self> {
        let log = place.log(peer);
        let directory = place.empty(peer, "edited")?;
        let mut command = match peer.kind {
            Kind::Hotswap => {
                let mut command = place.hotswap();
                command.args(["run", "--locked", "peers/hotswap/host"]);
                command
            }
            Kind::Restart => Command::new(place.build_plugin(peer, Profile::Dev)?),
            _ => {
                let built = place.build_plugin(peer, Profile::Dev)?;
                // The host of wasmtime is a compiler, which nobody runs without optimisation.
                let profile = match peer.kind {
                    Kind::Module => Profile::Release,
                    _ => Profile::Dev,
                };
                let mut command = Command::new(place.build_host(peer, profile)?);
                let beside = built.parent().context("a build has a directory")?;
                command.env("COMPARE_DIRECTORY", beside).arg(&built);
                command
            }
        };
        let mut process = Process::start(&mut command, &log)?;
        process.ask_within(FIRST_BUILD, "version", "is")?;
        Ok(Edited {
            peer,
            place,
            process,
            directory,
        })
    }

    /// Does what the peer asks for after an edit, and returns once the new code was called.
    fn make_live(&mut self, version: u64) -> anyhow::Result<()> {
        match self.peer.kind {
            Kind::Hotswap => self.wait(version),
            Kind::Watched => {
                self.place.build_plugin(self.peer, Profile::Dev)?;
                self.wait(version)
            }
            Kind::Restart => {
                let program = self.place.build_plugin(self.peer, Profile::Dev)?;
                self.process.kill();
                let log = self.place.log(self.peer);
                self.process = Process::start(&mut Command::new(program), &log)?;
                let answer = self.process.ask("version", "is")?;
                ensure!(answer == version.to_string(), "version {answer} runs");
                Ok(())
            }
            Kind::Library | Kind::Module | Kind::Patch => {
                let built = self.place.build_plugin(self.peer, Profile::Dev)?;
                let file = self.directory.join(format!("build-{version}"));
                fs::copy(built, &file)?;
                let answer = self
                    .process
                    .ask(&format!("reload {}", file.display()), "took")?;
                let live = answer.split(' ').nth(1).unwrap_or_default();
                ensure!(live == version.to_string(), "version {live} is live");
                Ok(())
            }
        }
    }

    fn wait(&mut self, version: u64) -> anyhow::Result<()> {
        self.process.ask(&format!("await {version}"), "live")?;
        Ok(())
    }
}
