//! Calls of every kind, and the checks of their answers.
use crate::builds::Builds;
use hotswap_host::prelude::*;
use shapes::{Everything, Refused, Shape};
use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

/// The text of the panic in the host's own object.
pub const CLOSED: &str = "the desk is closed";

/// The number of failed calls that are kept as texts.
const KEPT: usize = 10;

/// The ways to call.
const WAYS: &[(&str, fn(&Calls) -> Checked)] = &[
    ("typed", Calls::typed),
    ("by name", Calls::by_name),
    ("nested", Calls::nested),
    ("imported", Calls::imported),
    ("imported text", Calls::imported_text),
    ("pinned", Calls::pinned),
    ("fresh handle", Calls::fresh_handle),
    ("panic", Calls::panics),
    ("panic in the host", Calls::panics_in_the_host),
    ("reload in a call", Calls::reloads_in_a_call),
];

/// The host's handles.
pub struct Calls {
    pub builds: Builds,
    swapper: Swapper,
    stamp: Function<fn() -> (String, u64)>,
    lengths: Dynamic,
    through_desk: Function<fn(&Everything) -> Result<Everything, Refused>>,
    ask: Function<fn() -> (String, u32)>,
    greet: Function<fn(&str) -> Result<String, Refused>>,
    panic: Function<fn(&str)>,
    panic_in_host: Function<fn(&str) -> String>,
    reload: Function<fn() -> String>,
    remember: Function<fn(&str)>,
    sample: Everything,
    failed: Mutex<(u64, Vec<String>)>,
}

/// `Ok` if the answer was right, and otherwise the answer.
type Checked = Result<(), String>;

impl Calls {
    pub fn new(swapper: Swapper, builds: Builds) -> Self {
        const THERE: &str = "the plugins have all of it";
        Calls {
            builds,
            stamp: swapper.function("probe", "stamp").expect(THERE),
            lengths: swapper.dynamic("probe", "lengths").expect(THERE),
            through_desk: swapper.function("probe", "through_desk").expect(THERE),
            ask: swapper.function("beta", "ask").expect(THERE),
            greet: swapper.function("beta", "greet").expect(THERE),
            panic: swapper.function("probe", "panic").expect(THERE),
            panic_in_host: swapper.function("probe", "panic_in_host").expect(THERE),
            reload: swapper.function("probe", "reload").expect(THERE),
            remember: swapper.function("probe", "remember").expect(THERE),
            swapper,
            sample: Everything::sample(),
            failed: Mutex::default(),
        }
    }

