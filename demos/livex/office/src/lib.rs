//! Queues an alarm for each day, and knows what to do when its turn comes.
use hotswap_plugin::prelude::*;
use livex_interfaces::JobQueue;

const DEPARTMENTS: [&str; 3] = ["kitchen", "library", "tower"];

/// What the office needs.
#[derive(Import)]
pub struct Deps {
    #[import(host)]
    queue: Imported<dyn JobQueue>,
}

/// The plugin.
pub struct Office {
    queue: Imported<dyn JobQueue>,
}

#[plugin(name = "office")]
impl Office {
    /// An office that fills this queue.
    pub fn new(deps: Deps) -> Self {
        Office { queue: deps.queue }
    }

    /// Queues what is to happen on a day, and returns the job's number.
    #[invoke]
    pub fn plan(&self, day: u32) -> Result<u64> {
        let place = DEPARTMENTS[day as usize % DEPARTMENTS.len()];
        let fire = Fire {
            day,
            place: place.into(),
        };
        self.queue.push(&LiveData::save(&fire)?)
    }
}

/// Who is in a department.
#[live]
pub fn roll_call(department: &str) -> String {
    match department {
        "kitchen" => "Ada and Ben".into(),
        "library" => "Cleo".into(),
        _ => "nobody".into(),
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
    struct Kept(Arc<Mutex<Vec<LiveData>>>);

    impl JobQueue for Kept {
        fn push(&self, job: &LiveData) -> Result<u64> {
            let mut jobs = self.0.lock().map_err(|error| error.to_string())?;
            jobs.push(job.clone());
            Ok(jobs.len() as u64)
        }
    }

    #[test]
    fn each_day_has_its_alarm() {
        let kept = Kept::default();
        let jobs = kept.0.clone();
        let office = Office::new(Deps {
            queue: Imported::from_impl(kept),
        });
        assert_eq!(office.plan(3).unwrap(), 1);
        let fire: Fire = jobs.lock().unwrap()[0].restore().unwrap();
        assert_eq!((fire.day, &*fire.place), (3, "kitchen"));
    }
}
