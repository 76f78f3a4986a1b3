//! `reprise why`: a seat's story, event by event.

use std::sync::Arc;

use domain::{
    CatalogImported, CatalogueEvent, Cause, Event, Hash, Hold, HoldCancelled, HoldExpired, HoldExtended, PaymentId,
    Position, RecordedEvent, ReservationId, ReservationPaid, ReservationRefunded, RoomEvent, SaleClock, SaleEvent,
    SalePaused, SaleResumed, SaleTime, ScheduleId, SchedulePublished, SeatId, SeatsAdded, SeatsHeld, UserId,
};
use projections::{ReadModels, rfc3339};
use serde::Serialize;
use uuid::Uuid;

use super::moment::{Moment, fold_on};
use super::output::{Said, Table, count};
use super::{ToolError, source};
use crate::log::EventLog;
use crate::place::Place;

/// Something that happened to the seat.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SeatChange {
    position: Position,
    at: String,
    event: &'static str,
    user_id: Option<UserId>,
    reservation_id: Option<ReservationId>,
    payment_id: Option<PaymentId>,
    request_id: Option<String>,
    what: String,
    hash: Hash,
}

/// The seat's story so far.
struct Story {
    schedule_id: u64,
    seat_id: u64,
    steps: Vec<SeatChange>,
    status: &'static str,
    because: String,
    has: Option<ReservationId>,
    /// The end of the hold that has it, in sale time.
    until: Option<SaleTime>,
    sale_clock: SaleClock,
    /// The import with whose end its schedule can be seen.
    import_id: Option<Uuid>,
    zone: Option<Arc<str>>,
    /// The show is off: the seat is not free though nobody has it.
    is_off: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    #[serde(flatten)]
    moment: &'a Moment,
    schedule_id: u64,
    seat_id: u64,
    status: &'static str,
    because: &'a str,
    steps: &'a [SeatChange],
}

/// Tells who held the seat, when, and why it is free or taken.
pub async fn run(place: &Place, schedule_id: u64, seat_id: u64, json: bool) -> Result<Said, ToolError> {
    why(&source::open(place).await?, schedule_id, seat_id, json).await
}

/// The same, of this log.
///
/// # Errors
/// The log cannot be read, or has no such seat.
pub async fn why(log: &Arc<dyn EventLog>, schedule_id: u64, seat_id: u64, json: bool) -> Result<Said, ToolError> {
    let because = "nobody has asked for it".to_owned();
    let mut story = Story {
        schedule_id,
        seat_id,
        steps: Vec::new(),
        status: "AVAILABLE",
        because,
        has: None,
        until: None,
        import_id: None,
        sale_clock: SaleClock::default(),
        zone: None,
        is_off: false,
    };
    let read_models = fold_on(log, ReadModels::default(), None, json, |recorded| story.apply(recorded)).await?;
    let moment = Moment::of(&read_models);
    if story.steps.is_empty() {
        return Err(ToolError::NotFound(format!("schedule {schedule_id} has no seat {seat_id}, {moment}")));
    }
    let mut table = Table::new(["position", "at", "user", "request", "hash", "what"], &[0, 2]);
    for step in &story.steps {
        table.row([
            step.position.to_string(),
            step.at.clone(),
            step.user_id.map_or_else(String::new, |user_id| user_id.to_string()),
            step.request_id.clone().unwrap_or_default(),
            step.hash.to_string()[..8].to_owned(),
            step.what.clone(),
        ]);
    }
    let Story { status, because, steps, .. } = &story;
    let text = format!("{moment}\n\n{table}\nseat {seat_id} of schedule {schedule_id} is {status}: {because}");
    Ok(Said::new(&Told { moment: &moment, schedule_id, seat_id, status, because, steps }, text))
}

