//! The past: the state at any moment of a log, folded by the server's own code, and the story of a seat. Tools and
//! operators' queries use it.

mod as_of;
mod moment;
mod seat_story;
mod telling;
mod walk;

pub use self::as_of::AsOf;
pub use self::moment::{Moment, fold_on};
pub use self::seat_story::{SeatChange, SeatStory};
pub use self::walk::{PastError, range, walk};
