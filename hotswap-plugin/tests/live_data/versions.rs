//! Migrations, up and down.
use hotswap_plugin::live_data::Schema;
use hotswap_plugin::prelude::*;
use hotswap_plugin::{LiveDataError, LiveType};
use std::collections::BTreeMap;

mod one {
    use hotswap_plugin::prelude::*;

    #[live_data]
    #[derive(Debug, Clone, PartialEq)]
    pub struct Fire {
        pub name: String,
        pub size: u32,
        pub guns: Vec<Gun>,
        pub spare: Option<Box<Gun>>,
        pub by_name: std::collections::BTreeMap<String, Gun>,
    }

    #[live_data]
    #[derive(Debug, Clone, PartialEq)]
    pub struct Gun {
        pub speed: u32,
    }

    pub fn fire() -> Fire {
        Fire {
            name: "kitchen".into(),
            size: 3,
            guns: vec![Gun { speed: 1 }, Gun { speed: 2 }],
            spare: Some(Box::new(Gun { speed: 3 })),
            by_name: [("x".to_owned(), Gun { speed: 4 })].into(),
        }
    }
}

/// Version 3 of the fire, version 2 of the gun.
#[live_data(version = 3, migrate(1, up = up_1, down = down_1), migrate(2, up = up_2, down = down_2))]
#[derive(Debug, Clone, PartialEq)]
struct Fire {
    title: String,
    size: Size,
    guns: Vec<Gun>,
    spare: Option<Box<Gun>>,
    by_name: BTreeMap<String, Gun>,
}

#[live_data]
#[derive(Debug, Clone, PartialEq)]
struct Size {
    doubled: u64,
}

#[live_data(version = 2, migrate(1, up = faster, down = slower))]
#[derive(Debug, Clone, PartialEq)]
struct Gun {
    pace: f64,
}

fn up_1(fields: &mut Fields) -> Result<()> {
    assert!(fields.rename("name", "title"));
    Ok(())
}

fn down_1(fields: &mut Fields) -> Result<()> {
    assert!(fields.rename("title", "name"));
    Ok(())
}

fn up_2(fields: &mut Fields) -> Result<()> {
    fields.change("size", |size: u32| {
        Ok(Size {
            doubled: u64::from(size) * 2,
        })
    })?;
    Ok(())
}

fn down_2(fields: &mut Fields) -> Result<()> {
    fields.change("size", |size: Size| Ok(u32::try_from(size.doubled / 2)?))?;
    Ok(())
}

fn faster(fields: &mut Fields) -> Result<()> {
    fields.rename("speed", "pace");
    fields.change("pace", |speed: u32| match speed {
        13 => Err("an unlucky number".into()),
        speed => Ok(f64::from(speed) / 2.0),
    })?;
    Ok(())
}

fn slower(fields: &mut Fields) -> Result<()> {
    fields.change("pace", |pace: f64| Ok((pace * 2.0) as u32))?;
    fields.rename("pace", "speed");
    Ok(())
}

fn fire() -> Fire {
    Fire {
        title: "kitchen".into(),
        size: Size { doubled: 6 },
        guns: vec![Gun { pace: 0.5 }, Gun { pace: 1.0 }],
        spare: Some(Box::new(Gun { pace: 1.5 })),
        by_name: [("x".to_owned(), Gun { pace: 2.0 })].into(),
    }
}

#[test]
fn up_through_all_that_lie_between() {
    let data = LiveData::save(&one::fire()).unwrap();
    assert_eq!(data.schema().to_string(), "Fire 1 (Gun 1)");
    assert_eq!(data.restore::<Fire>().unwrap(), fire());
    let mut other = Fire {
        title: String::new(),
        guns: vec![],
        spare: None,
        ..fire()
    };
    data.restore_into(&mut other).unwrap();
    assert_eq!(other, fire());
}

