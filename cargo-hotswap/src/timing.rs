//! The time that each step took, for people.

use std::fmt;
use std::time::{Duration, Instant};

/// The steps of some work, one after the other.
pub(crate) struct Timing {
    last: Instant,
    steps: Vec<(&'static str, Duration)>,
}

impl Timing {
    pub(crate) fn new() -> Self {
        Self::since(Instant::now())
    }

    /// Begins with a step that has begun at `since`.
    pub(crate) fn since(since: Instant) -> Self {
        Self {
            last: since,
            steps: vec![],
        }
    }

    /// Ends a step.
    pub(crate) fn step(&mut self, name: &'static str) {
        let now = Instant::now();
        self.steps.push((name, now - self.last));
        self.last = now;
    }
}

impl fmt::Display for Timing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (name, took)) in self.steps.iter().enumerate() {
            let comma = if number == 0 { "" } else { ", " };
            write!(f, "{comma}{name} {}", Shown(*took))?;
        }
        Ok(())
    }
}

/// The way of a change from the file to the running host.
pub(crate) struct Way {
    /// The time of the change.
    pub(crate) saved: Instant,
    /// The time at which the build began.
    pub(crate) noticed: Instant,
    /// The time at which the compilers had finished, and how much of it linking took, if that is known.
    pub(crate) compiled: (Instant, Option<Duration>),
    /// The time at which the host had answered.
    pub(crate) live: Instant,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (finished, linking) = self.compiled;
        let compiling = finished - self.noticed;
        write!(f, "saved → noticed {} → ", Shown(self.noticed - self.saved))?;
        match linking.filter(|linking| *linking <= compiling) {
            Some(linking) => write!(
                f,
                "compiled {} → linked {}",
                Shown(compiling - linking),
                Shown(linking)
            )?,
            None => write!(f, "compiled and linked {}", Shown(compiling))?,
        }
        let total = self.live - self.saved;
        write!(
            f,
            " → live {}: {}",
            Shown(self.live - finished),
            Shown(total)
        )
    }
}

/// A duration in milliseconds, with a decimal place if it is short.
struct Shown(Duration);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = self.0.as_secs_f64() * 1000.0;
        let places = usize::from(milliseconds < 9.95);
        write!(f, "{milliseconds:.places$} ms")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_of_a_change_is_one_line() {
        let saved = Instant::now();
        let after = |milliseconds| saved + Duration::from_millis(milliseconds);
        let mut way = Way {
            saved,
            noticed: after(6),
            compiled: (after(206), Some(Duration::from_millis(60))),
            live: after(215),
        };
        assert_eq!(
            way.to_string(),
            "saved → noticed 6.0 ms → compiled 140 ms → linked 60 ms → live 9.0 ms: 215 ms"
        );
        way.compiled.1 = None;
        assert_eq!(
            way.to_string(),
            "saved → noticed 6.0 ms → compiled and linked 200 ms → live 9.0 ms: 215 ms"
        );
    }
}
