//! Every seat and its reservation, as a table for reports. Clients get their lists from the read models in memory.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    CatalogueEvent, Event, Hold, HoldCancelled, HoldExpired, RecordedEvent, ReservationPaid, ReservationRefunded,
    SaleEvent, Seat, SeatsAdded, SeatsHeld,
};

use super::{Change, Fold, Kind, OutOfRange, SqlModel, Value, column};

/// One row for each seat. `off_sale` is 1 after the show was called off: such a seat is not free although nobody has
/// it.
pub static MODEL: SqlModel = SqlModel {
    name: "seat_list",
    version: 2,
    columns: "schedule_id BIGINT NOT NULL, seat_id BIGINT NOT NULL, concert_id BIGINT NOT NULL, name TEXT NOT NULL, \
              zone TEXT NOT NULL, price BIGINT NOT NULL, seat_row TEXT, seat_number BIGINT, \
              status TEXT NOT NULL CHECK (status IN ('AVAILABLE', 'HELD', 'SOLD')), reservation_id BIGINT, \
              off_sale BIGINT NOT NULL CHECK (off_sale IN (0, 1)), \
              PRIMARY KEY (schedule_id, seat_id)",
    key: "schedule_id, seat_id",
    fold: || Box::<SeatList>::default(),
};

/// The columns of new seats: schedule, seat, concert, name, zone, price, row, number, status, off sale.
const SEATS: [Kind; 10] = {
    use Kind::{Integer, Text};
    [Integer, Integer, Integer, Text, Text, Integer, Text, Integer, Text, Integer]
};
/// The columns of changes: schedule, seat, status, the new reservation, and the old one.
const MOVES: [Kind; 5] = {
    use Kind::{Integer, Text};
    [Integer, Integer, Text, Integer, Integer]
};

/// The columns of new prices: schedule, zone, price.
const PRICES: [Kind; 3] = [Kind::Integer, Kind::Text, Kind::Integer];

type Key = (i64, i64);

/// The changes of a seat by a chunk of events.
#[derive(Default)]
struct Moved {
    /// The status and the reservation at the end of the chunk, if they are known.
    last: Option<(&'static str, Option<i64>)>,
    /// Reservations that lose the seat in the chunk, if they had it before.
    released: BTreeSet<i64>,
}

#[derive(Default)]
struct SeatList {
    added: BTreeMap<Key, [Value; 8]>,
    moved: BTreeMap<Key, Moved>,
    prices: BTreeMap<(i64, String), i64>,
    called_off: BTreeSet<i64>,
}

impl SeatList {
    fn add(&mut self, schedule_id: i64, concert_id: i64, seat: &Seat) -> Result<(), OutOfRange> {
        let seat_id = column(seat.seat_id)?;
        let row = [
            schedule_id.into(),
            seat_id.into(),
            concert_id.into(),
            seat.name.clone().into(),
            seat.zone.clone().into(),
            column(seat.price.get())?.into(),
            seat.row.clone().into(),
            seat.number.map(i64::from).into(),
        ];
        self.added.insert((schedule_id, seat_id), row);
        Ok(())
    }

    fn moved(&mut self, hold: &Hold, mut apply: impl FnMut(&mut Moved, i64)) -> Result<(), OutOfRange> {
        let (schedule_id, reservation_id) = (column(hold.schedule_id)?, column(hold.reservation_id)?);
        for seat_id in hold.seat_ids() {
            apply(self.moved.entry((schedule_id, column(seat_id)?)).or_default(), reservation_id);
        }
        Ok(())
    }

    fn take(&mut self, hold: &Hold, status: &'static str) -> Result<(), OutOfRange> {
        self.moved(hold, |moved, reservation_id| {
            *moved = Moved { last: Some((status, Some(reservation_id))), released: BTreeSet::new() };
        })
    }