#[test]
fn types_within_have_versions_of_their_own() {
    let data = LiveData::save(&vec![Some(one::Gun { speed: 1 })]).unwrap();
    assert_eq!(
        data.restore::<Vec<Option<Gun>>>().unwrap(),
        [Some(Gun { pace: 0.5 })]
    );
    let data = LiveData::save(&(1_u8, [one::Gun { speed: 1 }])).unwrap();
    assert_eq!(
        data.restore::<(u8, [Gun; 1])>().unwrap(),
        (1, [Gun { pace: 0.5 }])
    );
    let data = LiveData::save(&Ok::<_, ()>(Box::new(one::Gun { speed: 1 }))).unwrap();
    assert_eq!(
        data.restore::<std::result::Result<Gun, ()>>().unwrap(),
        Ok(Gun { pace: 0.5 })
    );
}

#[test]
fn an_older_one_refuses_and_says_what_to_do() {
    let data = LiveData::save(&fire()).unwrap();
    assert_eq!(data.schema().to_string(), "Fire 3 (Size 1, Gun 2)");
    let error = data.restore::<one::Fire>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "Fire was saved by version 3, which version 1 does not understand; restore it with version 3 or later, or lower it there to version 1"
    );
    let error = LiveData::save(&vec![Gun { pace: 1.0 }])
        .unwrap()
        .restore::<Vec<one::Gun>>();
    assert!(matches!(error, Err(LiveDataError::Newer { type_name, .. }) if type_name == "Gun"));
}

#[test]
fn down_to_what_an_older_build_understands() {
    let data = LiveData::save(&fire()).unwrap();
    let schema = Schema::of::<one::Fire>().unwrap();
    let schema = Schema::from_bytes(schema.as_bytes()).unwrap();
    let lowered = data.lower_to::<Fire>(&schema).unwrap();
    assert_eq!(lowered.schema().to_string(), "Fire 1 (Size 1, Gun 1)");
    assert_eq!(lowered.restore::<one::Fire>().unwrap(), one::fire());
    // And up again.
    assert_eq!(lowered.restore::<Fire>().unwrap(), fire());
    // It was not consumed.
    assert_eq!(data.restore::<Fire>().unwrap(), fire());
}

#[test]
fn down_by_one_number_leaves_what_is_within() {
    let data = LiveData::save(&fire()).unwrap();
    let lowered = data.lower::<Fire>(2).unwrap();
    assert_eq!(lowered.schema().to_string(), "Fire 2 (Size 1, Gun 2)");
    assert_eq!(lowered.restore::<Fire>().unwrap(), fire());
    let error = lowered.lower::<Fire>(3).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Fire has version 2 and cannot be lowered to 3; restore it and save it again"
    );
}

#[test]
fn no_way_down() {
    #[live_data(version = 3, migrate(2, up = nothing))]
    #[derive(Debug)]
    struct T {
        a: u8,
    }
    fn nothing(_: &mut Fields) -> Result<()> {
        Ok(())
    }
    let data = LiveData::save(&T { a: 1 }).unwrap();
    let error = data.lower::<T>(1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "T cannot be lowered from version 3 to 2; declare a `down` in `migrate(2, …)`"
    );
}

/// Where no migration lies between two versions, names decide.
#[test]
fn newer_data_by_names_alone() {
    mod newer {
        use hotswap_plugin::prelude::*;
        #[live_data(version = 5, migrate(1, up = nothing, down = nothing))]
        pub struct T {
            pub a: u8,
            pub b: u8,
        }
        fn nothing(_: &mut Fields) -> Result<()> {
            Ok(())
        }
    }
    #[live_data(version = 2)]
    #[derive(Debug, PartialEq)]
    struct T {
        a: u8,
    }
    #[live_data(name = "T")]
    #[derive(Debug, PartialEq)]
    struct Oldest {
        a: u8,
    }
    let data = LiveData::save(&newer::T { a: 1, b: 2 }).unwrap();
    assert_eq!(data.restore::<T>().unwrap(), T { a: 1 });
    let error = data.restore::<Oldest>().unwrap_err();
    assert!(error.to_string().contains("version 2 or later"), "{error}");
    let lowered = data.lower::<newer::T>(1).unwrap();
    assert_eq!(lowered.restore::<Oldest>().unwrap(), Oldest { a: 1 });
}

