//! Makes a seat's story: what each event did to the seat, in words.

use std::sync::Arc;

use domain::{
    CatalogImported, CatalogueEvent, Cause, Event, Hold, HoldCancelled, HoldExpired, HoldExtended, PauseChange,
    PaymentId, RecordedEvent, ReservationId, ReservationPaid, ReservationRefunded, RoomEvent, SaleClock, SaleEvent,
    SalePaused, SaleResumed, SaleTime, ScheduleId, SchedulePublished, SeatId, SeatsAdded, SeatsHeld,
};
use indicatif::HumanCount;
use projections::rfc3339;
use uuid::Uuid;

use super::SeatChange;

/// The seat's story so far.
pub(super) struct Telling {
    schedule_id: u64,
    seat_id: u64,
    pub steps: Vec<SeatChange>,
    pub status: &'static str,
    pub because: String,
    has: Option<ReservationId>,
    /// The end of the hold that has it, in sale time.
    until: Option<SaleTime>,
    sale_clock: SaleClock,
    /// The import with whose end the schedule becomes visible.
    import_id: Option<Uuid>,
    zone: Option<Arc<str>>,
    /// True after the show was called off: the seat is not free although nobody has it.
    is_off: bool,
}

impl Telling {
    /// Begins the story of a seat to which nothing has happened yet.
    pub fn of(schedule_id: u64, seat_id: u64) -> Self {
        Self {
            schedule_id,
            seat_id,
            steps: Vec::new(),
            status: "AVAILABLE",
            because: "nobody has held it".to_owned(),
            has: None,
            until: None,
            sale_clock: SaleClock::default(),
            import_id: None,
            zone: None,
            is_off: false,
        }
    }

    /// Adds what the event did, if it changes the seat.
    pub fn apply(&mut self, recorded: &RecordedEvent) {
        match &recorded.event {
            Event::Catalogue(event) => self.apply_catalogue(event, recorded),
            Event::Sale(event) => self.apply_sale(event, recorded),
            Event::Room(event) => self.apply_room(event, recorded),
            Event::Log(_) | Event::Opening(_) | Event::Users(_) | Event::Points(_) => {}
        }
    }

    /// Adds a pause to the story of a held seat, since the hold's deadline stands still during it.
    fn apply_room(&mut self, event: &RoomEvent, recorded: &RecordedEvent) {
        self.sale_clock.fold(event);
        let Some(until) = self.until else { return };
        match event.pause_change() {
            Some(PauseChange::Paused(SalePaused { reason, resumes_at, .. })) => {
                let ends = resumes_at.map_or(String::new(), |at| format!(" until {}", rfc3339(at)));
                self.tell(
                    recorded,
                    None,
                    None,
                    format!("the sale was paused{ends}, and the hold's deadline stands still: {reason}"),
                );
            }
            Some(PauseChange::Resumed(SaleResumed { reason, resumed_at, .. })) => {
                let why = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
                let until = rfc3339(self.sale_clock.clock_of(until, *resumed_at));
                self.tell(recorded, None, None, format!("the sale was resumed, and the hold lasts until {until}{why}"));
            }
            None => {}
        }
    }

    fn apply_catalogue(&mut self, event: &CatalogueEvent, recorded: &RecordedEvent) {
        match event {
            CatalogueEvent::SeatsAdded(SeatsAdded { schedule_id, seats, .. }) => {
                let here = schedule_id.get() == self.schedule_id;
                if let Some(seat) = seats.iter().find(|seat| here && seat.seat_id.get() == self.seat_id) {
                    self.zone = Some(Arc::clone(&seat.zone));
                    let what = format!(
                        "seat {}, zone {}, was added; price: {} points",
                        seat.name,
                        seat.zone,
                        HumanCount(seat.price.get())
                    );
                    self.tell(recorded, None, None, what);
                }
            }
            CatalogueEvent::SchedulePublished(SchedulePublished {
                schedule_id,
                sale_opens_at,
                sale_closes_at,
                import_id,
                ..
            }) => {
                if self.is_here(*schedule_id) {
                    let (opens, closes) = (rfc3339(*sale_opens_at), rfc3339(*sale_closes_at));
                    let when = if import_id.is_some() { "; buyers see it when its import has ended" } else { "" };
                    let what = format!("its schedule was published, on sale from {opens} to {closes}{when}");
                    self.import_id = *import_id;
                    self.tell(recorded, None, None, what);
                }
            }
            CatalogueEvent::CatalogImported(CatalogImported { import_id, reason, .. }) => {
                if import_id.is_some() && *import_id == self.import_id {
                    let why = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
                    self.tell(recorded, None, None, format!("its import ended, and buyers can see its schedule{why}"));
                }
            }
            CatalogueEvent::SaleWindowChanged(changed) => {
                if self.is_here(changed.schedule_id) {
                    let (opens, closes) = (rfc3339(changed.sale_opens_at), rfc3339(changed.sale_closes_at));
                    let reason = &changed.reason;
                    self.tell(recorded, None, None, format!("on sale from {opens} to {closes}: {reason}"));
                }
            }
            CatalogueEvent::ScheduleMoved(moved) => {
                if self.is_here(moved.schedule_id) {
                    let starts = rfc3339(moved.starts_at);
                    self.tell(recorded, None, None, format!("the show was moved to {starts}: {}", moved.reason));
                }
            }
            CatalogueEvent::PriceChanged(changed) => {
                if self.is_here(changed.schedule_id) && self.zone.as_deref() == Some(&*changed.zone) {
                    let price = HumanCount(changed.price.get());
                    self.tell(recorded, None, None, format!("costs {price} points from now on: {}", changed.reason));
                }
            }
            CatalogueEvent::ScheduleCancelled(cancelled) => {
                if self.is_here(cancelled.schedule_id) {
                    self.is_off = true;
                    if self.has.is_none() {
                        self.end("CANCELLED", format!("the show was called off: {}", cancelled.reason));
                    }
                    self.tell(recorded, None, None, format!("the show was called off: {}", cancelled.reason));
                }
            }
            CatalogueEvent::ConcertPublished(_) => {}
        }
    }

