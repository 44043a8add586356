//! The host's data for its plugins' `on_load`.
use hotswap_plugin::boundary::{Arena, Shared, TypeDesc};
use hotswap_plugin::contract::LoadDataView;
use std::ptr::null;

/// One value of a shared type, or none.
#[derive(Default)]
pub(crate) struct LoadDataBox(Option<Box<dyn Lend>>);

trait Lend: Send + Sync {
    fn type_desc(&self) -> &'static TypeDesc;
    /// Calls `use_view` with the address of a view that is valid during the call.
    fn with_view(&self, use_view: &mut dyn FnMut(*const ()));
}

struct Value<T>(T);

impl<T: Shared + Send + Sync> Lend for Value<T> {
    fn type_desc(&self) -> &'static TypeDesc {
        T::TYPE
    }

    fn with_view(&self, use_view: &mut dyn FnMut(*const ())) {
        let arena = Arena::new();
        let view = self.0.view(&arena);
        use_view((&raw const view).cast());
    }
}

impl LoadDataBox {
    pub(crate) fn new<T: Shared + Send + Sync>(value: T) -> Self {
        LoadDataBox(Some(Box::new(Value(value))))
    }

    /// Lends the data for one call.
    pub(crate) fn lend<R>(&self, use_data: impl FnOnce(&LoadDataView) -> R) -> R {
        let Some(data) = &self.0 else {
            return use_data(&LoadDataView {
                ty: null(),
                view: null(),
            });
        };
        let (mut use_data, mut result) = (Some(use_data), None);
        data.with_view(&mut |view| {
            let ty = (&raw const *data.type_desc()).cast();
            result = use_data
                .take()
                .map(|use_data| use_data(&LoadDataView { ty, view }));
        });
        match result {
            Some(result) => result,
            None => unreachable!("`with_view` calls its argument"),
        }
    }
}
