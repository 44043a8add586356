//! A session with a plugin, from the first look to the last rollback, with what its user sees.
use crate::support::{Visit, stage, visit};
use hotswap_host::prelude::*;
use std::sync::{Arc, Mutex};

#[test]
fn a_session() {
    let stage = stage();
    let (swapper, visit) = (&stage.swapper, visit(&stage));
    let printed = Arc::new(Mutex::new(Vec::new()));
    // The output of two calls: what they print, and what they return.
    let test = || {
        let answer = visit.call(1).unwrap();
        let mut lines = std::mem::take(&mut *printed.lock().unwrap());
        lines.push(answer);
        lines.join("\n")
    };
    let say_hi = || {
        let printed = printed.clone();
        swapper
            .patch("guest")
            .before::<Visit, _>("visit", move |_: u32| {
                printed.lock().unwrap().push("hi".to_owned());
                None
            })
            .apply()
            .map(|version| version.number)
            .unwrap()
    };
    let patches = swapper.patches("guest");
    assert_eq!(patches.version(), 0);
    assert_eq!(test(), "1 days 00");

    // Code in front of a function.
    assert_eq!(say_hi(), 1);
    assert_eq!(test(), "hi\n1 days 00");
    // Another function in its place.
    let rewritten = swapper
        .patch("guest")
        .rewrite::<Visit, _>("visit", |_: u32| "test".to_owned())
        .apply()
        .unwrap();
    assert_eq!(rewritten.number, 2);
    assert_eq!(test(), "test");
    patches.reset().unwrap();
    assert_eq!(test(), "1 days 00");

    // One on top of the other.
    assert_eq!([say_hi(), say_hi()], [3, 4]);
    assert_eq!(test(), "hi\nhi\n1 days 00");
    assert_eq!(patches.rollback(1).unwrap(), 3);
    assert_eq!(test(), "hi\n1 days 00");
    assert_eq!(patches.rollback(1).unwrap(), 0);
    assert_eq!(test(), "1 days 00");
    let error = patches.rollback(1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "guest has 0 patches to roll back, and 1 were asked for"
    );
    assert_eq!(patches.redo(2).unwrap(), 4);
    assert_eq!(test(), "hi\nhi\n1 days 00");
    drop(visit);
    stage.close();
}
