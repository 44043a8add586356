//! The attribute and derive macros of [`hotswap_plugin`](../hotswap_plugin/index.html), which exports them. Use them
//! from there: the two crates have to be of the same version.
//!
//! | macro | on | what it makes |
//! |---|---|---|
//! | [`#[plugin]`](macro@plugin) | an `impl` | a plugin, and the entry points of its shared library |
//! | [`#[shared]`](macro@shared) | a struct or an enum | a type that may cross between libraries |
//! | [`#[interface]`](macro@interface) | a trait | an interface that plugins and the host offer each other |
//! | [`#[extension]`](macro@extension) | a struct | slots of the host into which plugins put objects |
//! | [`#[live_data]`](macro@live_data) | a struct or an enum | a type whose values another version of the code can restore |
//! | [`#[derive(Import)]`](macro@Import) | a struct | the imports of a plugin |
//! | [`#[live]`](macro@live) | a function, a struct, an enum, or a module | functions and types that are found by their names |
//!
//! ```
//! use hotswap_plugin::prelude::*;
//!
//! #[derive(Default)]
//! struct World;
//!
//! #[plugin]
//! impl World {
//!     #[invoke]
//!     fn hum(&self, times: u32) -> String {
//!         "hum ".repeat(times as usize)
//!     }
//! }
//! # assert_eq!(World.hum(2), "hum hum ");
//! ```
//!
//! # Errors
//! A macro reports all mistakes of one use together, each on the tokens at fault, and says what to write instead. The
//! item itself stays as it was, so that the code around it still compiles.
//!
//! # Safety
//! The expansions contain `unsafe` code: the `unsafe` traits that they implement promise what the macros have checked.
//! A crate with `#![forbid(unsafe_code)]` can use them, since that lint does not look into the macros of other crates.
//!
//! # Platforms
//! The expansions are the same on all platforms. Where a plugin is loaded, replaced, and unloaded is said by
//! [`hotswap_plugin`](../hotswap_plugin/index.html#platforms).
//!
//! # Limits
//! The expansions refer to `hotswap_plugin` by an absolute path. A crate that has it under another name says so with
//! the option `crate = path`.
//!
//! # For those who change them
//! Each macro is a module, which parses its input, checks it, and generates code, in this order.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod bounds;
mod call;
mod described;
mod extension;
#[cfg(test)]
mod golden;
mod import;
mod interface;
mod linked;
mod live;
mod live_data;
mod plugin;
mod shared;
mod support;

use proc_macro::TokenStream;

