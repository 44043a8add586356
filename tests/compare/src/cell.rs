//! A cell of the table.

/// A figure, or the reason why there is none.
#[derive(Clone, Debug)]
pub enum Cell {
    Figure(f64),
    None(String),
}

impl Cell {
    pub fn figure(&self) -> Option<f64> {
        match self {
            Cell::Figure(figure) => Some(*figure),
            Cell::None(_) => None,
        }
    }

    /// Keeps the smaller of two figures. A figure counts more than a reason.
    pub fn keep_smaller(&mut self, other: Cell) {
        *self = match (self.figure(), other.figure()) {
            (Some(old), Some(new)) => Cell::Figure(old.min(new)),
            (Some(old), None) => Cell::Figure(old),
            (None, _) => other,
        };
    }
}

impl From<anyhow::Result<f64>> for Cell {
    fn from(result: anyhow::Result<f64>) -> Self {
        match result {
            Ok(figure) => Cell::Figure(figure),
            Err(error) => Cell::None(format!("{error:#}")),
        }
    }
}
