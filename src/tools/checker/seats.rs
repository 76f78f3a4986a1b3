//! The books of seats: the catalogue, who has which seat, and what became of every hold.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use domain::limits::{
    CHANGEABLE_SECONDS, EXTENSION_SECONDS, EXTENSION_WINDOW_SECONDS, HOLD_SECONDS, MAX_SEATS_PER_EVENT,
    MAX_SEATS_PER_RESERVATION, MAX_SEATS_PER_USER_IN_SCHEDULE,
};
use domain::{
    CatalogImported, CatalogueEvent, Cause, ConcertId, ConcertPublished, Event, Hold, HoldCancelled, HoldExpired,
    HoldExtended, PaymentId, PriceChanged, ReservationId, ReservationPaid, ReservationRefunded, SaleEvent, SaleTime,
    ScheduleId, SchedulePublished, SeatId, SeatsAdded, SeatsHeld, Timestamp, UserId,
};
use uuid::Uuid;

use super::{Findings, Now, Proof};

/// When a schedule is sold and played.
#[derive(Debug, Clone, Copy)]
struct Times {
    sale_opens_at: Timestamp,
    sale_closes_at: Timestamp,
    starts_at: Timestamp,
}

#[derive(Debug)]
struct Schedule {
    concert_id: ConcertId,
    times: Option<Times>,
    /// Whether people see it; else, the import with whose end they do.
    is_visible: bool,
    import_id: Option<Uuid>,
    seats_per_user: usize,
    /// What each seat costs, and which reservation has it.
    seats: HashMap<SeatId, (u64, Option<ReservationId>)>,
    zones: HashMap<SeatId, Arc<str>>,
    /// The show is off.
    is_off: bool,
}

impl Schedule {
    fn of(concert_id: ConcertId) -> Self {
        Self {
            concert_id,
            times: None,
            is_visible: false,
            import_id: None,
            seats_per_user: MAX_SEATS_PER_USER_IN_SCHEDULE,
            seats: HashMap::new(),
            zones: HashMap::new(),
            is_off: false,
        }
    }
}

/// A reservation that has its seats: held, or sold by this payment.
#[derive(Debug)]
struct Live {
    hold: Hold,
    payment_id: Option<PaymentId>,
    is_extended: bool,
}

/// A schedule, when its sale opens and closes since, and when it starts since.
type Changed = (ScheduleId, Option<(Timestamp, Timestamp)>, Option<Timestamp>);

#[derive(Debug, Default)]
pub struct SeatsCheck {
    concerts: HashSet<ConcertId>,
    schedules: HashMap<ScheduleId, Schedule>,
    live: HashMap<ReservationId, Live>,
    /// How many seats a user holds or owns in a schedule.
    of_user: HashMap<(ScheduleId, UserId), usize>,
    last_reservation: u64,
    last_payment: u64,
}