/// Makes a plugin of a type. The attribute stands on an `impl` of the type, in the library root of the plugin's crate.
///
/// ```
/// use hotswap_plugin::prelude::*;
/// use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
///
/// #[derive(Default)]
/// struct World {
///     hums: AtomicU64,
/// }
///
/// #[plugin]
/// impl World {
///     fn on_load(&mut self) -> Result<()> {
///         info!("loaded");
///         Ok(())
///     }
///
///     #[invoke]
///     fn hum(&self, times: u32) -> String {
///         self.hums.fetch_add(1, Relaxed);
///         "hum ".repeat(times as usize)
///     }
/// }
/// ```
///
/// # Options
/// | option | meaning | default |
/// |---|---|---|
/// | `name = "world"` | the plugin's name; names are compared without case, and `-` is equal to `_` | the crate's |
/// | `version = "1.2.3"` | the plugin's version | the crate's |
/// | `exports(Alpha, Tick)` | the interfaces that the plugin offers; the type implements them | none |
/// | `reloadable = false` | the running instance is not replaced when the file changes | `true` |
/// | `allocator = false` | the crate has a global allocator of its own; memory is not counted | `true` |
/// | `crate = path` | the path of `hotswap_plugin` | `::hotswap_plugin` |
///
/// # Functions that the host calls
/// All of them are optional. Parameters after `self` may be left out, and so may `Result`.
///
/// | function | when |
/// |---|---|
/// | `fn reloadable(cx: &Context) -> bool` | first; returns true if a newer build may replace the running instance |
/// | `fn new(cx: &Context, deps: Deps) -> Result<Self>` | makes the instance; `Default::default()` does so if there is no `new` |
/// | `fn on_load(&mut self, data: &LoadData<'_>) -> Result<()>` | once the instances of all new plugins exist |
/// | `fn on_init(&mut self, vault: &Vault<'_>) -> Result<()>` | once `on_load` has run in all of them |
/// | `fn on_start(&self) -> Result<()>` | just after the switch; background work begins here, and what only one instance may have is acquired. May run again after `on_stop`, if the instance goes on after all |
/// | `fn on_stop(&self)` | at the switch that replaces the instance; releases what only one instance may have; calls may still be running |
/// | `fn on_free(&mut self)` | after the last use, before the instance is dropped. Plugins that leave together run it in the reverse order of `on_load`, but none waits longer than the host's limit for a plugin that does not import it |
/// | `fn invoke_func(&self, name: &str, args: &[Value]) -> Result<Value>` | a call by a name that no `#[invoke]` has; returns `Err(UnknownFunction.into())` for a name that it does not know |
///
/// The hooks run in the order of the imports: a plugin's hook runs after those of the plugins that it imports. With the
/// hooks `fn save(&self) -> Result<State>` and `fn restore(&mut self, state: State) -> Result<()>`, an instance passes
/// its state to its successor, just before the switch.
///
/// **A plugin with exports takes `&self`** in `on_load`, `on_init`, and `restore`; `&mut self` does not compile.
/// Plugins that import it have it from their own `new` on, and may be calling it from threads that they have started.
/// So these hooks keep what they set in a `Mutex`, a `OnceLock`, or an atomic:
///
/// ```
/// use hotswap_plugin::prelude::*;
/// use std::sync::OnceLock;
///
/// #[interface]
/// pub trait Greeting: Send + Sync {
///     fn greet(&self, name: &str) -> String;
/// }
///
/// #[derive(Default)]
/// struct Greeter {
///     word: OnceLock<String>,
/// }
///
/// #[plugin(exports(Greeting))]
/// impl Greeter {
///     fn on_load(&self, data: &LoadData<'_>) -> Result<()> {
///         self.word.get_or_init(|| data.get().unwrap_or_else(|_| "hello".into()));
///         Ok(())
///     }
/// }
///
/// impl Greeting for Greeter {
///     fn greet(&self, name: &str) -> String {
///         format!("{}, {name}", self.word.get().map_or("hi", String::as_str))
///     }
/// }
/// # let greeter = Greeter::default();
/// # greeter.on_load(&LoadData::none()).unwrap();
/// # assert_eq!(greeter.greet("Ada"), "hello, Ada");
/// ```
///
/// # Functions with `#[invoke]`
/// These functions can be called by name, with types (`Function<fn(u32) -> String>` in the host) and without (`Value`).
/// They take `&self` and up to eight parameters, each `&str`, `&[T]`, `&T`, or `T` of a shared type `T`, and return a
/// shared type or nothing. If a function returns an `Err`, the call returns an error.
///
/// A function may be `async`; then the host awaits it (`AsyncFunction<fn(u32) -> String>`). Its future is `Send`, so
/// what it holds across an `.await` can move to other threads. The future borrows the instance, which stays alive as
/// long as the future, and owns copies of its arguments. With the feature `tokio`, it is polled within a runtime of the
/// plugin's own: see [`task`](../hotswap_plugin/task/index.html). Hooks are not `async`.
///
/// ```
/// use hotswap_plugin::prelude::*;
/// use std::collections::HashMap;
/// use std::sync::Mutex;
///
/// #[interface]
/// pub trait Source: Send + Sync {
///     async fn load(&self, key: &str) -> Result<String>;
/// }
///
/// #[derive(Import)]
/// struct Deps {
///     #[import(host)]
///     source: Imported<dyn Source>,
/// }
///
/// struct Cache {
///     deps: Deps,
///     known: Mutex<HashMap<String, String>>,
/// }
///
/// #[plugin]
/// impl Cache {
///     fn new(_: &Context, deps: Deps) -> Self {
///         Cache { deps, known: Mutex::default() }
///     }
///
///     #[invoke]
///     async fn get(&self, key: &str) -> Result<String> {
///         if let Some(known) = self.known.lock().unwrap().get(key) {
///             return Ok(known.clone());
///         }
///         let loaded = self.deps.source.load(key).await?;
///         self.known.lock().unwrap().insert(key.to_owned(), loaded.clone());
///         Ok(loaded)
///     }
/// }
/// # fn main() {}
/// ```
///
/// # Smoke tests
/// A function with `#[smoke]` takes `&self` and returns nothing or a `Result<(), E>`. Before a reload makes the plugin
/// live, the host calls it on an instance that is thrown away. If it fails, panics, or takes too long, the reload is
/// refused, and the running build goes on. The instance that becomes live is made afterwards and has never been called.
///
/// | attribute | where and when |
/// |---|---|
/// | `#[smoke]` | on a copy that is thrown away, before the new instance is made |
/// | `#[smoke(restored)]` | on the new instance, once `restore` has given it the state and before any call; calls wait meanwhile |
/// | `#[smoke(deep)]` | not by a reload; for tests that take longer |
///
/// The copy imports the same plugins and objects of the host as the new instance does. So a smoke test does not leave
/// anything behind in those.
///
/// ```
/// use hotswap_plugin::prelude::*;
///
/// #[derive(Default)]
/// struct Prices {
///     percent: u64,
/// }
///
/// #[plugin]
/// impl Prices {
///     #[invoke]
///     fn with_tax(&self, cents: u64) -> u64 {
///         cents + cents * self.percent / 100
///     }
///
///     #[smoke]
///     fn never_gets_cheaper(&self) -> Result<(), String> {
///         match self.with_tax(1000) {
///             1000.. => Ok(()),
///             less => Err(format!("1000 becomes {less}")),
///         }
///     }
/// }
/// ```
///
/// # Health
/// A function with `#[health]` takes `&self`, and returns nothing, a `Result`, or a `Health`. While the plugin is live, a
/// host with a health monitor calls it again and again, on a thread that runs nothing else. It says how the plugin does: an
/// error, a panic, or a check that takes too long is a failure, and with a `Health` the plugin says it itself. What follows
/// from it is up to the host, which may restart the plugin.
///
/// A check is short and changes nothing. It runs beside calls, also before `on_start` has run, and after `on_stop` if it
/// has begun before that.
///
/// ```
/// use hotswap_plugin::prelude::*;
/// use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
///
/// #[derive(Default)]
/// struct Mailer {
///     waiting: AtomicUsize,
/// }
///
/// #[plugin]
/// impl Mailer {
///     #[invoke]
///     fn send(&self, to: &str) {
///         let _ = to;
///         self.waiting.fetch_add(1, Relaxed);
///     }
///
///     #[health]
///     fn queue(&self) -> Health {
///         match self.waiting.load(Relaxed) {
///             ..1000 => Health::Healthy,
///             waiting => Health::Degraded(format!("{waiting} mails wait")),
///         }
///     }
/// }
/// ```
///
/// # Patches
/// A function with `#[patch]` stands for a function of another plugin, which has `#[invoke]` or is live: while both plugins
/// are loaded, the host's calls of that function reach this one. It has the same signature, and can be called by its own
/// name, too. The host compares the signatures when it loads the plugins, and refuses the plugin if they differ.
///
/// The function gets the parameters, and not the other plugin. For that, import an interface of the other plugin. A
/// method of an interface is patched by the host only.
///
/// ```
/// use hotswap_plugin::prelude::*;
///
/// #[derive(Default)]
/// struct Choir;
///
/// #[plugin]
/// impl Choir {
///     #[patch(plugin = "world", function = "hum")]
///     fn sing(&self, times: u32) -> String {
///         "la ".repeat(times as usize)
///     }
/// }
/// ```
#[proc_macro_attribute]
pub fn plugin(options: TokenStream, item: TokenStream) -> TokenStream {
    let as_written = plugin::without_invoke(item.clone().into());
    or_errors(as_written, plugin::expand(options.into(), item.into()))
}

