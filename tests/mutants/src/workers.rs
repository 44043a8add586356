//! Several tests at a time. Most of them wait for something.
use crate::cargo::Program;
use crate::suite::{self, Ground, Test};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// Where tests are run.
pub struct Workers {
    grounds: Vec<Ground>,
    /// The file that says what the tests of each program reach.
    known: PathBuf,
}

/// What the tests of a program reach.
#[derive(Serialize, Deserialize)]
struct Known {
    /// Of the program's file.
    hash: String,
    tests: Vec<Test>,
}

impl Workers {
    /// As many as this in a directory of the driver's, for a checkout.
    pub fn new(count: usize, directory: &Path, checkout: &Path) -> Self {
        let grounds = (0..count).map(|number| Ground::new(number, directory, checkout));
        Workers {
            grounds: grounds.collect(),
            known: directory.join("reached.json"),
        }
    }

    /// Does this with each item.
    ///
    /// # Errors
    /// The first of `work`: no more is begun then.
    pub fn each<T: Send>(
        &self,
        items: impl IntoIterator<Item = T>,
        work: impl Fn(&Ground, T) -> io::Result<()> + Sync,
    ) -> io::Result<()> {
        let items: VecDeque<T> = items.into_iter().collect();
        let items = &Mutex::new(items);
        let next = || {
            items
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop_front()
        };
        let (next, work) = (&next, &work);
        let run = move |ground: &Ground| {
            while let Some(item) = next() {
                work(ground, item).inspect_err(|_| while next().is_some() {})?;
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            let running: Vec<_> = self
                .grounds
                .iter()
                .map(|ground| scope.spawn(move || run(ground)))
                .collect();
            let ends = running
                .into_iter()
                .map(|worker| worker.join().expect("no worker panics"));
            ends.collect()
        })
    }

    /// The tests of these programs that pass with no mutant, and reach one.
    ///
    /// # Errors
    /// A program cannot be run, or what is known cannot be written.
    pub fn tests(&self, programs: &[Program]) -> io::Result<Vec<Test>> {
        let known = fs::read(&self.known).ok();
        let known = known.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let mut known: BTreeMap<String, Known> = known.unwrap_or_default();
        for program in programs {
            let hash = hash(&program.executable)?;
            if known
                .get(&program.name)
                .is_none_or(|known| known.hash != hash)
            {
                println!("looking what the tests reach: {}", program.name);
                let tests = self.explore(program)?;
                known.insert(program.name.clone(), Known { hash, tests });
                fs::write(&self.known, serde_json::to_vec(&known)?)?;
            }
        }
        known.retain(|name, _| programs.iter().any(|program| program.name == *name));
        Ok(known.into_values().flat_map(|known| known.tests).collect())
    }

    fn explore(&self, program: &Program) -> io::Result<Vec<Test>> {
        self.grounds[0].warm_up(program)?;
        let tests = Mutex::new(Vec::new());
        self.each(suite::list(program)?, |ground, mut test| {
            if !ground.explore(&mut test)? {
                println!("left out, since it fails with no mutant: {}", test.name);
            } else if !test.reaches.is_empty() {
                let mut tests = tests.lock().unwrap_or_else(PoisonError::into_inner);
                tests.push(test);
            }
            Ok(())
        })?;
        Ok(tests.into_inner().unwrap_or_else(PoisonError::into_inner))
    }
}

fn hash(file: &Path) -> io::Result<String> {
    let output = Command::new("git").arg("hash-object").arg(file).output()?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        false => Err(io::Error::other(String::from_utf8_lossy(&output.stderr))),
    }
}
