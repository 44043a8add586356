//! The attribute and derive macros of [`hotswap_plugin`](../hotswap_plugin/index.html), which exports them. Use them from
//! there: the two crates have to be of the same version.
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
//! A macro reports all mistakes of one use together, each on the tokens at fault, and says what to write instead. The item
//! itself stays as it was, so that the code around it still compiles.
//!
//! # Safety
//! The expansions contain `unsafe` code: the `unsafe` traits that they implement promise what the macros have checked. A crate
//! with `#![forbid(unsafe_code)]` cannot use them; a crate with `#![deny(unsafe_code)]` can.
//!
//! # Platforms
//! The expansions are the same on all platforms. Where a plugin is loaded, replaced, and unloaded is said by
//! [`hotswap_plugin`](../hotswap_plugin/index.html#platforms).
//!
//! # Limits
//! The expansions refer to `hotswap_plugin` by an absolute path. A crate that has it under another name says so with the
//! option `crate = path`.
//!
//! # For those who change them
//! Each macro is a module, which parses its input, checks it, and generates code, in this order.
#![deny(missing_docs, unsafe_op_in_unsafe_fn)]

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

/// Makes a plugin of a type. It stands on an `impl` of the type, in the library root of the plugin's crate.
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
/// | `name = "world"` | the plugin's name; compared without case, `-` equal to `_` | the crate's |
/// | `version = "1.2.3"` | its version | the crate's |
/// | `exports(Alpha, Tick)` | the interfaces it offers, which the type implements | none |
/// | `reloadable = false` | the running instance stays when the file changes | `true` |
/// | `allocator = false` | the crate has a global allocator of its own; memory is not counted | `true` |
/// | `crate = path` | where `hotswap_plugin` is | `::hotswap_plugin` |
///
/// # Functions that the host calls
/// All of them are optional. A parameter after `self` may be left out. `Result` may be left out where it is shown.
///
/// | function | when |
/// |---|---|
/// | `fn reloadable(cx: &Context) -> bool` | first: whether the running instance may be replaced |
/// | `fn new(cx: &Context, deps: Deps) -> Result<Self>` | makes the instance; without it, `Default::default()` |
/// | `fn on_load(&mut self, data: &LoadData<'_>) -> Result<()>` | once the instances of all new plugins exist |
/// | `fn on_init(&mut self, vault: &Vault<'_>) -> Result<()>` | once `on_load` has run in all of them |
/// | `fn on_start(&self)` | just after the switch: begin background work |
/// | `fn on_stop(&self)` | at the switch that replaces the instance; calls may still be running |
/// | `fn on_free(&mut self)` | after the last use, before the instance drops; of plugins that leave together in the reverse order of `on_load`, but none waits for a stranger that takes longer than the host's limit |
/// | `fn invoke_func(&self, name: &str, args: &[Value]) -> Result<Value>` | a call by a name that no `#[invoke]` has; `Err(UnknownFunction.into())` where it does not know it |
///
/// Each hook runs in the order of the imports: in a plugin after those that it imports. With the hooks
/// `fn save(&self) -> Result<State>` and `fn restore(&mut self, state: State) -> Result<()>` an instance hands its state to the
/// one that takes its place, just before the switch.
///
/// **A plugin that exports something takes `&self`** in `on_load`, `on_init` and `restore`, which is refused otherwise. Plugins
/// that import it have it from their `new` on, and may be calling it from threads that they have started. What these hooks set
/// is in a `Mutex`, a `OnceLock` or an atomic:
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
/// They can be called by name, with types (`Function<fn(u32) -> String>` in the host) and without (`Value`). They take
/// `&self` and up to eight parameters, each `&str`, `&[T]`, `&T` or `T` of a shared type `T`, and return a shared type or
/// nothing. A `Result` is an error to the caller where it is an `Err`.
///
/// A function may be `async`; the host awaits it (`AsyncFunction<fn(u32) -> String>`). Its future is `Send`: what it has
/// across an `.await` may move to other threads. It borrows the instance, which stays as long as the future does, and
/// has copies of its arguments. With the feature `tokio` it is polled within a runtime of the plugin's own: see
/// [`task`](../hotswap_plugin/task/index.html). Hooks are not `async`.
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
/// A value is not moved: its fields are shown to the other side, which builds a value of its own. So every field is
/// shared: a number, `bool`, `char`, `String`, `PathBuf`, `Duration`, `Vec` and the other collections, `Option`, `Result`,
/// `Box`, an array, a tuple of up to four, `Error`, `Value`, `Held<dyn Interface>`, or a type with `#[shared]`. The type has no parameters, and
/// does not contain itself. Its definition is compared when libraries meet: both sides must have the same one.
///
/// # Private fields
/// The receiver builds its value field by field, private fields included, and runs no constructor. Names and types of fields
/// are compared, and not what a constructor sees to: a value of a version of the crate that checks less arrives in one that
/// checks more, and so does one that a caller by name has made up ([`Value`](../hotswap_plugin/enum.Value.html)). A plugin or
/// host that relies on such a check makes it where the value arrives. `unsafe` code must not rely on one at all: a type whose
/// `unsafe` code does, such as a private index that is used unchecked, cannot be `#[shared]`.
///
/// # Layout
/// A struct without a `repr` becomes `repr(C)`. If all its fields are plain, so is the struct, and a slice of it is lent
/// without a copy.
///
/// # Options
/// | option | meaning | default |
/// |---|---|---|
/// | `crate = path` | where `hotswap_plugin` is | `::hotswap_plugin` |
#[proc_macro_attribute]
pub fn shared(options: TokenStream, item: TokenStream) -> TokenStream {
    or_errors(
        item.clone().into(),
        shared::expand(options.into(), item.into()),
    )
}