/// Lets a struct or an enum cross between plugins, and between a plugin and its host.
///
/// ```
/// use hotswap_plugin::prelude::*;
///
/// #[shared]
/// #[derive(Clone, Debug, PartialEq)]
/// pub struct Vector {
///     pub x: i64,
///     pub label: String,
/// }
///
/// #[shared]
/// pub enum Refused {
///     TooFar { limit: i64 },
///     Because(String),
///     Busy,
/// }
///
/// let vector = Vector { x: 1, label: "here".into() };
/// let value = Value::encode(&vector);
/// assert_eq!(value.to_string(), r#"{label: "here", x: 1}"#);
/// assert_eq!(value.decode::<Vector>()?, vector);
/// # Ok::<(), Error>(())
/// ```
///
/// A value is not moved. The other side gets a view of its fields, and builds a value of its own. So the type of every
/// field is shared: a number, `bool`, `char`, `String`, `PathBuf`, `Duration`, `Vec` and the other collections,
/// `Option`, `Result`, `Box`, an array, a tuple of up to four, `Error`, `Value`, `Held<dyn Interface>`, or a type with
/// `#[shared]`. The type has no generic parameters, and does not contain itself. Both sides must have the same
/// definition of the type, which they compare before the first call.
///
/// # Private fields
/// The receiver builds its value field by field, private fields included, and runs no constructor. The two sides
/// compare the names and types of fields, and not the checks of a constructor. So a value may come from a version of
/// the crate that checks less, or from a caller by name that has made it up
/// ([`Value`](../hotswap_plugin/enum.Value.html)). A plugin or host that relies on such a check repeats it where the
/// value arrives. `unsafe` code must not rely on one at all: a type whose `unsafe` code does, for instance with a
/// private index that is used unchecked, cannot be `#[shared]`.
///
/// # Layout
/// A struct without a `repr` becomes `repr(C)`. If all its fields are plain, so is the struct, and a slice of it is
/// lent without a copy.
///
/// # Options
/// | option | meaning | default |
/// |---|---|---|
/// | `crate = path` | the path of `hotswap_plugin` | `::hotswap_plugin` |
#[proc_macro_attribute]
pub fn shared(options: TokenStream, item: TokenStream) -> TokenStream {
    or_errors(
        item.clone().into(),
        shared::expand(options.into(), item.into()),
    )
}

