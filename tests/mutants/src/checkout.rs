//! A copy of the checkout, in which the mutants are compiled.
use crate::cargo::{Cargo, Message, Program};
use crate::list::{Genre, Mutant};
use crate::rewrite::{Region, Rewritten, rewrite};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The roots of the crates that compile the host's files.
const CRATES: [&str; 3] = [
    "hotswap-host/src/lib.rs",
    "tests/model/tests/protocol/main.rs",
    "tests/model/tests/machine/main.rs",
];

/// The tests that are run.
const TESTS: &[&str] = &[
    "--package=hotswap-host",
    "--package=hotswap-tests",
    "--package=hotswap-model",
    "--lib",
    "--test=allocators",
    "--test=e2e",
    "--test=graphs",
    "--test=live",
    "--test=livex",
    "--test=machine",
    "--test=protocol",
    "--test=refused",
    "--test=sets",
    "--test=soak",
    "--test=state",
    "--test=telemetry",
    "--test=trine",
    "--test=vault",
    "--test=zoo",
];

/// A copy of the checkout.
pub struct Checkout {
    root: PathBuf,
    copy: PathBuf,
    cargo: Cargo,
}

/// What became of the mutants that have no switch.
#[derive(Default)]
pub struct Unswitched {
    /// Those that do not compile.
    pub unviable: BTreeSet<usize>,
    /// Those that do not compile beside what they replace, and have to be tried alone.
    pub alone: BTreeSet<usize>,
}

impl Checkout {
    /// Copies what git knows, or would, of the checkout at `root`, but for what has mutants. What has not changed since
    /// the last time stays as it is, and so does what was built from it.
    ///
    /// # Errors
    /// git fails, or a file cannot be copied.
    pub fn copy(root: &Path, target: &Path, mutants: &[Mutant]) -> io::Result<Self> {
        let mut written: BTreeSet<_> = mutants.iter().map(|mutant| mutant.file.as_str()).collect();
        written.extend(CRATES);
        let mut git = Command::new("git");
        git.args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ]);
        let output = git.current_dir(root).stderr(Stdio::inherit()).output()?;
        if !output.status.success() {
            return Err(io::Error::other(
                "git cannot list the files of the checkout",
            ));
        }
        let files = String::from_utf8_lossy(&output.stdout);
        let copy = target.join("checkout");
        let checkout = Checkout {
            root: root.to_owned(),
            cargo: Cargo::new(&copy, &target.join("programs")),
            copy,
        };
        for file in files.split_terminator('\0') {
            let from = root.join(file);
            // One that was deleted may be listed.
            if let (false, Ok(bytes)) = (written.contains(file), fs::read(&from)) {
                checkout.write(file, &bytes)?;
                fs::set_permissions(checkout.copy.join(file), fs::metadata(from)?.permissions())?;
            }
        }
        Ok(checkout)
    }

    /// The copy.
    pub fn path(&self) -> &Path {
        &self.copy
    }

    fn read(&self, file: &str) -> io::Result<String> {
        fs::read_to_string(self.root.join(file))
    }

    fn write(&self, file: &str, bytes: &[u8]) -> io::Result<()> {
        let to = self.copy.join(file);
        if fs::read(&to).is_ok_and(|before| before == bytes) {
            return Ok(());
        }
        fs::create_dir_all(to.parent().expect("it is in the copy"))?;
        fs::write(to, bytes)
    }

    /// Puts into the copy all mutants that compile, behind switches.
    ///
    /// # Errors
    /// What remains does not compile either.
    pub fn switch(&self, mutants: &[Mutant]) -> io::Result<Unswitched> {
        let switched = "hotswap-host/src/switched.rs";
        self.write(switched, include_bytes!("switched.rs"))?;
        let switched = self.copy.join(switched);
        for file in CRATES {
            let text = self.read(file)?;
            let text = format!("{text}\n#[path = {switched:?}]\nmod switched;\n");
            self.write(file, text.as_bytes())?;
        }
        let mut unswitched = Unswitched::default();
        // What returns an `impl Trait` returns one type.
        let is_opaque = |m: &&Mutant| m.genre == Genre::FnValue && m.return_type.contains("impl ");
        let opaque = mutants.iter().filter(is_opaque);
        unswitched.alone.extend(opaque.map(|mutant| mutant.id));
        loop {
            let rewritten = self.rewrite(mutants, &mut unswitched)?;
            let errors = self.cargo.errors("hotswap-host")?;
            let Some(first) = errors.first() else {
                return Ok(unswitched);
            };
            // One at least, or it would go on for ever.
            let blamed: Vec<_> = errors
                .iter()
                .map(|error| unswitched.blame(error, &rewritten))
                .collect();
            if !blamed.contains(&true) {
                return Err(io::Error::other(first.rendered.clone()));
            }
        }
    }

    /// Puts into the copy those that have switches.
    ///
    /// # Errors
    /// A file cannot be read, rewritten or written.
    pub fn rewrite(
        &self,
        mutants: &[Mutant],
        unswitched: &mut Unswitched,
    ) -> io::Result<BTreeMap<String, Rewritten>> {
        let mut files: BTreeMap<&str, Vec<&Mutant>> = BTreeMap::new();
        for mutant in mutants {
            let here = files.entry(&mutant.file).or_default();
            if !unswitched.has(mutant.id) {
                here.push(mutant);
            }
        }
        let mut rewritten = BTreeMap::new();
        for (file, mutants) in files {
            let result = rewrite(&self.read(file)?, &mutants)?;
            self.write(file, result.text.as_bytes())?;
            unswitched.unviable.extend(&result.impossible);
            rewritten.insert(file.to_owned(), result);
        }
        Ok(rewritten)
    }

    /// Puts one mutant into its file, without the others. Returns whether it compiles.
    ///
    /// # Errors
    /// The file cannot be written, or cargo does not run.
    pub fn put(&self, mutant: &Mutant) -> io::Result<bool> {
        let mut text = self.read(&mutant.file)?;
        text.replace_range(mutant.span.clone(), &mutant.replacement);
        self.write(&mutant.file, text.as_bytes())?;
        Ok(self.cargo.errors("hotswap-host")?.is_empty())
    }

    /// Builds the programs with the tests.
    ///
    /// # Errors
    /// They do not compile.
    pub fn build(&self) -> io::Result<Vec<Program>> {
        self.cargo.tests(TESTS)
    }
}

impl Unswitched {
    fn has(&self, id: usize) -> bool {
        self.unviable.contains(&id) || self.alone.contains(&id)
    }

    /// Takes out what an error is about. Returns whether that was found.
    fn blame(&mut self, error: &Message, files: &BTreeMap<String, Rewritten>) -> bool {
        let before = self.unviable.len() + self.alone.len();
        let about = |range: fn(&Region) -> &Range<usize>| -> Vec<usize> {
            let regions = error.spans.iter().flat_map(|span| {
                let file = files.get(&span.file_name).into_iter();
                let regions = file.flat_map(|file| &file.regions);
                regions.filter(move |region| {
                    let range = range(region);
                    range.start <= span.byte_start && span.byte_end <= range.end
                })
            });
            regions.map(|region| region.id).collect()
        };
        let own = about(|region| &region.own);
        if own.is_empty() {
            self.alone.extend(about(|region| &region.whole));
        } else if error.is("E0015") {
            // A constant cannot ask for a switch.
            self.alone.extend(own);
        } else {
            self.unviable.extend(own);
        }
        self.unviable.len() + self.alone.len() != before
    }
}
