//! The past: any moment of a log, walked to, folded by the code that the server folds it with, and the story of a seat. The
//! tools look back with it, and so does whoever runs the sale over HTTP.

mod as_of;
mod moment;
mod seat_story;
mod telling;
mod walk;

pub use self::as_of::AsOf;
pub use self::moment::{Moment, fold_on};
pub use self::seat_story::{SeatChange, SeatStory};
pub use self::walk::{PastError, range, walk};