/// Makes an interface of a trait. A plugin or the host implements it, and other plugins, or the host, call it.
///
/// ```
/// use hotswap_plugin::prelude::*;
///
/// #[interface]
/// pub trait Alpha: Send + Sync {
///     /// Says the text, some times over.
///     fn say(&self, text: &str, times: u32) -> String;
///
///     fn ready(&self) -> bool {
///         true
///     }
/// }
///
/// struct Fake;
/// impl Alpha for Fake {
///     fn say(&self, text: &str, times: u32) -> String {
///         text.repeat(times as usize)
///     }
/// }
///
/// // A plugin that imports `Alpha` gets such a handle. This one works without any plugin.
/// let alpha = Imported::<dyn Alpha>::from_impl(Fake);
/// assert_eq!(alpha.say("hum ", 2), "hum hum ");
/// assert!(alpha.ready());
/// ```
///
/// The trait stays as it is, and is implemented as any other. A method may be `async`: the trait then says that its future is
/// `Send`, and an implementation writes `async fn` too. Such a method is called through handles, or through a type that
/// implements the trait, but not through a trait object of it.
///
/// ```
/// # use hotswap_plugin::prelude::*;
/// #[interface]
/// pub trait Store: Send + Sync {
///     async fn get(&self, key: &str) -> Option<String>;
/// }
///
/// struct Nothing;
/// impl Store for Nothing {
///     async fn get(&self, _: &str) -> Option<String> {
///         None
///     }
/// }
///
/// async fn first(store: &Imported<dyn Store>) -> String {
///     store.get("first").await.unwrap_or_default()
/// }
/// # let _ = first(&Imported::from_impl(Nothing));
/// ```
///
/// Methods take `&self` and parameters `&str`, `&[T]`, `&T`, or `T` of a shared type `T`, and return a shared type or
/// nothing. A panic of the implementation goes on as a panic of the caller. Both sides must have the same methods, in
/// the same order, which they compare before the first call. Names of parameters may differ.
///
/// | not possible | instead |
/// |---|---|
/// | generic parameters and lifetimes of the trait or its methods, `impl Trait`, `Self` | write the types |
/// | `&mut self`, `&mut T` | change a `Mutex` or an atomic; return the new value |
/// | a borrowed result | an owned one |
/// | associated types, constants and functions | methods |
/// | methods with names such as `clone`, `to_owned`, and `into` | other names, since handles have these methods themselves |
///
/// # Options
/// | option | meaning | default |
/// |---|---|---|
/// | `crate = path` | the path of `hotswap_plugin` | `::hotswap_plugin` |
#[proc_macro_attribute]
pub fn interface(options: TokenStream, item: TokenStream) -> TokenStream {
    or_errors(
        item.clone().into(),
        interface::expand(options.into(), item.into()),
    )
}

