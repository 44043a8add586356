//! The screen of `top`: its state, what keys do with it, and how it is drawn. Nothing here talks to a host or a terminal.

mod column;
mod model;
mod row;
#[cfg(test)]
mod tests;
mod view;

pub(crate) use model::{Model, Sample};
pub(crate) use view::draw;
