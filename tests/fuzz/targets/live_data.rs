//! Fuzzes live data with any bytes: they are refused with an error, or give a value that survives saving and restoring.
#![no_main]
use arbitrary::{Arbitrary, Unstructured};
use hotswap_plugin::live_data::Schema;
use hotswap_plugin::prelude::*;
use hotswap_plugin::{LiveDataError, LiveType};
use libfuzzer_sys::fuzz_target;
use std::collections::BTreeMap;
use std::fmt::Debug;

mod before {
    use hotswap_plugin::prelude::*;

    #[live_data]
    #[derive(Debug, PartialEq)]
    pub struct Fire {
        pub name: String,
        pub guns: Vec<Gun>,
        pub state: Option<State>,
    }

    #[live_data]
    #[derive(Debug, PartialEq)]
    pub struct Gun {
        pub speed: u32,
    }

    #[live_data]
    #[derive(Debug, PartialEq)]
    pub enum State {
        Idle,
        Busy { since: i128 },
    }
}

#[live_data(version = 2, migrate(1, up = up, down = down))]
#[derive(Debug, Default, PartialEq)]
struct Fire {
    title: String,
    guns: Vec<Gun>,
    #[live_data(default)]
    state: Option<Option<State>>,
    #[live_data(default)]
    bytes: Vec<u8>,
    #[live_data(default)]
    map: BTreeMap<(u16, char), Box<Fire>>,
}

#[live_data(version = 3, migrate(2, up = faster, down = slower))]
#[derive(Debug, PartialEq)]
struct Gun {
    pace: f32,
}

#[live_data]
#[derive(Debug, PartialEq)]
enum State {
    #[live_data(was = "Idle")]
    Free,
    Busy {
        #[live_data(default = 7)]
        since: u128,
    },
    Both(u8, ()),
}

fn up(fields: &mut Fields) -> Result<()> {
    fields.rename("name", "title");
    fields.each("guns", |gun| {
        gun.change("speed", |speed: u32| Ok(speed / 2)).map(drop)
    })?;
    Ok(())
}

fn down(fields: &mut Fields) -> Result<()> {
    fields.rename("title", "name");
    Ok(())
}

fn faster(fields: &mut Fields) -> Result<()> {
    fields.rename("speed", "pace");
    Ok(())
}

fn slower(fields: &mut Fields) -> Result<()> {
    fields.rename("pace", "speed");
    fields.change("speed", |pace: f32| Ok(pace as u32))?;
    Ok(())
}

/// The ways to make the bytes.
#[derive(Debug, Arbitrary)]
enum Input<'a> {
    Any(&'a [u8]),
    /// Any bytes behind the table of this type.
    Value {
        new: bool,
        value: &'a [u8],
    },
    /// A saved value in which some bytes are changed.
    Patched {
        new: bool,
        patches: Vec<(u8, u8)>,
    },
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(input) = Input::arbitrary(&mut Unstructured::new(bytes)) else {
        return;
    };
    let bytes = match input {
        Input::Any(bytes) => bytes.to_vec(),
        Input::Value { new, value } => {
            let saved = saved(new);
            let table = 5 + saved.schema().as_bytes().len();
            [&saved.as_bytes()[..table], value].concat()
        }
        Input::Patched { new, patches } => {
            let mut bytes = saved(new).as_bytes().to_vec();
            for (at, byte) in patches {
                if let Some(place) = bytes.get_mut(usize::from(at)) {
                    *place = byte;
                }
            }
            bytes
        }
    };
    match LiveData::from_bytes(&bytes) {
        Ok(data) => read(&data),
        Err(error) => one_line(&error),
    }
});

fn saved(new: bool) -> LiveData {
    let data = if new {
        LiveData::save(&Fire {
            title: "kitchen".into(),
            guns: vec![Gun { pace: 1.5 }],
            state: Some(Some(State::Busy { since: 1 << 100 })),
            bytes: vec![1, 200],
            map: BTreeMap::from([((1, 'x'), Box::default())]),
        })
    } else {
        LiveData::save(&before::Fire {
            name: "kitchen".into(),
            guns: vec![before::Gun { speed: 3 }],
            state: Some(before::State::Busy { since: -1 }),
        })
    };
    data.expect("the value can be saved")
}

fn read(data: &LiveData) {
    assert_eq!(LiveData::from_bytes(data.as_bytes()).as_ref(), Ok(data));
    let schema = data.schema();
    assert_eq!(Schema::from_bytes(schema.as_bytes()), Ok(schema));
    restore::<Fire>(data);
    restore::<before::Fire>(data);
    restore::<Vec<u8>>(data);
    restore::<BTreeMap<String, Option<f64>>>(data);
    let mut fire = Fire::default();
    if data.restore_into(&mut fire).is_err() {
        assert_eq!(fire, Fire::default());
    }
    for lowered in [
        data.lower::<Fire>(1),
        data.lower_to::<Fire>(&Schema::of::<before::Fire>().expect("the names differ")),
    ] {
        match lowered {
            Ok(lowered) => restore::<Fire>(&lowered),
            Err(error) => one_line(&error),
        }
    }
}

fn restore<T: LiveType + Debug>(data: &LiveData) {
    match data.restore::<T>() {
        // NaN is not equal to itself, so the texts are compared.
        Ok(value) => {
            let again = LiveData::save(&value).and_then(|data| data.restore::<T>());
            let again = again.expect("the value can be saved and restored again");
            assert_eq!(format!("{value:?}"), format!("{again:?}"));
        }
        Err(error) => one_line(&error),
    }
}

fn one_line(error: &LiveDataError) {
    assert!(!error.to_string().is_empty());
}