/// Makes a struct or an enum live data: one version of the code can save its values, and another can restore them.
///
/// ```
/// use hotswap_plugin::prelude::*;
///
/// #[live_data(version = 2, migrate(1, up = from_1, down = to_1))]
/// pub struct Fire {
///     name: String,
///     #[live_data(default)]
///     shots: u32,
///     #[live_data(was = "colour")]
///     color: String,
///     pace: u64,
///     #[live_data(skip)]
///     cache: Vec<f64>,
/// }
///
/// fn from_1(fields: &mut Fields) -> Result<()> {
///     fields.rename("speed", "pace");
///     fields.change("pace", |old: u32| Ok(u64::from(old) * 2))?;
///     Ok(())
/// }
///
/// fn to_1(fields: &mut Fields) -> Result<()> {
///     fields.change("pace", |new: u64| Ok(u32::try_from(new / 2)?))?;
///     fields.rename("pace", "speed");
///     Ok(())
/// }
/// # fn main() {}
/// ```
///
/// The attribute derives `serde`'s traits, and the crate need not depend on `serde`. Every field has a type that
/// `serde` can write and read, and that borrows nothing. The type has no generic parameters; it may contain itself.
/// Data for a field that the type does not have is ignored. A field that the data does not have is an error, unless it
/// has a default or is written as an `Option`.
///
/// # Options of the type
/// | option | meaning | default |
/// |---|---|---|
/// | `version = 2` | the schema version: a new one with each migration | 1 |
/// | `migrate(1, up = from_1, down = to_1)` | functions that take the [`Fields`](../hotswap_plugin/live_data/struct.Fields.html) of version 1 to version 2, and back | names decide |
/// | `name = "fire"` | the name that the data carries; names are compared without case, and `-` is equal to `_` | the type's |
/// | `was = "Blaze"` | an earlier name of the type; it may be given several times | none |
/// | `default` | on a struct: fields that the data does not have are those of `Default::default()` | an error |
/// | `crate = path` | the path of `hotswap_plugin` | `::hotswap_plugin` |
///
/// # Options of a field
/// | option | meaning |
/// |---|---|
/// | `default` | if the data does not have the field, it gets the default of its type |
/// | `default = 7` | if the data does not have the field, it gets the value of this expression |
/// | `was = "colour"` | an earlier name of the field; it may be given several times. A variant takes it, too |
/// | `skip` | the field is not in the data. A restored value gets the default; if data is restored into a value, the field stays as it is |
#[proc_macro_attribute]
pub fn live_data(options: TokenStream, item: TokenStream) -> TokenStream {
    let as_written = live_data::without_options(item.clone().into());
    or_errors(as_written, live_data::expand(options.into(), item.into()))
}