    /// Returns the number of calls that failed or had a wrong answer, and the first of them.
    pub fn failed(&self) -> (u64, Vec<String>) {
        self.failed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Makes one call. The number chooses the way.
    pub fn make(&self, way: u64) {
        let (what, call) = WAYS[way as usize % WAYS.len()];
        self.note(what, call(self));
        // This call leaves a value with a destructor on this thread.
        if way.is_multiple_of(97) {
            self.note("remember", self.remembers("x"));
        }
    }

    /// Makes all calls of a thread that ends then.
    pub fn of_a_life(&self) {
        (0..WAYS.len() as u64).for_each(|way| self.make(way));
        // The destructor calls, logs, and starts a thread while this one ends.
        self.note("remember", self.remembers("spawning"));
    }

    fn note(&self, what: &str, checked: Checked) {
        if let Err(answer) = checked {
            let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
            failed.0 += 1;
            if failed.1.len() < KEPT {
                failed.1.push(format!("{what}: {answer}"));
            }
        }
    }

    fn typed(&self) -> Checked {
        self.builds
            .answer(|| self.stamp.call(), |names| Ok(names.probe))
    }

    /// The arguments are texts, bytes, and a value of every kind.
    fn by_name(&self) -> Checked {
        let texts = Value::from(self.sample.words.clone());
        let bytes = Value::Bytes(self.sample.bytes.clone());
        let args = [texts, bytes, Value::encode(&self.sample)];
        let lengths = Value::from([3_u64, 256, 4].map(Value::from).to_vec());
        same(self.lengths.call(&args), Ok(lengths))
    }

    /// The plugin calls the host, which calls the newest build.
    fn nested(&self) -> Checked {
        let mut sample = self.sample.clone();
        sample.map = HashMap::from([("from the host".into(), sample.shapes.clone())]);
        same(self.through_desk.call(&self.sample), Ok(sample))
    }

    fn imported(&self) -> Checked {
        self.builds.answer(
            || self.ask.call().map(|(build, _)| build),
            |names| Ok(names.alpha),
        )
    }

    /// The results are an answer, an error, and a panic that passes through two plugins.
    fn imported_text(&self) -> Checked {
        same(self.greet.call("Ada"), Ok("Ada at 1 (home)".into()))?;
        let refused = Refused::No("nobody to greet".into());
        same(self.greet.call(""), Err(CallError::Returned(refused)))?;
        panicked(self.greet.call("panic"), "no greeting for home")
    }

    /// Several calls use one generation, through a pin and through a hold.
    fn pinned(&self) -> Checked {
        let (pin, live) = self.builds.during(|| self.swapper.pin());
        let number = pin.number();
        if !live.contains(&number) {
            return Err(format!("{number} is not in {live:?}"));
        }
        let names = self.builds.of(number);
        let stamp = self.stamp.on(&pin).map_err(|error| error.to_string())?;
        same(stamp.call(), Ok(names.probe.clone()))?;
        let hold = pin.hold();
        drop(pin);
        same(hold.invoke("probe", "build", &[]), Ok(names.probe.0.into()))
    }

    fn fresh_handle(&self) -> Checked {
        let stamp = self.swapper.function("probe", "stamp");
        let stamp: Function<fn() -> (String, u64)> = stamp.map_err(|error| error.to_string())?;
        self.builds.answer(|| stamp.call(), |names| Ok(names.probe))
    }

    fn panics(&self) -> Checked {
        panicked(self.panic.call("now"), "gave up: now")?;
        panicked(self.panic.call("bomb"), "non-string panic payload")
    }

    fn panics_in_the_host(&self) -> Checked {
        panicked(self.panic_in_host.call(CLOSED), CLOSED)
    }

    /// The reload is refused and has no effect on the other calls.
    fn reloads_in_a_call(&self) -> Checked {
        let refused = self.reload.call().map_err(|error| error.to_string())?;
        match refused.contains("from inside a call") {
            true => Ok(()),
            false => Err(refused),
        }
    }

    fn remembers(&self, text: &str) -> Checked {
        same(self.remember.call(text), Ok(()))
    }
}

fn same<A: Debug + PartialEq>(answer: A, right: A) -> Checked {
    match answer == right {
        true => Ok(()),
        false => Err(format!("{answer:?} should be {right:?}")),
    }
}

fn panicked<A: Debug, E: Debug>(answer: Result<A, CallError<E>>, with: &str) -> Checked {
    match answer {
        Err(CallError::Panicked { message, .. }) if message == with => Ok(()),
        other => Err(format!("{other:?} should be a panic: {with}")),
    }
}

/// The object that the host provides. Whatever a plugin asks of it, it calls the newest build first.
#[derive(Default)]
pub struct Desk(OnceLock<Weak<Calls>>);

impl Desk {
    /// Makes the object use these calls from now on, as long as they exist.
    pub fn ask(&self, calls: &Arc<Calls>) {
        self.0.get_or_init(|| Arc::downgrade(calls));
    }

    fn calls(&self) -> Option<Arc<Calls>> {
        let calls = self.0.get()?.upgrade()?;
        calls.note("in a call", calls.typed());
        Some(calls)
    }
}

impl shapes::Desk for Desk {
    fn everything(&self, value: &Everything) -> Result<Everything, Refused> {
        self.calls();
        Ok(value.clone())
    }

    fn shapes(&self, name: &str, shapes: &[Shape]) -> HashMap<String, Vec<Shape>> {
        self.calls();
        HashMap::from([(name.to_owned(), shapes.to_vec())])
    }

    fn panic(&self, text: &str) -> String {
        self.calls();
        panic!("{text}");
    }

    /// Hooks and destructors of the plugins call this.
    fn tell(&self, _: &str) {
        self.calls();
    }

    fn wait(&self, _: &str) {}

    fn reload(&self) -> String {
        let reloaded = self.calls().map(|calls| calls.swapper.reload());
        reloaded.map_or_else(String::new, |reloaded| match reloaded {
            Ok(report) => report.to_string(),
            Err(error) => error.to_string(),
        })
    }
}
