//! Tells which mutants of the host its tests notice. `tests/mutants/run` runs it.
//!
//! The mutants are those of cargo-mutants. It would compile each of them alone, and all tests with it: a day's work. Here
//! all are compiled together, each behind a switch (see `rewrite`), and each test is first run with none of them, to see
//! which it reaches. A mutant is then tried with those tests only, the cheapest first, until one fails.
mod cargo;
mod checkout;
mod list;
mod outcome;
mod rewrite;
mod suite;
mod workers;

use checkout::Checkout;
use list::Mutant;
use outcome::{Keep, Outcome, Outcomes};
use std::collections::BTreeMap;
use std::env;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use suite::{End, Ground, NONE, Test, module};
use workers::Workers;

/// How much time the tests of one mutant get, unless `HOTSWAP_MUTANTS_SECONDS` says otherwise.
const SECONDS: u64 = 60;
/// The share of mutants that has to be noticed, in percent.
const ENOUGH: usize = 80;

fn main() -> ExitCode {
    match run(&Wanted::from_arguments()) {
        Ok(caught) if caught >= ENOUGH => ExitCode::SUCCESS,
        Ok(_) => {
            eprintln!("fewer than {ENOUGH} % are noticed: write tests for what users rely on");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("cannot try the mutants: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What was asked for.
struct Wanted {
    keep: Keep,
    /// One of these has to be in a mutant's name, where there are any.
    words: Vec<String>,
}

impl Wanted {
    fn from_arguments() -> Self {
        let mut wanted = Wanted {
            keep: Keep::Nothing,
            words: Vec::new(),
        };
        for word in env::args().skip(1) {
            match word.as_str() {
                "--again" => wanted.keep = Keep::Caught,
                "--resume" => wanted.keep = Keep::Tried,
                _ => wanted.words.push(word),
            }
        }
        wanted
    }

    fn includes(&self, mutant: &Mutant) -> bool {
        let mut words = self.words.iter();
        self.words.is_empty() || words.any(|word| mutant.name.contains(word))
    }
}

/// Returns how many in a hundred were caught.
fn run(wanted: &Wanted) -> io::Result<usize> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()?;
    let target = env::var_os("CARGO_TARGET_DIR").map_or(root.join("target/mutants"), PathBuf::from);
    let mutants = list::list(&root)?;
    let checkout = Checkout::copy(&root, &target, &mutants)?;
    let mut unswitched = checkout.switch(&mutants)?;
    println!(
        "{} mutants: {} do not compile, {} are compiled alone, the others together",
        mutants.len(),
        unswitched.unviable.len(),
        unswitched.alone.len()
    );
    let mut outcomes = Outcomes::open(&target.join("outcomes"), wanted.keep)?;
    for mutant in mutants
        .iter()
        .filter(|m| unswitched.unviable.contains(&m.id))
    {
        outcomes.set(mutant, Outcome::Unviable)?;
    }
    let left = mutants.iter().filter(|mutant| wanted.includes(mutant));
    let left = left.filter(|mutant| !outcomes.is_known(mutant));
    let (alone, mut switched): (Vec<_>, Vec<_>) =
        left.partition(|mutant| unswitched.alone.contains(&mutant.id));
    // In an order that has nothing to do with where they are: a run that is stopped has tried a sample.
    switched.sort_by_key(|mutant| {
        let mut hasher = DefaultHasher::new();
        mutant.name.hash(&mut hasher);
        hasher.finish()
    });

    let programs = checkout.build()?;
    let jobs = setting("HOTSWAP_MUTANTS_JOBS", 1);
    let workers = Workers::new(jobs, &target, checkout.path());
    let tests = workers.tests(&programs)?;
    println!("{} tests reach one", tests.len());
    let outcomes = Mutex::new(outcomes);
    let set = |mutant: &Mutant, outcome: Outcome| {
        println!("{outcome}: {}", mutant.name);
        let mut outcomes = outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        outcomes.set(mutant, outcome)
    };
    let noticed = |mutant: &Mutant| {
        let outcomes = outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        outcomes.noticed_in(&mutant.file)
    };
    workers.each(switched, |ground, mutant| {
        let reaching = |test: &&Test| test.reaches.contains(&mutant.id);
        let reaching = tests.iter().filter(reaching);
        let outcome = attempt(ground, mutant.id, reaching, &noticed(mutant))?;
        set(mutant, outcome)
    })?;
    // Last, since all tests are built anew for each of them.
    for mutant in alone {
        if checkout.put(mutant)? {
            checkout.build()?;
            workers.each([()], |ground, ()| {
                let near = |id: &usize| mutants[*id].file == mutant.file;
                let near = tests.iter().filter(|test| test.reaches.iter().any(near));
                set(mutant, attempt(ground, NONE, near, &noticed(mutant))?)
            })?;
        } else {
            set(mutant, Outcome::Unviable)?;
        }
        checkout.rewrite(&mutants, &mut unswitched)?;
    }
    let outcomes = outcomes.into_inner();
    Ok(outcomes
        .unwrap_or_else(PoisonError::into_inner)
        .report(&mutants))
}

fn setting<T: FromStr>(variable: &str, default: T) -> T {
    let value = env::var(variable).ok();
    value
        .and_then(|value| value.parse().ok())
        .unwrap_or(default)
}

/// The cheapest test of each module first, then the next of each: tests of one module look at the same things. Modules that
/// have `noticed` mutants nearby come more often.
fn varied<'t>(mut tests: Vec<&'t Test>, noticed: &BTreeMap<String, usize>) -> Vec<&'t Test> {
    tests.sort_by_key(|test| test.price());
    let mut modules: BTreeMap<&str, usize> = BTreeMap::new();
    let mut ranked = Vec::new();
    for test in tests {
        let module = module(&test.name);
        let before = modules.entry(module).or_default();
        *before += 1;
        let often = 1 + noticed.get(module).unwrap_or(&0);
        ranked.push((before.div_ceil(often), test));
    }
    // Stable: of one rank, the cheapest comes first.
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, test)| test).collect()
}

/// Runs tests with a mutant until one fails.
fn attempt<'t>(
    ground: &Ground,
    mutant: usize,
    tests: impl Iterator<Item = &'t Test>,
    noticed: &BTreeMap<String, usize>,
) -> io::Result<Outcome> {
    let limit = Duration::from_secs(setting("HOTSWAP_MUTANTS_SECONDS", SECONDS));
    let tests = varied(tests.collect(), noticed);
    let (began, of) = (Instant::now(), tests.len());
    for (run, test) in tests.into_iter().enumerate() {
        if began.elapsed() > limit {
            return Ok(Outcome::Missed { run, of });
        }
        let end = ground.attempt(test, mutant)?;
        if end != End::Passed {
            let test = test.name.clone();
            return Ok(Outcome::Caught { end, test });
        }
    }
    Ok(Outcome::Missed { run: of, of })
}
