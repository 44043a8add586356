//! Tests state that is handed from one instance to the next, and the gate that is closed meanwhile.
mod support;

mod gate;
mod handed;
mod load;
mod refused;
mod reports;
