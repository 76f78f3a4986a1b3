mod event;
mod record;
mod values;
pub use event::*;
pub use record::*;
pub use values::*;
