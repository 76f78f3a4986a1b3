//! All decisions, one file each: the command, its rule, and the rule's specification.

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

pub use change_schedule::NewStart;
pub use import_catalogue::{CataloguePart, ImportEnd};

use crate::action::actions;
use crate::event::{Event, HoldExpired, TokenExpired};
use crate::state::reservations::Reservation;
use crate::state::room::{Room, Token};
use crate::values::{RoomId, Timestamp};

actions! {
    add_seats::AddSeats "add-seats" Inside;
    adjust_points::AdjustPoints "adjust-points" Inside;
    arrive::Arrive "arrive" Inside;
    cancel_for_buyer::CancelForBuyer "cancel-for-buyer" Inside;
    cancel_reservation::CancelReservation "cancel-reservation" Inside;
    cancel_schedule::CancelSchedule "cancel-schedule" Inside;
    change_price::ChangePrice "change-price" Inside;
    change_schedule::ChangeSchedule "change-schedule" Inside;
    charge_points::ChargePoints "charge-points" Inside;
    configure_room::ConfigureRoom "configure-room" Inside;
    create_log::CreateLog "create-log" Inside;
    draw_queue::DrawQueue "draw-queue" Inside;
    expel_user::ExpelUser "expel-user" Inside;
    extend_hold::ExtendHold "extend-hold" Inside;
    grant_token::GrantToken "grant-token" Inside;
    hold_by_quantity::HoldByQuantity "hold-by-quantity" Inside;
    hold_seats::HoldSeats "hold-seats" Inside;
    import_catalogue::ImportCatalogue "import-catalogue" Inside;
    issue_token::IssueToken "issue-token" Joining;
    leave_room::LeaveRoom "leave-room" Inside;
    move_opening::MoveOpening "move-opening" Inside;
    pause_sale::PauseSale "pause-sale" Inside;
    pause_sale::ResumeSale "resume-sale" Inside;
    pay_reservation::PayReservation "pay-reservation" Inside;
    publish_concert::PublishConcert "publish-concert" Inside;
    publish_schedule::PublishSchedule "publish-schedule" Inside;
    receive_beacon::ReceiveBeacon "receive-beacon" Inside;
    register_user::RegisterUser "register-user" Inside;
    schedule_opening::ScheduleOpening "schedule-opening" Inside;
    tick::Tick "tick" Inside;
    withdraw_opening::WithdrawOpening "withdraw-opening" Inside;
}

/// Makes the event of a hold's expiry.
fn expire_hold(reservation: &Reservation, now: Timestamp) -> Event {
    Event::from(HoldExpired { hold: reservation.hold.clone(), expired_at: now })
}

/// Makes the event of the expiry of a waiting or active token.
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
