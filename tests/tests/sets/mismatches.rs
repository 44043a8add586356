//! Tests interfaces of which one plugin knows an earlier version and another plugin a later one.
use crate::support::Set;
use bonds::ledger::{Archive, Entry};
use hotswap_host::prelude::*;
use hotswap_host::{PluginError, PluginErrorKind};
use hotswap_tests::fixture::{Build, renamed};
use insta::assert_snapshot;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Returns the error if a later version replaces the ledger of this name. The auditor wants another interface of each
/// ledger.
fn refused(name: &'static str) -> String {
    let ledger = |version: Build| renamed(&version.bytes("ledger"), "book-a", name);
    let set = Set::open(&[
        (name, ledger(Build::First)),
        ("auditor", Build::First.bytes("auditor")),
    ]);
    assert_eq!(
        set.stage.swapper.invoke("auditor", "ledgers", &[]),
        Ok(1.into())
    );
    set.install(name, &ledger(Build::Later));
    let (error, text) = set.refuses();
    assert!(matches!(
        error,
        ReloadError::Plugin(PluginError { plugin, file, kind: PluginErrorKind::Mismatch(_), .. })
            if plugin == "auditor" && file == set.stage.file("auditor")
    ));
    assert_eq!(
        set.stage.swapper.invoke("auditor", "ledgers", &[]),
        Ok(1.into())
    );
    set.restored();
    text
}

/// The object that the host provides, in the host's version of the interface.
struct Shelf(AtomicU32);

impl Archive for Shelf {
    fn store(&self, entry: &Entry) {
        self.0.fetch_add(entry.amount, Relaxed);
    }
}

#[test]
fn with_the_host() {
    let shelf = Arc::new(Shelf(AtomicU32::new(0)));
    let provided = shelf.clone();
    let set = Set::with(&[("book-a", Build::First.bytes("ledger"))], |builder| {
        builder.provide::<dyn Archive>(provided)
    });
    let store = || {
        set.stage
            .swapper
            .invoke("book-a", "store", &["rent".into()])
    };
    assert_eq!((store(), shelf.0.load(Relaxed)), (Ok(true.into()), 7));
    set.install("book-a", &Build::Later.bytes("ledger"));
    let (error, text) = set.refuses_to(|swapper| swapper.reload());
    assert!(matches!(error.kind(), Some(PluginErrorKind::Mismatch(_))));
    assert_eq!(error.plugin().unwrap(), "book-a");
    assert_snapshot!(text, @r"
    book-a cannot use Archive of the host: they were built with different versions of it
      Archive::store
      in entry: &Entry
      book-a expects amount: u64
      the host has   amount: u32
      build the plugin again, and the host: cargo hotswap build -p book-a
    ");
    assert_eq!((store(), shelf.0.load(Relaxed)), (Ok(true.into()), 14));
    set.restored();
}

#[test]
fn by_the_type_of_a_parameter() {
    assert_snapshot!(refused("book-p"), @r"
    auditor cannot use Parameter of book-p: they were built with different versions of it
      Parameter::post
      auditor expects amount: u32
      book-p has      amount: u64
      build both again: cargo hotswap build -p auditor -p book-p
    ");
}

#[test]
fn by_the_type_of_a_result() {
    assert_snapshot!(refused("book-o"), @r"
    auditor cannot use Outcome of book-o: they were built with different versions of it
      Outcome::total
      auditor expects result: u64
      book-o has      result: Option<u64>
      build both again: cargo hotswap build -p auditor -p book-o
    ");
}

#[test]
fn by_a_method_that_is_missing() {
    assert_snapshot!(refused("book-m"), @r"
    auditor cannot use Missing of book-m: they were built with different versions of it
      auditor expects the method close
      book-m has      no other method
      build both again: cargo hotswap build -p auditor -p book-m
    ");
}

#[test]
fn by_a_method_that_is_new() {
    assert_snapshot!(refused("book-e"), @r"
    auditor cannot use Extra of book-e: they were built with different versions of it
      auditor expects no other method
      book-e has      the method audit
      build both again: cargo hotswap build -p auditor -p book-e
    ");
}

#[test]
fn by_the_order_of_methods() {
    assert_snapshot!(refused("book-r"), @r"
    auditor cannot use Reordered of book-r: they were built with different versions of it
      auditor expects the order open, close
      book-r has      the order close, open
      build both again: cargo hotswap build -p auditor -p book-r
    ");
}

#[test]
fn by_a_field_three_levels_deep() {
    assert_snapshot!(refused("book-d"), @r"
    auditor cannot use Deep of book-d: they were built with different versions of it
      Deep::keep
      in book: &Book, pages: Vec<Page>, last: Entry
      auditor expects amount: u32
      book-d has      amount: u64
      build both again: cargo hotswap build -p auditor -p book-d
    ");
}
