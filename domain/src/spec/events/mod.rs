//! Makers of events about the cast, each as it is at [`T0`](super::T0).

mod altered;
mod cast;
mod catalogue;
mod people;
mod room;
mod sale;

pub use cast::*;
pub use catalogue::*;
pub use people::*;
pub use room::*;
pub use sale::*;