impl SeatsCheck {
    pub fn check(&mut self, event: &Event, now: Now, findings: &mut Findings) {
        match event {
            Event::Catalogue(CatalogueEvent::ConcertPublished(ConcertPublished { concert_id, .. })) => {
                let is_new = self.concerts.insert(*concert_id);
                findings
                    .holds(Proof::CatalogueChangesAreSaid, is_new, || format!("concert {concert_id} is there already"));
            }
            Event::Catalogue(CatalogueEvent::SeatsAdded(added)) => self.add(added, findings),
            Event::Catalogue(CatalogueEvent::SchedulePublished(published)) => self.publish(published, findings),
            Event::Catalogue(CatalogueEvent::CatalogImported(imported)) => self.end_import(imported, findings),
            Event::Catalogue(CatalogueEvent::SaleWindowChanged(changed)) => {
                let changed = (changed.schedule_id, Some((changed.sale_opens_at, changed.sale_closes_at)), None);
                self.retime(changed, now, findings);
            }
            Event::Catalogue(CatalogueEvent::ScheduleMoved(moved)) => {
                self.retime((moved.schedule_id, None, Some(moved.starts_at)), now, findings);
            }
            Event::Catalogue(CatalogueEvent::PriceChanged(changed)) => self.reprice(changed, findings),
            Event::Catalogue(CatalogueEvent::ScheduleCancelled(cancelled)) => {
                let schedule = self.schedules.get_mut(&cancelled.schedule_id);
                let is_new = schedule.as_ref().is_some_and(|schedule| schedule.times.is_some() && !schedule.is_off);
                findings.holds(Proof::CatalogueChangesAreSaid, is_new, || {
                    format!("schedule {} was called off twice, or never published", cancelled.schedule_id)
                });
                schedule.into_iter().for_each(|schedule| schedule.is_off = true);
            }
            Event::Sale(SaleEvent::SeatsHeld(SeatsHeld { hold })) => self.hold(hold, now, findings),
            Event::Sale(SaleEvent::HoldExtended(HoldExtended { hold, .. })) => self.extend(hold, now.sale, findings),
            Event::Sale(SaleEvent::HoldExpired(HoldExpired { hold, .. })) => {
                findings.holds(Proof::PaymentsHaveHolds, now.sale >= hold.expires_at, || {
                    format!("reservation {} expired before its deadline", hold.reservation_id)
                });
                self.end(hold, None, findings);
            }
            Event::Sale(SaleEvent::HoldCancelled(HoldCancelled { hold, cause, .. })) => {
                in_time(hold, now, "cancelled", findings);
                self.has_cause(hold, *cause, findings);
                self.end(hold, None, findings);
            }
            Event::Sale(SaleEvent::ReservationPaid(ReservationPaid { payment_id, hold, .. })) => {
                in_time(hold, now, "paid", findings);
                findings.holds(Proof::PaymentsHaveHolds, !self.is_off(hold.schedule_id), || {
                    format!("reservation {} was paid though its show was off", hold.reservation_id)
                });
                self.pay(*payment_id, hold, findings);
            }
            Event::Sale(SaleEvent::ReservationRefunded(ReservationRefunded { payment_id, hold, cause, .. })) => {
                let starts_at = self.times(hold.schedule_id).map(|times| times.starts_at);
                let in_time = starts_at.is_some_and(|starts_at| match cause {
                    Cause::Buyer => now.clock < starts_at,
                    Cause::Operator => now.clock < starts_at.plus_seconds(CHANGEABLE_SECONDS),
                    Cause::ScheduleCancelled => true,
                });
                findings.holds(Proof::PaymentsHaveHolds, in_time, || {
                    format!("reservation {} was refunded after the start", hold.reservation_id)
                });
                self.has_cause(hold, *cause, findings);
                self.end(hold, Some(*payment_id), findings);
            }
            Event::Log(_) | Event::Room(_) | Event::Opening(_) | Event::Users(_) | Event::Points(_) => {}
        }
    }

    /// A hold is made longer once, in its last two minutes, by five minutes.
    fn extend(&mut self, hold: &Hold, now: SaleTime, findings: &mut Findings) {
        let live = self.live.get_mut(&hold.reservation_id).filter(|live| live.payment_id.is_none());
        let mut capped = |is_so, reason: &str| {
            findings.holds(Proof::NoCapPassed, is_so, || format!("reservation {} {reason}", hold.reservation_id));
        };
        let Some(live) = live else { return capped(false, "was extended, and is no hold") };
        let before = std::mem::replace(&mut live.hold, hold.clone());
        let is_longer = before.expires_at.plus_seconds(EXTENSION_SECONDS) == hold.expires_at;
        capped(is_longer, "was extended by another time than five minutes");
        let first = before.expires_at.plus_seconds(-EXTENSION_WINDOW_SECONDS);
        capped(first <= now && now < before.expires_at, "was extended out of its last two minutes");
        capped(!std::mem::replace(&mut live.is_extended, true), "was extended twice");
    }