impl Story {
    fn apply(&mut self, recorded: &RecordedEvent) {
        match &recorded.event {
            Event::Catalogue(event) => self.apply_catalogue(event, recorded),
            Event::Sale(event) => self.apply_sale(event, recorded),
            Event::Room(event) => self.apply_room(event, recorded),
            Event::Log(_) | Event::Opening(_) | Event::Users(_) | Event::Points(_) => {}
        }
    }

    /// A pause is part of the story of a seat that is held: the hold stands still in it.
    fn apply_room(&mut self, event: &RoomEvent, recorded: &RecordedEvent) {
        self.sale_clock.fold(event);
        let Some(until) = self.until else { return };
        match event {
            RoomEvent::SalePaused(SalePaused { reason, resumes_at, .. }) => {
                let ends = resumes_at.map_or(String::new(), |at| format!(" until {}", rfc3339(at)));
                self.tell(recorded, None, None, format!("the sale was paused{ends}, and the hold with it: {reason}"));
            }
            RoomEvent::SaleResumed(SaleResumed { reason, resumed_at, .. }) => {
                let why = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
                let until = rfc3339(self.sale_clock.clock_of(until, *resumed_at));
                self.tell(recorded, None, None, format!("the sale went on, and the hold lasts until {until}{why}"));
            }
            RoomEvent::RoomConfigured(_)
            | RoomEvent::TokenIssued(_)
            | RoomEvent::TokenAdmitted(_)
            | RoomEvent::TokenArrived(_)
            | RoomEvent::TokenExpired(_)
            | RoomEvent::RoomLeft(_)
            | RoomEvent::TokenGranted(_) => {}
        }
    }

    fn apply_catalogue(&mut self, event: &CatalogueEvent, recorded: &RecordedEvent) {
        match event {
            CatalogueEvent::SeatsAdded(SeatsAdded { schedule_id, seats, .. }) => {
                let here = schedule_id.get() == self.schedule_id;
                if let Some(seat) = seats.iter().find(|seat| here && seat.seat_id.get() == self.seat_id) {
                    self.zone = Some(Arc::clone(&seat.zone));
                    let what = format!("{}, zone {}, was added for {}", seat.name, seat.zone, count(seat.price.get()));
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
                    let when = if import_id.is_some() { ", to be seen with the end of its import" } else { "" };
                    let what = format!("its schedule was published, on sale from {opens} to {closes}{when}");
                    self.import_id = *import_id;
                    self.tell(recorded, None, None, what);
                }
            }
            CatalogueEvent::CatalogImported(CatalogImported { import_id, reason, .. }) => {
                if import_id.is_some() && *import_id == self.import_id {
                    let why = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
                    self.tell(recorded, None, None, format!("its import ended, and its schedule could be seen{why}"));
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
                    let price = count(changed.price.get());
                    self.tell(recorded, None, None, format!("costs {price} from now on: {}", changed.reason));
                }
            }
            CatalogueEvent::ScheduleCancelled(cancelled) => {
                if self.is_here(cancelled.schedule_id) {
                    self.is_off = true;
                    if self.has.is_none() {
                        self.end("CANCELLED", format!("the show is off: {}", cancelled.reason));
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
            SaleEvent::HoldExpired(HoldExpired { hold, .. }) => self.free(recorded, hold, None, "was over"),
            SaleEvent::HoldCancelled(HoldCancelled { hold, cause, reason, .. }) => {
                let ended = format!("was given up{}", because(*cause, reason.as_deref()));
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
            let (id, price) = (hold.reservation_id, count(hold.total_price.get()));
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

    /// The end of a reservation frees the seat where that still has it.
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
            format!("free again: reservation {id} {ended}")
        } else {
            format!("reservation {id} {ended}, and had the seat no more")
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

/// Who gave a reservation back, and why, where its buyer did not.
fn because(cause: Cause, reason: Option<&str>) -> String {
    let by = match cause {
        Cause::Buyer => return String::new(),
        Cause::Operator => " by an operator",
        Cause::ScheduleCancelled => " since the show is off",
    };
    format!("{by}: {}", reason.unwrap_or("no reason was given"))
}
