//! What became of each mutant, kept in a file so that a run can be taken up again.
use crate::list::Mutant;
use crate::suite::{End, module};
use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// What became of a mutant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It does not compile.
    Unviable,
    /// A test has noticed it.
    Caught {
        /// How.
        end: End,
        /// Which one.
        test: String,
    },
    /// No test has noticed it.
    Missed {
        /// How many were run before the time was over.
        run: usize,
        /// How many reach it.
        of: usize,
    },
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Unviable => f.write_str("unviable"),
            Outcome::Caught {
                end: End::TimedOut,
                test,
            } => write!(f, "caught, hangs in {test}"),
            Outcome::Caught { test, .. } => write!(f, "caught by {test}"),
            Outcome::Missed { of: 0, .. } => f.write_str("missed, no test reaches it"),
            Outcome::Missed { run, of } if run == of => write!(f, "missed by {of} tests"),
            Outcome::Missed { run, of } => write!(f, "missed by {run} of {of} tests"),
        }
    }
}

/// What is kept of the last run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Nothing.
    Nothing,
    /// What was caught, or does not compile.
    Caught,
    /// All that was tried.
    Tried,
}

/// The outcomes so far.
pub struct Outcomes {
    /// By the mutant's name, as they were said.
    known: BTreeMap<String, String>,
    file: File,
}

impl Outcomes {
    /// Begins with what is kept of the last run.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn open(path: &Path, keep: Keep) -> io::Result<Self> {
        let text = match keep {
            Keep::Nothing => String::new(),
            Keep::Caught | Keep::Tried => fs::read_to_string(path)?,
        };
        let lines = text.lines().filter_map(|line| line.split_once('\t'));
        let known = lines.map(|(outcome, name)| (name.to_owned(), outcome.to_owned()));
        let mut known: BTreeMap<_, _> = known.collect();
        known.retain(|_, outcome| keep == Keep::Tried || !outcome.starts_with("missed"));
        let mut file = File::create(path)?;
        for (name, outcome) in &known {
            writeln!(file, "{outcome}\t{name}")?;
        }
        Ok(Outcomes { known, file })
    }

    /// Whether it need not be tried.
    pub fn is_known(&self, mutant: &Mutant) -> bool {
        self.known.contains_key(&mutant.name)
    }

    /// How many mutants of a file each module of tests has noticed.
    pub fn noticed_in(&self, file: &str) -> BTreeMap<String, usize> {
        let mut noticed = BTreeMap::new();
        for (name, outcome) in &self.known {
            let is_here = name
                .strip_prefix(file)
                .is_some_and(|rest| rest.starts_with(':'));
            let test = ["caught by ", "caught, hangs in "];
            let test = test.iter().find_map(|how| outcome.strip_prefix(how));
            if let (true, Some(test)) = (is_here, test) {
                *noticed.entry(module(test).to_owned()).or_default() += 1;
            }
        }
        noticed
    }

    /// Remembers what became of a mutant.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn set(&mut self, mutant: &Mutant, outcome: Outcome) -> io::Result<()> {
        let outcome = outcome.to_string();
        writeln!(self.file, "{outcome}\t{}", mutant.name)?;
        self.known.insert(mutant.name.clone(), outcome);
        Ok(())
    }

    /// Prints what was missed, and what became of how many in each file. Returns how many in a hundred were caught, of those
    /// that compile and were tried.
    pub fn report(&self, mutants: &[Mutant]) -> usize {
        let of = |mutant: &Mutant, outcome: &str| {
            let known = self.known.get(&mutant.name);
            known.is_some_and(|known| known.starts_with(outcome))
        };
        let count = |mutants: &[&Mutant], outcome| {
            mutants.iter().filter(|mutant| of(mutant, outcome)).count()
        };
        let mut files: BTreeMap<&str, Vec<&Mutant>> = BTreeMap::new();
        for mutant in mutants.iter().filter(|m| self.is_known(m)) {
            files.entry(&mutant.file).or_default().push(mutant);
            if of(mutant, "missed") {
                println!("{}: {}", self.known[&mutant.name], mutant.name);
            }
        }
        println!(
            "{:>8} {:>8} {:>8} {:>8}",
            "mutants", "unviable", "caught", "missed"
        );
        let row = |name: &str, mutants: &[&Mutant]| {
            let [unviable, caught, missed] =
                ["unviable", "caught", "missed"].map(|outcome| count(mutants, outcome));
            println!(
                "{:>8} {unviable:>8} {caught:>8} {missed:>8}  {name}",
                mutants.len()
            );
            (100 * caught).checked_div(caught + missed).unwrap_or(100)
        };
        for (name, mutants) in &files {
            row(name, mutants);
        }
        let all: Vec<_> = files.values().flatten().copied().collect();
        let caught = row("all", &all);
        println!("{caught} % of those that compile are caught");
        caught
    }
}