    fn is_off(&self, schedule_id: ScheduleId) -> bool {
        self.schedules.get(&schedule_id).is_some_and(|schedule| schedule.is_off)
    }

    /// What is given back because a show is off is of a show that is.
    fn has_cause(&self, hold: &Hold, cause: Cause, findings: &mut Findings) {
        let is_so = cause != Cause::ScheduleCancelled || self.is_off(hold.schedule_id);
        findings.holds(Proof::PaymentsHaveHolds, is_so, || {
            format!("reservation {} was given back for a show that is not off", hold.reservation_id)
        });
    }

    fn times(&self, schedule_id: ScheduleId) -> Option<Times> {
        self.schedules.get(&schedule_id)?.times
    }

    fn add(&mut self, added: &SeatsAdded, findings: &mut Findings) {
        let SeatsAdded { concert_id, schedule_id, seats } = added;
        let mut fixed =
            |is_so, reason: &dyn Fn() -> String| findings.holds(Proof::CatalogueChangesAreSaid, is_so, reason);
        fixed(self.concerts.contains(concert_id), &|| format!("there is no concert {concert_id}"));
        let none = || Schedule::of(*concert_id);
        let schedule = self.schedules.entry(*schedule_id).or_insert_with(none);
        fixed(schedule.concert_id == *concert_id, &|| format!("schedule {schedule_id} is another concert's"));
        fixed(schedule.times.is_none(), &|| format!("schedule {schedule_id} is published, its seats are fixed"));
        for seat in seats {
            let before = schedule.seats.insert(seat.seat_id, (seat.price.get(), None));
            schedule.zones.insert(seat.seat_id, Arc::clone(&seat.zone));
            fixed(before.is_none(), &|| format!("seat {} of schedule {schedule_id} is there already", seat.seat_id));
        }
        findings.holds(Proof::NoCapPassed, seats.len() <= MAX_SEATS_PER_EVENT, || format!("{} seats", seats.len()));
    }

    fn publish(&mut self, published: &SchedulePublished, findings: &mut Findings) {
        let SchedulePublished {
            concert_id,
            schedule_id,
            starts_at,
            sale_opens_at,
            sale_closes_at,
            seats_total,
            import_id,
            seats_per_user,
            ..
        } = published;
        let schedule = self.schedules.get_mut(schedule_id);
        let fits = schedule.as_ref().is_some_and(|schedule| {
            let is_whole = schedule.seats.len() as u64 == *seats_total && sale_opens_at < sale_closes_at;
            schedule.concert_id == *concert_id && schedule.times.is_none() && is_whole
        });
        findings.holds(Proof::CatalogueChangesAreSaid, fits, || {
            format!("schedule {schedule_id} is published already, or other than it was made")
        });
        if let Some(schedule) = schedule {
            let (sale_opens_at, sale_closes_at, starts_at) = (*sale_opens_at, *sale_closes_at, *starts_at);
            schedule.times = Some(Times { sale_opens_at, sale_closes_at, starts_at });
            schedule.is_visible = import_id.is_none();
            schedule.import_id = *import_id;
            schedule.seats_per_user = usize::from(*seats_per_user);
        }
        let is_within = (1..=MAX_SEATS_PER_USER_IN_SCHEDULE).contains(&usize::from(*seats_per_user));
        findings.holds(Proof::NoCapPassed, is_within, || {
            format!("{seats_per_user} seats of schedule {schedule_id} a user")
        });
    }

    /// What an import published becomes visible with its end, and the end says how much that is.
    fn end_import(&mut self, imported: &CatalogImported, findings: &mut Findings) {
        let CatalogImported { import_id, schedules, seats, .. } = imported;
        let ends = |schedule: &&mut Schedule| {
            !schedule.is_visible && import_id.is_some() && schedule.import_id == *import_id && schedule.times.is_some()
        };
        let mut counted = (0, 0);
        for schedule in self.schedules.values_mut().filter(ends) {
            schedule.is_visible = true;
            counted = (counted.0 + 1, counted.1 + schedule.seats.len() as u64);
        }
        findings.holds(Proof::CatalogueChangesAreSaid, counted == (*schedules, *seats), || {
            format!("an import ended with {schedules} schedules and {seats} seats, and had published {counted:?}")
        });
    }

