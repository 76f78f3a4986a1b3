//! Makers of events about the cast, each as it is at [`T0`](super::T0), and what commands are made of.

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

use crate::command::Action;
use crate::decisions::*;

macro_rules! actions {
    ($($command:ident)*) => {$(
        impl From<$command> for Action {
            fn from(command: $command) -> Self {
                Self::$command(command)
            }
        }
    )*};
}

actions! {
    CreateLog ConfigureRoom IssueToken Arrive LeaveRoom GrantToken ChargePoints HoldSeats HoldByQuantity ExtendHold
    CancelReservation PayReservation PublishConcert AddSeats PublishSchedule ImportCatalogue PauseSale ResumeSale
    ScheduleOpening MoveOpening WithdrawOpening ReceiveBeacon DrawQueue AdjustPoints RegisterUser ExpelUser ChangeSchedule
    ChangePrice CancelSchedule CancelForBuyer Tick
}
