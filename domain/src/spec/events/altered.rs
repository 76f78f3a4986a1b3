//! Changes of an event: another time, or another cause.

use super::cast::token_id;
use crate::event::{
    Cause, Event, ExpiryCause, HoldCancelled, HoldExpired, ReservationPaid, ReservationRefunded, RoomEvent, SaleEvent,
    SeatsHeld, TokenExpired,
};
use crate::values::SaleTime;

impl Event {
    /// Moves an event `seconds` later. Deadlines that it begins move too; a hold or token that it ends keeps its begin.
    pub fn at_seconds(self, seconds: i64) -> Self {
        self.at(seconds, seconds)
    }

    /// Moves an event `clock` seconds later, and its deadlines `sale` seconds, as after a pause of the sale.
    pub fn at(mut self, clock: i64, sale: i64) -> Self {
        if let Some(at) = self.happened_at() {
            *at = at.plus_seconds(clock);
        }
        if let Some(deadline) = deadline_of(&mut self) {
            *deadline = deadline.plus_seconds(sale);
        }
        self
    }

    /// This payment, finishing token `number`.
    pub fn finishing(mut self, number: u64) -> Self {
        if let Self::Sale(SaleEvent::ReservationPaid(ReservationPaid { finished_token_id, .. })) = &mut self {
            *finished_token_id = Some(token_id(number));
        }
        self
    }

    /// This end of a reservation, since its show is off.
    pub fn because(self, reason: &str) -> Self {
        self.caused(Cause::ScheduleCancelled, reason)
    }

    /// This end of a reservation, by an operator for its buyer.
    pub fn by_operator(self, reason: &str) -> Self {
        self.caused(Cause::Operator, reason)
    }

    fn caused(mut self, by: Cause, why: &str) -> Self {
        if let Self::Sale(
            SaleEvent::HoldCancelled(HoldCancelled { cause, reason, .. })
            | SaleEvent::ReservationRefunded(ReservationRefunded { cause, reason, .. }),
        ) = &mut self
        {
            (*cause, *reason) = (by, Some(why.to_owned()));
        }
        self
    }

    /// This end of a token, by this cause.
    pub fn ended_by(mut self, by: ExpiryCause) -> Self {
        if let Self::Room(RoomEvent::TokenExpired(TokenExpired { cause, .. })) = &mut self {
            *cause = by;
        }
        self
    }

    /// This end of a hold, of the one that `held` began.
    pub fn of(mut self, held: &Self) -> Self {
        if let (
            Self::Sale(SaleEvent::HoldExpired(HoldExpired { hold, .. }))
            | Self::Sale(SaleEvent::HoldCancelled(HoldCancelled { hold, .. }))
            | Self::Sale(SaleEvent::ReservationPaid(ReservationPaid { hold, .. }))
            | Self::Sale(SaleEvent::ReservationRefunded(ReservationRefunded { hold, .. })),
            Self::Sale(SaleEvent::SeatsHeld(SeatsHeld { hold: begun })),
        ) = (&mut self, held)
        {
            *hold = begun.clone();
        }
        self
    }
}

/// The deadline that it begins.
fn deadline_of(event: &mut Event) -> Option<&mut SaleTime> {
    match event {
        Event::Room(RoomEvent::TokenIssued(issued)) => Some(&mut issued.expires_at),
        Event::Room(RoomEvent::TokenAdmitted(admitted)) => Some(&mut admitted.expires_at),
        Event::Room(RoomEvent::TokenGranted(granted)) => Some(&mut granted.expires_at),
        Event::Room(
            RoomEvent::RoomConfigured(_)
            | RoomEvent::TokenArrived(_)
            | RoomEvent::TokenExpired(_)
            | RoomEvent::RoomLeft(_)
            | RoomEvent::SalePaused(_)
            | RoomEvent::SaleResumed(_),
        ) => None,
        Event::Sale(SaleEvent::SeatsHeld(held)) => Some(&mut held.hold.expires_at),
        Event::Sale(
            SaleEvent::HoldExtended(_)
            | SaleEvent::HoldExpired(_)
            | SaleEvent::HoldCancelled(_)
            | SaleEvent::ReservationPaid(_)
            | SaleEvent::ReservationRefunded(_),
        ) => None,
        Event::Log(_) | Event::Opening(_) | Event::Users(_) | Event::Points(_) | Event::Catalogue(_) => None,
    }
}
