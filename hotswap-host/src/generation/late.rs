//! Mocks in a generation that was made before them, for those who have pinned it.
use crate::generation::bindings::Target;
use crate::patch::function::{Above, Own, PatchedFunction};
use crate::patch::link::Shape;
use crate::patch::stack::MockEntry;
use std::sync::{Arc, Mutex, PoisonError};

/// The points of mocks that were put in front of functions of a generation after it was made. They stay until it goes.
#[derive(Default)]
pub(crate) struct Late(Mutex<Vec<Point>>);

struct Point {
    mock: Arc<MockEntry>,
    own: Target,
    function: PatchedFunction,
}

impl Late {
    /// Returns the point of a mock in front of a function of the generation, which has the signature of the mock.
    pub(crate) fn mock(&self, own: Target, mock: &Arc<MockEntry>) -> Target {
        let mut points = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |point: &&Point| point.own == own && Arc::ptr_eq(&point.mock, mock);
        if let Some(known) = points.iter().find(is_it) {
            return Target::typed(known.function.function());
        }
        let Some(made) = &mock.operation.made else {
            return own;
        };
        let shape = Shape {
            name: "",
            params: made.params,
            result: made.result,
        };
        let layers = std::iter::once(Above::Layer(made.layer.clone()));
        let Some(function) =
            PatchedFunction::link(&shape, Some(Own::typed(own.raw())), layers, &[])
        else {
            return own;
        };
        let target = Target::typed(function.function());
        points.push(Point {
            mock: mock.clone(),
            own,
            function,
        });
        target
    }
}