    /// Times that an operator changed: of the sale, or of the start.
    fn retime(&mut self, changed: Changed, now: Now, findings: &mut Findings) {
        let (schedule_id, window, starts_at) = changed;
        let schedule = self.schedules.get_mut(&schedule_id).filter(|schedule| !schedule.is_off);
        let times = schedule.and_then(|schedule| schedule.times.as_mut());
        let fits = times.as_ref().is_some_and(|times| now.clock < times.starts_at.plus_seconds(CHANGEABLE_SECONDS));
        findings.holds(Proof::CatalogueChangesAreSaid, fits, || {
            format!("schedule {schedule_id} is over, off or not published, and was changed")
        });
        if let Some(times) = times {
            (times.sale_opens_at, times.sale_closes_at) = window.unwrap_or((times.sale_opens_at, times.sale_closes_at));
            times.starts_at = starts_at.unwrap_or(times.starts_at);
        }
    }

    fn reprice(&mut self, changed: &PriceChanged, findings: &mut Findings) {
        let schedule = self.schedules.get_mut(&changed.schedule_id).filter(|schedule| !schedule.is_off);
        let mut count = 0;
        if let Some(schedule) = schedule {
            for (seat_id, (price, _)) in &mut schedule.seats {
                if schedule.zones.get(seat_id).is_some_and(|zone| **zone == *changed.zone) {
                    *price = changed.price.get();
                    count += 1;
                }
            }
        }
        findings.holds(Proof::CatalogueChangesAreSaid, count > 0, || {
            format!("schedule {} has no zone {}, or is off", changed.schedule_id, changed.zone)
        });
    }

    fn hold(&mut self, hold: &Hold, now: Now, findings: &mut Findings) {
        let (id, schedule_id, user_id) = (hold.reservation_id, hold.schedule_id, hold.user_id);
        findings.holds(Proof::NumbersAreConsecutive, id.get() == self.last_reservation + 1, || {
            format!("reservation {id} follows reservation {}", self.last_reservation)
        });
        self.last_reservation = self.last_reservation.max(id.get());
        let times = self.times(schedule_id);
        let schedule = self.schedules.get(&schedule_id);
        let is_visible = schedule.is_some_and(|schedule| schedule.is_visible && !schedule.is_off);
        let limit = schedule.map_or(MAX_SEATS_PER_USER_IN_SCHEDULE, |schedule| schedule.seats_per_user);
        let is_on_sale = is_visible
            && times.is_some_and(|times| times.sale_opens_at <= now.clock && now.clock < times.sale_closes_at);
        findings
            .holds(Proof::CatalogueChangesAreSaid, is_on_sale, || format!("schedule {schedule_id} was not on sale"));

        let mut total = 0;
        for seat in &hold.seats {
            let place = self.schedules.get_mut(&schedule_id).filter(|schedule| schedule.concert_id == hold.concert_id);
            let place = place.and_then(|schedule| schedule.seats.get_mut(&seat.seat_id));
            let price = place.as_ref().map(|(price, _)| *price);
            findings.holds(Proof::CatalogueChangesAreSaid, price == Some(seat.price.get()), || {
                format!("seat {} of schedule {schedule_id} was held for {}", seat.seat_id, seat.price.get())
            });
            let owner = place.as_ref().and_then(|(_, owner)| *owner);
            findings.holds(Proof::NoSeatSoldTwice, owner.is_none(), || {
                let owner = owner.map_or(0, ReservationId::get);
                format!("seat {} of schedule {schedule_id} was held by reservation {id}; {owner} has it", seat.seat_id)
            });
            if let Some((_, owner)) = place {
                *owner = Some(id);
            }
            total += seat.price.get();
        }
        let sums_up = (total, now.sale.plus_seconds(HOLD_SECONDS)) == (hold.total_price.get(), hold.expires_at);
        findings.holds(Proof::NoCapPassed, sums_up, || format!("reservation {id} has another price or length"));
        let seats = hold.seats.len();
        let own = self.of_user.entry((schedule_id, user_id)).or_default();
        *own += seats;
        let is_within = (1..=MAX_SEATS_PER_RESERVATION).contains(&seats) && *own <= limit;
        findings.holds(Proof::NoCapPassed, is_within, || {
            format!("user {user_id} has {own} seats of schedule {schedule_id}, {seats} of them at once")
        });
        self.live.insert(id, Live { hold: hold.clone(), payment_id: None, is_extended: false });
    }