#[test]
fn a_migration_that_fails_is_named_with_the_place() {
    let mut unlucky = one::fire();
    unlucky.guns[1].speed = 13;
    let data = LiveData::save(&unlucky).unwrap();
    let error = data.restore::<Fire>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "Gun cannot be migrated from version 1 to 2: guns[1]: an unlucky number"
    );
    assert_eq!(data.restore::<one::Fire>().unwrap(), unlucky);
}

#[test]
fn a_migration_that_meets_something_else_says_where() {
    #[live_data(version = 2, migrate(1, up = up))]
    #[derive(Debug)]
    struct T {}
    fn up(fields: &mut Fields) -> Result<()> {
        fields.within("inner", |inner| {
            inner.change("x", |x: Vec<u8>| Ok(x.len()))?;
            Ok(())
        })?;
        Ok(())
    }
    let data = LiveData::with(
        "T",
        1,
        &BTreeMap::from([("inner", BTreeMap::from([("x", true)]))]),
    );
    let error = data.unwrap().restore::<T>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "T cannot be migrated from version 1 to 2: inner.x: expected a sequence, found true"
    );
}

#[test]
fn names_of_types_change() {
    #[live_data(version = 2, name = "kitchen-fire", was = "Fire", was = "Blaze", migrate(1, up = up))]
    #[derive(Debug, PartialEq)]
    struct KitchenFire {
        title: String,
    }
    fn up(fields: &mut Fields) -> Result<()> {
        fields.rename("name", "title");
        Ok(())
    }
    assert_eq!(KitchenFire::NAME, "kitchen-fire");
    let data = LiveData::save(&one::fire()).unwrap();
    let restored: KitchenFire = data.restore().unwrap();
    assert_eq!(restored.title, "kitchen");
    // Names are compared as those of plugins are.
    let data = LiveData::with("Kitchen_Fire", 2, &restored).unwrap();
    assert_eq!(data.restore::<KitchenFire>().unwrap(), restored);
    let error = LiveData::save(&restored)
        .unwrap()
        .restore::<one::Fire>()
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "kitchen-fire cannot be restored as Fire; if the type has a new name, write `#[live_data(was = \"kitchen-fire\")]` on it"
    );
}

#[test]
fn fields_of_an_enum_are_those_of_the_variant() {
    mod before {
        use hotswap_plugin::prelude::*;
        #[live_data]
        pub enum State {
            Idle,
            Busy {
                since: u32,
                guns: Vec<crate::versions::one::Gun>,
            },
            Both(u8, String),
        }
    }
    #[live_data(version = 2, migrate(1, up = up))]
    #[derive(Debug, PartialEq)]
    enum State {
        Free,
        Working { hours: u32, guns: Vec<Gun> },
        Both(String, u8),
    }
    fn up(fields: &mut Fields) -> Result<()> {
        match fields.variant() {
            Some("Idle") => fields.set_variant("Free"),
            Some("Busy") => {
                fields.set_variant("Working");
                fields.rename("since", "hours");
                fields.change("hours", |seconds: u32| Ok(seconds / 3600))?;
            }
            Some("Both") => {
                let (number, text): (u8, String) = (fields.get("0")?, fields.get("1")?);
                fields.set("0", &text)?;
                fields.set("1", &number)?;
            }
            _ => {}
        }
        Ok(())
    }
    let busy = before::State::Busy {
        since: 7200,
        guns: vec![one::Gun { speed: 2 }],
    };
    let all = vec![
        before::State::Idle,
        busy,
        before::State::Both(1, "x".into()),
    ];
    let data = LiveData::save(&all).unwrap();
    let working = State::Working {
        hours: 2,
        guns: vec![Gun { pace: 1.0 }],
    };
    assert_eq!(
        data.restore::<Vec<State>>().unwrap(),
        [State::Free, working, State::Both("x".into(), 1)]
    );
}

