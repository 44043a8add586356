//! Descriptions of extensions, which are a host's structs of slots.
use super::calls::InterfaceDesc;
use super::hash::{Hash, Hasher};
use abi_stable::std_types::{RSlice, RStr};
use std::fmt;

/// A slot of an extension.
#[repr(C)]
pub struct SlotDesc {
    /// The name of the field.
    pub name: RStr<'static>,
    /// The interface of the objects in it.
    pub interface: &'static InterfaceDesc,
}

impl SlotDesc {
    /// Returns a slot for objects with this interface.
    pub const fn new(name: &'static str, interface: &'static InterfaceDesc) -> Self {
        SlotDesc {
            name: RStr::from_str(name),
            interface,
        }
    }
}

/// An extension, with its slots in the order of its fields.
#[repr(C)]
pub struct ExtensionDesc {
    /// The struct's name.
    pub name: RStr<'static>,
    /// The crate that defines it.
    pub origin: RStr<'static>,
    /// Its slots.
    pub slots: RSlice<'static, SlotDesc>,
    /// The hash of all of this.
    pub hash: Hash,
}

impl ExtensionDesc {
    /// Returns the description of an extension.
    pub const fn new(origin: &'static str, name: &'static str, slots: &'static [SlotDesc]) -> Self {
        let mut hash = Hasher::new().text(name).text(origin);
        let mut i = 0;
        while i < slots.len() {
            let slot = &slots[i];
            hash = hash.text(slot.name.as_str()).node(slot.interface.hash);
            i += 1;
        }
        ExtensionDesc {
            name: RStr::from_str(name),
            origin: RStr::from_str(origin),
            slots: RSlice::from_slice(slots),
            hash: hash.finish(),
        }
    }

    /// Returns true if both descriptions are of the same extension. Then it is sound to put an object into a slot by
    /// its number.
    pub fn same(&self, other: &ExtensionDesc) -> bool {
        std::ptr::eq(self, other)
            || (self.hash == other.hash
                && (self.name, self.origin) == (other.name, other.origin)
                && self.slots.len() == other.slots.len()
                && self
                    .slots
                    .iter()
                    .zip(other.slots)
                    .all(|(a, b)| a.name == b.name && a.interface.same(b.interface)))
    }
}

impl fmt::Debug for ExtensionDesc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.slots.iter().map(|slot| slot.name.as_str()))
            .finish()
    }
}
