//! What plugins answer while the host reloads.
use super::World;
use crate::library::name;
use hotswap_host::CallError;
use hotswap_host::prelude::*;
use hotswap_tests::model::Plugin;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// All answers of each plugin.
pub(super) type Answers = BTreeMap<Plugin, BTreeSet<String>>;

/// The caller ends when this is dropped, by a panic, too.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// What plugins answer to another thread while this one does something, and what comes of that.
pub(super) fn during<R>(
    swapper: &Swapper,
    plugins: &[Plugin],
    run: impl FnOnce() -> R,
) -> (Answers, R) {
    let done = AtomicBool::new(false);
    let call = || {
        let mut answers = Answers::new();
        while !done.load(Relaxed) {
            for plugin in plugins {
                match swapper.invoke(&name(*plugin), "answer", &[]) {
                    Ok(Value::Str(answer)) => {
                        _ = answers.entry(*plugin).or_default().insert(answer)
                    }
                    Err(CallError::NotLoaded { .. }) => {}
                    other => panic!("{other:?}"),
                }
            }
        }
        answers
    };
    std::thread::scope(|scope| {
        let caller = scope.spawn(call);
        let result = {
            let _end = End(&done);
            run()
        };
        (caller.join().expect("no call fails"), result)
    })
}

impl World {
    /// What the live plugins answer.
    pub(super) fn right(&self) -> BTreeMap<Plugin, String> {
        let plugins = self.model.plugins.iter();
        plugins
            .map(|(plugin, instance)| (*plugin, self.answer(instance)))
            .collect()
    }

    /// Each answer is of one generation: of that before, or of that which is live now.
    pub(super) fn check_answers(&self, answers: &Answers, before: &BTreeMap<Plugin, String>) {
        let now = self.right();
        for (plugin, answers) in answers {
            let right = [before.get(plugin), now.get(plugin)];
            for answer in answers {
                assert!(
                    right.contains(&Some(answer)),
                    "{plugin} answers {answer}, not {right:?}"
                );
            }
        }
    }
}