/// Makes an extension of a struct: slots in which plugins register objects with their host.
///
/// ```
/// use hotswap_plugin::prelude::*;
///
/// #[interface]
/// pub trait Meow: Send + Sync {
///     fn meow(&self, times: u32) -> String;
/// }
///
/// #[extension]
/// pub struct Sounds {
///     /// What cats say.
///     pub meow: Slot<dyn Meow>,
/// }
///
/// struct Tom;
///
/// impl Meow for Tom {
///     fn meow(&self, times: u32) -> String {
///         "meow ".repeat(times as usize)
///     }
/// }
///
/// // A plugin does this in `on_init`, through `Vault::extend`.
/// let mut sounds = Sounds::default();
/// sounds.meow.fill(Held::new(Tom));
///
/// // The host does this with the extension that `Pin::extension` returns.
/// let said = sounds.meow.call(|cat| cat.meow(2))?;
/// assert_eq!(said.as_deref(), Some("meow meow "));
/// # Ok::<(), Error>(())
/// ```
///
/// Each field is a `Slot<dyn Trait>` of a trait with `#[interface]`. The struct is in a crate that host and plugins share;
/// its definition is compared when a plugin fills a slot: both sides must have the same fields, in the same order. It
/// implements `Default`, with all slots empty.
///
/// # Options
/// | option | meaning | default |
/// |---|---|---|
/// | `crate = path` | the path of `hotswap_plugin` | `::hotswap_plugin` |
#[proc_macro_attribute]
pub fn extension(options: TokenStream, item: TokenStream) -> TokenStream {
    or_errors(
        item.clone().into(),
        extension::expand(options.into(), item.into()),
    )
}