    /// Frees the seats of a hold. If it expired late, another reservation may have them already.
    fn release(&mut self, hold: &Hold) -> Result<(), OutOfRange> {
        self.moved(hold, |moved, reservation_id| match moved.last {
            Some((_, owner)) if owner == Some(reservation_id) => moved.last = Some(("AVAILABLE", None)),
            Some(_) => {}
            None => {
                moved.released.insert(reservation_id);
            }
        })
    }
}

impl Fold for SeatList {
    fn apply(&mut self, recorded: &RecordedEvent) -> Result<(), OutOfRange> {
        match &recorded.event {
            Event::Catalogue(CatalogueEvent::SeatsAdded(SeatsAdded { concert_id, schedule_id, seats })) => {
                let (concert_id, schedule_id) = (column(*concert_id)?, column(*schedule_id)?);
                seats.iter().try_for_each(|seat| self.add(schedule_id, concert_id, seat))
            }
            Event::Catalogue(CatalogueEvent::PriceChanged(changed)) => {
                let zone = (column(changed.schedule_id)?, changed.zone.clone());
                self.prices.insert(zone, column(changed.price.get())?);
                Ok(())
            }
            Event::Catalogue(CatalogueEvent::ScheduleCancelled(cancelled)) => {
                self.called_off.insert(column(cancelled.schedule_id)?);
                Ok(())
            }
            Event::Sale(SaleEvent::SeatsHeld(SeatsHeld { hold })) => self.take(hold, "HELD"),
            Event::Sale(SaleEvent::ReservationPaid(ReservationPaid { hold, .. })) => self.take(hold, "SOLD"),
            Event::Sale(SaleEvent::HoldExpired(HoldExpired { hold, .. }))
            | Event::Sale(SaleEvent::HoldCancelled(HoldCancelled { hold, .. }))
            | Event::Sale(SaleEvent::ReservationRefunded(ReservationRefunded { hold, .. })) => self.release(hold),
            Event::Log(_)
            | Event::Room(_)
            | Event::Opening(_)
            | Event::Users(_)
            | Event::Points(_)
            | Event::Sale(SaleEvent::HoldExtended(_))
            | Event::Catalogue(
                CatalogueEvent::ConcertPublished(_)
                | CatalogueEvent::SchedulePublished(_)
                | CatalogueEvent::CatalogImported(_)
                | CatalogueEvent::SaleWindowChanged(_)
                | CatalogueEvent::ScheduleMoved(_),
            ) => Ok(()),
        }
    }

    /// The changes. New seats come first, since a chunk may add a seat and change it.
    fn changes(self: Box<Self>) -> Vec<Change> {
        let mut values = Vec::new();
        for ((schedule_id, seat_id), moved) in self.moved {
            let row = |status: &'static str, owner: Option<i64>, only_from: Option<i64>| -> [Value; 5] {
                [schedule_id.into(), seat_id.into(), status.into(), owner.into(), only_from.into()]
            };
            match moved.last {
                Some((status, owner)) => values.extend(row(status, owner, None)),
                None => moved.released.iter().for_each(|owner| values.extend(row("AVAILABLE", None, Some(*owner)))),
            }
        }
        let free = |row: [Value; 8]| row.into_iter().chain(["AVAILABLE".into(), 0.into()]);
        let price = |((schedule_id, zone), price): ((i64, String), i64)| -> [Value; 3] {
            [schedule_id.into(), zone.as_str().into(), price.into()]
        };
        vec![
            Change {
                before: "INSERT INTO {table} (schedule_id, seat_id, concert_id, name, zone, price, seat_row, \
                         seat_number, status, off_sale) ",
                after: " ON CONFLICT (schedule_id, seat_id) DO UPDATE SET name = excluded.name, zone = excluded.zone, \
                        price = excluded.price, seat_row = excluded.seat_row, seat_number = excluded.seat_number",
                columns: &SEATS,
                values: self.added.into_values().flat_map(free).collect(),
            },
            Change {
                before: "UPDATE {table} SET status = v.column3, reservation_id = v.column4 FROM (",
                after: ") AS v WHERE schedule_id = v.column1 AND seat_id = v.column2 \
                        AND (v.column5 IS NULL OR reservation_id = v.column5)",
                columns: &MOVES,
                values,
            },
            // A schedule is published before its prices change, and its seats are fixed from then on.
            Change {
                before: "UPDATE {table} SET price = v.column3 FROM (",
                after: ") AS v WHERE schedule_id = v.column1 AND zone = v.column2",
                columns: &PRICES,
                values: self.prices.into_iter().flat_map(price).collect(),
            },
            Change {
                before: "UPDATE {table} SET off_sale = 1 FROM (",
                after: ") AS v WHERE schedule_id = v.column1",
                columns: &[Kind::Integer],
                values: self.called_off.into_iter().map(Into::into).collect(),
            },
        ]
    }
}