    fn apply_sale(&mut self, event: &SaleEvent, recorded: &RecordedEvent) {
        match event {
            SaleEvent::SeatsHeld(SeatsHeld { hold }) => self.hold(recorded, hold),
            SaleEvent::HoldExtended(HoldExtended { hold, .. }) => self.extend(recorded, hold),
            SaleEvent::ReservationPaid(ReservationPaid { hold, payment_id, .. }) => {
                self.pay(recorded, hold, *payment_id);
            }
            SaleEvent::HoldExpired(HoldExpired { hold, .. }) => self.free(recorded, hold, None, "expired"),
            SaleEvent::HoldCancelled(HoldCancelled { hold, cause, reason, .. }) => {
                let ended = format!("was cancelled{}", because(*cause, reason.as_deref()));
                self.free(recorded, hold, None, &ended);
            }
            SaleEvent::ReservationRefunded(ReservationRefunded { hold, payment_id, cause, reason, .. }) => {
                let ended = format!("was refunded{}", because(*cause, reason.as_deref()));
                self.free(recorded, hold, Some(*payment_id), &ended);
            }
        }
    }

    fn hold(&mut self, recorded: &RecordedEvent, hold: &Hold) {
        if self.is_of(hold) {
            let (id, until) =
                (hold.reservation_id, rfc3339(self.sale_clock.clock_of(hold.expires_at, recorded.recorded_at)));
            (self.has, self.until) = (Some(id), Some(hold.expires_at));
            self.end("HELD", format!("user {} holds it by reservation {id} until {until}", hold.user_id));
            self.tell(recorded, Some(hold), None, format!("held by reservation {id} until {until}"));
        }
    }

    fn extend(&mut self, recorded: &RecordedEvent, hold: &Hold) {
        if self.is_of(hold) {
            let until = rfc3339(self.sale_clock.clock_of(hold.expires_at, recorded.recorded_at));
            let id = hold.reservation_id;
            self.until = Some(hold.expires_at);
            self.end("HELD", format!("user {} holds it by reservation {id} until {until}", hold.user_id));
            self.tell(recorded, Some(hold), None, format!("reservation {id} was extended until {until}"));
        }
    }

    fn pay(&mut self, recorded: &RecordedEvent, hold: &Hold, payment_id: PaymentId) {
        if self.is_of(hold) {
            let (id, price) = (hold.reservation_id, HumanCount(hold.total_price.get()));
            (self.has, self.until) = (Some(id), None);
            let at = rfc3339(recorded.recorded_at);
            self.end("SOLD", format!("user {} paid reservation {id} at {at}, payment {payment_id}", hold.user_id));
            let what = format!("sold: reservation {id} was paid with {price} points, payment {payment_id}");
            self.tell(recorded, Some(hold), Some(payment_id), what);
        }
    }

    fn is_here(&self, schedule_id: ScheduleId) -> bool {
        schedule_id.get() == self.schedule_id && !self.steps.is_empty()
    }

    fn is_of(&self, hold: &Hold) -> bool {
        hold.schedule_id.get() == self.schedule_id && hold.seat_ids().any(|seat: SeatId| seat.get() == self.seat_id)
    }

    /// Adds the end of a reservation, if it still has the seat.
    fn free(&mut self, recorded: &RecordedEvent, hold: &Hold, payment_id: Option<PaymentId>, ended: &str) {
        if !self.is_of(hold) {
            return;
        }
        let id = hold.reservation_id;
        let what = if self.has == Some(id) {
            (self.has, self.until) = (None, None);
            let at = rfc3339(recorded.recorded_at);
            self.end(
                if self.is_off { "CANCELLED" } else { "AVAILABLE" },
                format!("reservation {id} of user {} {ended} at {at}", hold.user_id),
            );
            if self.is_off {
                format!("no longer held or sold: reservation {id} {ended}")
            } else {
                format!("free again: reservation {id} {ended}")
            }
        } else {
            format!("reservation {id} {ended}, and no longer had the seat")
        };
        self.tell(recorded, Some(hold), payment_id, what);
    }

    fn end(&mut self, status: &'static str, because: String) {
        (self.status, self.because) = (status, because);
    }

    fn tell(&mut self, recorded: &RecordedEvent, hold: Option<&Hold>, payment_id: Option<PaymentId>, what: String) {
        self.steps.push(SeatChange {
            position: recorded.head.position,
            at: rfc3339(recorded.recorded_at),
            event: recorded.event.event_type(),
            user_id: hold.map(|hold| hold.user_id),
            reservation_id: hold.map(|hold| hold.reservation_id),
            payment_id,
            request_id: recorded.metadata.request_id.clone(),
            what,
            hash: recorded.head.hash,
        });
    }
}

/// Describes who ended a reservation, and why, if it was not the buyer.
fn because(cause: Cause, reason: Option<&str>) -> String {
    let by = match cause {
        Cause::Buyer => return String::new(),
        Cause::Operator => " by an operator",
        Cause::ScheduleCancelled => " because the show was called off",
    };
    format!("{by}: {}", reason.unwrap_or("no reason was given"))
}