/// Makes a struct of imports, which is the last parameter of a plugin's `new`.
///
/// ```
/// use hotswap_plugin::prelude::*;
///
/// #[interface]
/// pub trait Alpha: Send + Sync {}
/// #[interface]
/// pub trait JobQueue: Send + Sync {}
///
/// #[derive(Import)]
/// struct Deps {
///     alpha: Imported<dyn Alpha>,
///     #[import(host)]
///     queue: Imported<dyn JobQueue>,
///     #[import(from = "beta-plugin", optional)]
///     beta: Option<Imported<dyn Alpha>>,
///     #[import(order_only)]
///     gamma: (),
///     #[import(skip)]
///     cache: u32,
/// }
/// ```
///
/// # Options of a field
/// | option | the field is | what it holds |
/// |---|---|---|
/// | | `Imported<dyn Trait>` | the interface of the plugin with the field's name |
/// | `from = "beta-plugin"` | `Imported<dyn Trait>` | the interface of that plugin |
/// | `host` | `Imported<dyn Trait>` | the interface that the host provides |
/// | `optional` | `Option<Imported<dyn Trait>>` | `None` if there is no such plugin |
/// | `order_only` | `()` | nothing; the plugin is loaded before this one |
/// | `skip` | anything with a default | its default |
///
/// # Options of the struct
/// | option | meaning | default |
/// |---|---|---|
/// | `crate = path` | the path of `hotswap_plugin` | `::hotswap_plugin` |
#[proc_macro_derive(Import, attributes(import))]
pub fn import(item: TokenStream) -> TokenStream {
    import::expand(item.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Makes a function, a struct, or an enum live: the host and every plugin find it by its name, in whichever plugin of
/// the newest generation it is.
///
/// # On a function
/// ```
/// use hotswap_plugin::prelude::*;
///
/// #[live]
/// fn roll_call(department: &str) -> String {
///     format!("{department}: all here")
/// }
/// # fn main() { assert_eq!(roll_call("accounts"), "accounts: all here") }
/// ```
/// The function stands in a module, and not within another function. Its parameters and result are those of
/// `#[invoke]`. A host calls it with types through `Swapper::live_function`, and with values through
/// `Swapper::invoke_live`. A plugin calls it through its [`VaultHandle`](../hotswap_plugin/struct.VaultHandle.html).
///
/// # On a struct or an enum
/// The type becomes live data, as with [`#[live_data]`](macro@live_data), whose options it takes, and is found by its
/// name. The host and every plugin can pass a value to its `Handler`, make a default value, or bring an older value up
/// to date.
///
/// ```
/// use hotswap_plugin::prelude::*;
///
/// #[live(version = 2)]
/// struct Fire {
///     department: String,
///     #[live_data(default)]
///     alarms: u32,
/// }
///
/// impl Handler for Fire {
///     fn handle(self, vault: &VaultHandle) -> Result<Value> {
///         Ok(format!("{} alarms in {}", self.alarms, self.department).into())
///     }
/// }
/// # fn main() {}
/// ```
///
/// # On a module
/// Functions, structs, and enums in the module get the attribute if their names begin with the prefix, whatever their
/// case. That includes items of inner modules. The prefix stays part of the name.
///
/// ```
/// use hotswap_plugin::prelude::*;
///
/// #[live]
/// mod jobs {
///     pub fn live_roll_call(department: &str) -> String {
///         format!("{department}: {}", count())
///     }
///
///     fn count() -> u32 {
///         7
///     }
/// }
/// # fn main() { assert_eq!(jobs::live_roll_call("x"), "x: 7") }
/// ```
///
/// # Where it is found
/// Live items are found in the modules of the plugin's crate, and of every crate that the plugin depends on and refers
/// to: a dependency that nothing in the plugin refers to is not linked. `use jobs as _;` is enough.
///
/// Functions share one namespace, and types another. Names are compared as those of plugins are. If two functions or
/// two types have one name, in one plugin or in two, the generation is refused.
///
/// # Options
/// | option | on | meaning | default |
/// |---|---|---|---|
/// | those of `#[live_data]` | a struct, an enum | version, migrations, names | |
/// | `prefix = "job_"` | a module | the beginning of the names of live items | `live_`, or what `cargo hotswap build --live-prefix` says |
/// | `crate = path` | all | the path of `hotswap_plugin` | `::hotswap_plugin` |
#[proc_macro_attribute]
pub fn live(options: TokenStream, item: TokenStream) -> TokenStream {
    let as_written = live::without_options(item.clone().into());
    or_errors(as_written, live::expand(options.into(), item.into()))
}

/// Returns the expansion, or all errors and the item as it was, so that the code around it can still use it.
fn or_errors(
    item: proc_macro2::TokenStream,
    expanded: syn::Result<proc_macro2::TokenStream>,
) -> TokenStream {
    let expanded = expanded.unwrap_or_else(|errors| {
        let errors = errors.into_compile_error();
        quote::quote! {
            #errors
            #[allow(unused)]
            #item
        }
    });
    expanded.into()
}

/// Expands `hotswap_host::linked_plugins!`. The argument is the path of `hotswap_host`.
#[doc(hidden)]
#[proc_macro]
pub fn linked_plugins(root: TokenStream) -> TokenStream {
    linked::expand(&root.into()).into()
}
