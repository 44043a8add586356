//! The plugin that queues a job for each day, and does the job when its turn comes.
use hotswap_plugin::prelude::*;
use livex_interfaces::JobQueue;
use std::time::Duration;

const DEPARTMENTS: [&str; 3] = ["kitchen", "library", "tower"];

/// News from the tower takes this long.
const TOWER_DELAY: Duration = Duration::from_secs(2);

/// The imports of the office.
#[derive(Import)]
pub struct Deps {
    #[import(host)]
    queue: Imported<dyn JobQueue>,
}

/// One loaded build of the plugin.
pub struct Office {
    queue: Imported<dyn JobQueue>,
}

#[plugin(name = "office")]
impl Office {
    /// Makes an office that fills this queue.
    pub fn new(deps: Deps) -> Self {
        Office { queue: deps.queue }
    }

    /// Queues the job of a day, and returns its number.
    #[invoke]
    pub fn plan(&self, day: u32) -> Result<u64> {
        let place = DEPARTMENTS[day as usize % DEPARTMENTS.len()];
        if place == "library" {
            let call = Call {
                day,
                function: "roll_call".into(),
                department: place.into(),
            };
            return self.queue.push(&LiveData::save(&call)?);
        }
        let fire = Fire {
            day,
            place: place.into(),
        };
        let fire = LiveData::save(&fire)?;
        match place {
            "tower" => self.queue.push_after(&fire, TOWER_DELAY),
            _ => self.queue.push(&fire),
        }
    }
}

/// Returns the people in a department.
#[live]
pub fn roll_call(department: &str) -> String {
    match department {
        "kitchen" => "Ada and Ben".into(),
        "library" => "Cleo".into(),
        _ => "nobody".into(),
    }
}

/// A call of a live function. The job has only the name of the function, so the function is always that of the newest
/// build.
#[live]
#[derive(Debug)]
pub struct Call {
    day: u32,
    function: String,
    department: String,
}

impl Handler for Call {
    fn handle(self, vault: &VaultHandle) -> Result<Value> {
        let Call {
            day,
            function,
            department,
        } = self;
        let answer = vault.invoke(&function, &[department.as_str().into()])?;
        let answer: String = answer.decode()?;
        Ok(format!("day {day}: {function} of the {department}: {answer}").into())
    }
}

/// An alarm.
#[live(version = 1)]
#[derive(Debug)]
pub struct Fire {
    day: u32,
    place: String,
}

impl Handler for Fire {
    fn handle(self, vault: &VaultHandle) -> Result<Value> {
        let staff: String = vault.call::<fn(&str) -> String, _>("roll_call", (&*self.place,))?;
        Ok(format!("day {}: fire in the {}, {staff} left", self.day, self.place).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Default)]
    struct Kept(Arc<Mutex<Vec<(LiveData, Duration)>>>);

    impl JobQueue for Kept {
        fn push(&self, job: &LiveData) -> Result<u64> {
            self.push_after(job, Duration::ZERO)
        }

        fn push_after(&self, job: &LiveData, delay: Duration) -> Result<u64> {
            let mut jobs = self.0.lock().map_err(|error| error.to_string())?;
            jobs.push((job.clone(), delay));
            Ok(jobs.len() as u64)
        }
    }

    /// The test does not mention the fields of `Fire`, which have other names in the next version.
    #[test]
    fn each_day_has_its_job() {
        let kept = Kept::default();
        let jobs = kept.0.clone();
        let office = Office::new(Deps {
            queue: Imported::from_impl(kept),
        });
        assert_eq!([1, 2, 3].map(|day| office.plan(day).unwrap()), [1, 2, 3]);
        let jobs = jobs.lock().unwrap();
        let [call, tower, kitchen] = &jobs[..] else {
            panic!("{jobs:?}")
        };
        let call: Call = call.0.restore().unwrap();
        assert_eq!(
            (&*call.function, &*call.department),
            ("roll_call", "library")
        );
        for ((job, delay), place, expected) in [
            (tower, "tower", TOWER_DELAY),
            (kitchen, "kitchen", Duration::ZERO),
        ] {
            let fire: Fire = job.restore().unwrap();
            assert!(format!("{fire:?}").contains(place), "{fire:?}");
            assert_eq!(*delay, expected);
        }
    }
}
