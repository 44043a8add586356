//! Several tests at a time. Most of them wait for something.
use crate::cargo::Program;
use crate::suite::{self, Ground, Test};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Where tests are run.
pub struct Workers {
    grounds: Vec<Ground>,
    /// What the tests have reached, as long as their sources stay the same.
    known: PathBuf,
}

/// What tests reach.
#[derive(Serialize, Deserialize)]
struct Known {
    /// Of the sources that they were compiled from.
    fingerprint: u64,
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

    /// The tests of these programs that pass with no mutant, and reach one. The fingerprint is that of the sources.
    ///
    /// # Errors
    /// A program cannot be run, or what is known cannot be written.
    pub fn tests(&self, programs: &[Program], fingerprint: u64) -> io::Result<Vec<Test>> {
        let known = fs::read(&self.known).ok();
        let known = known.and_then(|bytes| serde_json::from_slice::<Known>(&bytes).ok());
        if let Some(known) = known.filter(|known| known.fingerprint == fingerprint) {
            return Ok(known.tests);
        }
        let mut listed = Vec::new();
        for program in programs {
            println!("building what is needed by {}", program.name);
            self.grounds[0].warm_up(program)?;
            listed.extend(suite::list(program)?);
        }
        println!("looking what each of {} tests reaches", listed.len());
        let tests = Mutex::new(Vec::new());
        self.each(listed, |ground, mut test| {
            if !ground.explore(&mut test)? {
                println!("left out, since it fails with no mutant: {}", test.name);
            } else if !test.reaches.is_empty() {
                tests
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(test);
            }
            Ok(())
        })?;
        let known = Known {
            fingerprint,
            tests: tests.into_inner().unwrap_or_else(PoisonError::into_inner),
        };
        fs::write(&self.known, serde_json::to_vec(&known)?)?;
        Ok(known.tests)
    }
}