/// Makes an interface of a trait: what a plugin exports or the host provides, and others import.
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
/// // What a plugin that imports `Alpha` gets; here, without any plugin.
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
/// Methods take `&self` and parameters `&str`, `&[T]`,
/// `&T` or `T` of a shared type `T`, and return a shared type or nothing. A panic of the implementation goes on as a
/// panic of the caller. The definition is compared when libraries meet: both sides must have the same methods, in the same
/// order; names of parameters may differ.
///
/// | not possible | instead |
/// |---|---|
/// | parameters and lifetimes of trait or methods, `impl Trait`, `Self` | write the types |
/// | `&mut self`, `&mut T` | change a `Mutex` or an atomic; return what is new |
/// | a borrowed result | an owned one |
/// | associated types, constants and functions | methods |
/// | methods named `clone`, `to_owned`, `into` and the like | other names: handles have these |
///
/// # Options
/// | option | meaning | default |
/// |---|---|---|
/// | `crate = path` | where `hotswap_plugin` is | `::hotswap_plugin` |
#[proc_macro_attribute]
pub fn interface(options: TokenStream, item: TokenStream) -> TokenStream {
    or_errors(
        item.clone().into(),
        interface::expand(options.into(), item.into()),
    )
}

/// Makes a struct or an enum live data: its values can be saved by one version of the code and restored by another.
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
/// It derives `serde`'s traits, and the crate need not depend on `serde`. Every field is of a type that `serde` can write
/// and read, and owns what it holds. The type has no parameters; it may contain itself. What the data says that the type does
/// not have is ignored; what the type has that the data does not say is an error, except where there is a default, or the field
/// is written as an `Option`.
///
/// # Options of the type
/// | option | meaning | default |
/// |---|---|---|
/// | `version = 2` | the schema version: a new one with each migration | 1 |
/// | `migrate(1, up = from_1, down = to_1)` | functions that take the [`Fields`](../hotswap_plugin/live_data/struct.Fields.html) of version 1 to version 2, and back | names decide |
/// | `name = "fire"` | the name that the data carries; compared without case, `-` equal to `_` | the type's |
/// | `was = "Blaze"` | a name that it had earlier; any number of them | none |
/// | `default` | a struct: what the data does not say is as in `Default::default()` | an error |
/// | `crate = path` | where `hotswap_plugin` is | `::hotswap_plugin` |
///
/// # Options of a field
/// | option | meaning |
/// |---|---|
/// | `default` | where the data does not have it: the default of its type |
/// | `default = 7` | where the data does not have it: this expression |
/// | `was = "colour"` | a name that it had earlier; any number of them. A variant takes it, too |
/// | `skip` | it is not in the data: restored, it is the default, or stays as it is where data is restored into a value |
#[proc_macro_attribute]
pub fn live_data(options: TokenStream, item: TokenStream) -> TokenStream {
    let as_written = live_data::without_options(item.clone().into());
    or_errors(as_written, live_data::expand(options.into(), item.into()))
}

