//! Calls of the plugins while the host reloads.
use super::World;
use crate::library::name;
use hotswap_host::CallError;
use hotswap_host::prelude::*;
use hotswap_tests::model::Plugin;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// All answers of each plugin.
pub(super) type Answers = BTreeMap<Plugin, BTreeSet<String>>;

/// Ends the caller when it is dropped, also by a panic.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// Does something on this thread while another one calls the plugins. Returns the answers to that thread, and the
/// result.
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
        (caller.join().expect("all calls succeed"), result)
    })
}

impl World {
    /// Returns the answers of the live plugins.
    pub(super) fn right(&self) -> BTreeMap<Plugin, String> {
        let plugins = self.model.plugins.iter();
        plugins
            .map(|(plugin, instance)| (*plugin, self.answer(instance)))
            .collect()
    }

    /// Checks that each answer is of the generation before the reload, or of the live one.
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
