//! The values and objects that the plugins of a generation, and the host, have put into it.
use super::Generation;
use crate::vault::BagItem;
use hotswap_plugin::{BagValue, Extension};

impl Generation {
    /// Returns the value that a plugin of the generation, or the host, has put into the data bag under this name. Names
    /// are compared like the names of plugins.
    ///
    /// ```no_run
    /// # use hotswap_host::prelude::*;
    /// # fn run(swapper: &Swapper) -> Result<(), Box<dyn std::error::Error>> {
    /// let pin = swapper.pin();
    /// if let Some(port) = pin.bag("port") {
    ///     println!("{port}: {}", port.clone().into_value().decode::<u16>()?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn bag(&self, name: &str) -> Option<&BagValue> {
        self.contents.bag.get(name)
    }

    /// Lists everything that the plugins and the host have put into the data bag, sorted by name.
    pub fn bag_items(&self) -> impl ExactSizeIterator<Item = &BagItem> {
        self.contents.bag.items()
    }

    /// Returns an extension, with the objects that the plugins of this generation have put into its slots. Returns
    /// `None` if the host was not opened with it: see [`Builder::extension`](crate::Builder::extension).
    ///
    /// ```no_run
    /// # use hotswap_host::prelude::*;
    /// # use hotswap_plugin::{Slot, extension, interface};
    /// #[interface]
    /// pub trait Meow: Send + Sync {
    ///     fn meow(&self, times: u32) -> String;
    /// }
    ///
    /// #[extension]
    /// pub struct Sounds {
    ///     pub meow: Slot<dyn Meow>,
    /// }
    ///
    /// # fn main() -> Result<(), ReloadError> {
    /// let swapper = Swapper::builder().extension::<Sounds>().open()?;
    /// let pin = swapper.pin();
    /// let sounds = pin.extension::<Sounds>().expect("the host has it");
    /// match sounds.meow.call(|cat| cat.meow(3)) {
    ///     Ok(Some(heard)) => println!("{heard}"),
    ///     Ok(None) => println!("no plugin meows"),
    ///     Err(panicked) => println!("the cat {panicked}"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn extension<E: Extension>(&self) -> Option<&E> {
        self.contents.extensions.get()
    }
}
