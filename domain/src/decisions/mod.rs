//! What can be decided, one file each: the command, its rule, and the rule's specification.

mod add_seats;
mod adjust_points;
mod arrive;
mod cancel_for_buyer;
mod cancel_reservation;
mod cancel_schedule;
mod change_price;
mod change_schedule;
mod charge_points;
mod configure_room;
mod create_log;
mod draw_queue;
mod expel_user;
mod extend_hold;
mod grant_token;
mod hold_by_quantity;
mod hold_seats;
mod holding;
mod import_catalogue;
mod issue_token;
mod leave_room;
mod move_opening;
mod pause_sale;
mod pay_reservation;
mod publish_concert;
mod publish_schedule;
mod receive_beacon;
mod refund_reservation;
mod register_user;
mod schedule_opening;
mod tick;
mod withdraw_opening;

pub use add_seats::AddSeats;
pub use adjust_points::AdjustPoints;
pub use arrive::Arrive;
pub use cancel_for_buyer::CancelForBuyer;
pub use cancel_reservation::CancelReservation;
pub use cancel_schedule::CancelSchedule;
pub use change_price::ChangePrice;
pub use change_schedule::{ChangeSchedule, NewStart};
pub use charge_points::ChargePoints;
pub use configure_room::ConfigureRoom;
pub use create_log::CreateLog;
pub use draw_queue::DrawQueue;
pub use expel_user::ExpelUser;
pub use extend_hold::ExtendHold;
pub use grant_token::GrantToken;
pub use hold_by_quantity::HoldByQuantity;
pub use hold_seats::HoldSeats;
pub use import_catalogue::{CataloguePart, ImportCatalogue, ImportEnd};
pub use issue_token::IssueToken;
pub use leave_room::LeaveRoom;
pub use move_opening::MoveOpening;
pub use pause_sale::{PauseSale, ResumeSale};
pub use pay_reservation::PayReservation;
pub use publish_concert::PublishConcert;
pub use publish_schedule::PublishSchedule;
pub use receive_beacon::ReceiveBeacon;
pub use register_user::RegisterUser;
pub use schedule_opening::ScheduleOpening;
pub use tick::Tick;
pub use withdraw_opening::WithdrawOpening;

use crate::event::{Event, HoldExpired, TokenExpired};
use crate::state::reservations::Reservation;
use crate::state::room::{Room, Token};
use crate::values::{RoomId, Timestamp};

/// Publishes that a hold's deadline is over.
fn expire_hold(reservation: &Reservation, now: Timestamp) -> Event {
    Event::from(HoldExpired { hold: reservation.hold.clone(), expired_at: now })
}

/// Publishes that the deadline of a waiting or active token of the room is over.
fn expire_token(token: &Token, room: &Room, now: Timestamp) -> Event {
    Event::from(TokenExpired {
        token_id: token.token_id,
        user_id: token.user_id,
        room_id: RoomId::FIRST,
        expired_at: now,
        cause: room.expiry_cause(token, now),
        reason: None,
    })
}