/// What a migration puts into a value is not migrated again.
#[test]
fn what_a_migration_adds_is_new() {
    #[live_data(version = 4, migrate(3, up = up))]
    #[derive(Debug, PartialEq)]
    struct Fort {
        guns: Vec<Gun>,
        added: Vec<Gun>,
    }
    fn up(fields: &mut Fields) -> Result<()> {
        fields.set("added", &[Gun { pace: 9.0 }])?;
        Ok(())
    }
    #[live_data(name = "Fort", version = 3)]
    struct Before {
        guns: Vec<one::Gun>,
    }
    let data = LiveData::save(&Before {
        guns: vec![one::Gun { speed: 2 }],
    });
    let expected = Fort {
        guns: vec![Gun { pace: 1.0 }],
        added: vec![Gun { pace: 9.0 }],
    };
    assert_eq!(data.unwrap().restore::<Fort>().unwrap(), expected);
}

#[test]
fn fields_can_be_worked_on_one_by_one() {
    #[live_data(version = 2, migrate(1, up = up))]
    #[derive(Debug, PartialEq)]
    struct T {
        list: Vec<Item>,
        map: BTreeMap<u8, Item>,
        total: u32,
    }
    #[live_data]
    #[derive(Debug, PartialEq)]
    struct Item {
        b: u32,
    }
    fn up(fields: &mut Fields) -> Result<()> {
        let mut total = 0;
        for name in ["list", "map"] {
            let found = fields.each(name, |item| {
                item.rename("a", "b");
                total += item.get::<u32>("b")?;
                Ok(())
            })?;
            assert!(found);
        }
        assert!(fields.remove("gone") && !fields.contains("gone"));
        assert!(!fields.remove("gone") && !fields.rename("gone", "x"));
        assert!(!fields.each("gone", |_| Ok(()))?);
        assert!(!fields.change("gone", |x: u8| Ok(x))?);
        fields.set("total", &total)?;
        let mut names: Vec<_> = fields.names().collect();
        names.sort_unstable();
        assert_eq!(names, ["list", "map", "total"]);
        assert_eq!(
            fields.get::<u8>("x").unwrap_err().to_string(),
            "x: there is no such field"
        );
        Ok(())
    }
    #[live_data(name = "T")]
    struct Before {
        list: Vec<BeforeItem>,
        map: BTreeMap<u8, BeforeItem>,
        gone: bool,
    }
    #[live_data(name = "Item")]
    struct BeforeItem {
        a: u32,
    }
    let data = LiveData::save(&Before {
        list: vec![BeforeItem { a: 1 }],
        map: [(1, BeforeItem { a: 2 })].into(),
        gone: true,
    });
    let expected = T {
        list: vec![Item { b: 1 }],
        map: [(1, Item { b: 2 })].into(),
        total: 3,
    };
    assert_eq!(data.unwrap().restore::<T>().unwrap(), expected);
}

#[test]
fn two_types_of_one_name() {
    #[live_data]
    struct Both {
        old: one::Gun,
        new: Gun,
    }
    let both = Both {
        old: one::Gun { speed: 1 },
        new: Gun { pace: 1.0 },
    };
    let error = LiveData::save(&both).unwrap_err();
    assert_eq!(
        error.to_string(),
        "two types in one value have the name Gun; give one of them another name with `#[live_data(name = \"…\")]`"
    );
}

/// Types that contain each other.
#[test]
fn circles() {
    #[live_data(version = 2, migrate(1, up = up))]
    #[derive(Debug, PartialEq)]
    struct Dir {
        files: Vec<File>,
        size: u32,
    }
    #[live_data]
    #[derive(Debug, PartialEq)]
    struct File {
        within: Option<Box<Dir>>,
    }
    fn up(fields: &mut Fields) -> Result<()> {
        fields.set("size", &1)
    }
    #[live_data(name = "Dir")]
    struct Before {
        files: Vec<BeforeFile>,
    }
    #[live_data(name = "File")]
    struct BeforeFile {
        within: Option<Box<Before>>,
    }
    let inner = Before { files: vec![] };
    let data = LiveData::save(&Before {
        files: vec![BeforeFile {
            within: Some(Box::new(inner)),
        }],
    });
    let inner = Dir {
        files: vec![],
        size: 1,
    };
    let expected = Dir {
        files: vec![File {
            within: Some(Box::new(inner)),
        }],
        size: 1,
    };
    assert_eq!(data.unwrap().restore::<Dir>().unwrap(), expected);
}