    fn pay(&mut self, payment_id: PaymentId, hold: &Hold, findings: &mut Findings) {
        findings.holds(Proof::NumbersAreConsecutive, payment_id.get() == self.last_payment + 1, || {
            format!("payment {payment_id} follows payment {}", self.last_payment)
        });
        self.last_payment = self.last_payment.max(payment_id.get());
        let id = hold.reservation_id;
        let live = self.live.get_mut(&id);
        let is_held = live.as_ref().is_some_and(|live| live.payment_id.is_none() && live.hold == *hold);
        findings
            .holds(Proof::PaymentsHaveHolds, is_held, || format!("payment {payment_id} has no hold {id} as it was"));
        if let Some(live) = live {
            live.payment_id = Some(payment_id);
        }
        for seat_id in hold.seat_ids() {
            let schedule = self.schedules.get(&hold.schedule_id);
            let owner = schedule.and_then(|schedule| schedule.seats.get(&seat_id)).and_then(|(_, owner)| *owner);
            findings.holds(Proof::NoSeatSoldTwice, owner == Some(id), || {
                format!("seat {seat_id} of schedule {} was sold to reservation {id}, which lacks it", hold.schedule_id)
            });
        }
    }

    /// A hold without a payment, or a sale by `payment_id`, gives its seats back.
    fn end(&mut self, hold: &Hold, payment_id: Option<PaymentId>, findings: &mut Findings) {
        let id = hold.reservation_id;
        let live = self.live.remove(&id);
        let fits = live.as_ref().is_some_and(|live| live.payment_id == payment_id && live.hold == *hold);
        findings.holds(Proof::PaymentsHaveHolds, fits, || match payment_id {
            Some(payment_id) => format!("the refund of reservation {id} has no payment {payment_id} as it was"),
            None => format!("reservation {id} ended, and was not held as it was"),
        });
        let Some(Live { hold, .. }) = live else { return };
        if let Some(own) = self.of_user.get_mut(&(hold.schedule_id, hold.user_id)) {
            *own = own.saturating_sub(hold.seats.len());
        }
        for seat_id in hold.seat_ids() {
            let schedule = self.schedules.get_mut(&hold.schedule_id);
            if let Some((_, owner)) = schedule.and_then(|schedule| schedule.seats.get_mut(&seat_id))
                && *owner == Some(id)
            {
                *owner = None;
            }
        }
    }

    /// How many seats of each published schedule nobody has.
    pub fn available(&self) -> impl Iterator<Item = (ScheduleId, u64)> {
        let published = self.schedules.iter().filter(|(_, schedule)| schedule.is_visible);
        published.map(|(id, schedule)| {
            let free = schedule.seats.values().filter(|(_, owner)| owner.is_none() && !schedule.is_off).count();
            (*id, free as u64)
        })
    }
}

fn in_time(hold: &Hold, now: Now, done: &str, findings: &mut Findings) {
    findings.holds(Proof::PaymentsHaveHolds, now.sale < hold.expires_at, || {
        format!("reservation {} was {done} after its deadline", hold.reservation_id)
    });
}