/// Makes an extension of a struct: what a host lets its plugins add to.
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
/// // What a plugin does in `on_init`, through `Vault::extend`.
/// let mut sounds = Sounds::default();
/// sounds.meow.fill(Held::new(Tom));
///
/// // What the host does with what `Pin::extension` gives.
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
/// | `crate = path` | where `hotswap_plugin` is | `::hotswap_plugin` |
#[proc_macro_attribute]
pub fn extension(options: TokenStream, item: TokenStream) -> TokenStream {
    or_errors(
        item.clone().into(),
        extension::expand(options.into(), item.into()),
    )
}

/// Makes a struct of imports: the last parameter of a plugin's `new`.
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
/// | `host` | `Imported<dyn Trait>` | what the host provides |
/// | `optional` | `Option<Imported<dyn Trait>>` | `None` where there is no such plugin |
/// | `order_only` | `()` | nothing: the plugin is loaded before this one |
/// | `skip` | anything with a default | its default |
///
/// # Options of the struct
/// | option | meaning | default |
/// |---|---|---|
/// | `crate = path` | where `hotswap_plugin` is | `::hotswap_plugin` |
#[proc_macro_derive(Import, attributes(import))]
pub fn import(item: TokenStream) -> TokenStream {
    import::expand(item.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Makes a function, or a struct or an enum, one that is found by its name alone, whichever plugin it is in: in the newest
/// generation, by the host and by every plugin.
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
/// It stands in a module, not within another function. What may cross is what may cross by `#[invoke]`. A host calls it with types through `Swapper::live_function` and with
/// values through `Swapper::invoke_live`, a plugin through its [`VaultHandle`](../hotswap_plugin/struct.VaultHandle.html).
///
/// # On a struct or an enum
/// It becomes live data, as with [`#[live_data]`](macro@live_data), whose options it takes, and is found by its name: the
/// host and every plugin can hand a value to its `Handler`, make a default one, or bring one that is older up to date.
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
/// Whatever in it begins with the prefix gets the attribute, case ignored: functions, structs and enums, in modules
/// within it as well. The name stays whole, prefix included.
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
/// In the modules of the plugin's crate, and of every crate that the plugin depends on and names: a dependency that nothing
/// in the plugin refers to is not linked. `use jobs as _;` is enough.
///
/// Functions share one space of names, and types another; names are compared as those of plugins are. Two of one
/// name, in one plugin or in two, refuse the generation.
///
/// # Options
/// | option | on | meaning | default |
/// |---|---|---|---|
/// | those of `#[live_data]` | a struct, an enum | version, migrations, names | |
/// | `prefix = "job_"` | a module | how names begin that are live | `live_`, or what `cargo hotswap build --live-prefix` says |
/// | `crate = path` | all | where `hotswap_plugin` is | `::hotswap_plugin` |
#[proc_macro_attribute]
pub fn live(options: TokenStream, item: TokenStream) -> TokenStream {
    let as_written = live::without_options(item.clone().into());
    or_errors(as_written, live::expand(options.into(), item.into()))
}

/// The expansion, or all errors and the item as it was, so that the code around it can still use it.
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

/// What `hotswap_host::linked_plugins!` is made of. Its argument is the path of `hotswap_host`.
#[doc(hidden)]
#[proc_macro]
pub fn linked_plugins(root: TokenStream) -> TokenStream {
    linked::expand(&root.into()).into()
}
