//! Blocks of a schedule's seats. A change of one seat makes only its block anew, not the whole list.

use std::sync::Arc;

use bytes::Bytes;
use domain::{Points, ReservationId, Seat, SeatId};
use serde::{Deserialize, Serialize, Serializer};

use crate::representation::Lazy;

/// How many ids a block spans, and so how many seats it has at most. Smaller blocks are made faster after a change;
/// larger ones are joined faster.
pub(crate) const SEATS_PER_BLOCK: u64 = 256;

/// The occupancy of a seat, as events say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Occupancy {
    Available,
    Held(ReservationId),
    Sold(ReservationId),
    /// The show was called off: the seat cannot be held.
    Cancelled,
}

impl Occupancy {
    pub(crate) fn is_available(self) -> bool {
        self == Self::Available
    }

    /// True if `reservation_id` has the seat.
    pub(crate) fn is_of(self, reservation_id: ReservationId) -> bool {
        match self {
            Self::Available | Self::Cancelled => false,
            Self::Held(owner) | Self::Sold(owner) => owner == reservation_id,
        }
    }

    /// The status as clients read it.
    pub(crate) fn status(self) -> &'static str {
        match self {
            Self::Available => "AVAILABLE",
            Self::Held(_) => "HELD",
            Self::Sold(_) => "SOLD",
            Self::Cancelled => "CANCELLED",
        }
    }
}

/// The lists that a change has changed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Changed {
    pub(crate) available: bool,
    pub(crate) all: bool,
}

/// A seat in the list of free seats.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AvailableSeat<'a> {
    seat_id: SeatId,
    seat_name: &'a str,
    price: Points,
    zone_name: &'a str,
}

/// A seat in the list of all seats.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AnySeat<'a> {
    #[serde(flatten)]
    seat: AvailableSeat<'a>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    row: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<u32>,
}

/// Seats whose ids lie in one span of [`SEATS_PER_BLOCK`], by id.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Block {
    /// The seats. Their occupancy is separate, so that a hold copies numbers and no names.
    seats: Arc<Vec<Seat>>,
    /// The occupancy of the seat with the same index.
    occupancy: Vec<Occupancy>,
    #[serde(skip)]
    available: Lazy<Bytes>,
    #[serde(skip)]
    all: Lazy<Bytes>,
}

impl Block {
    /// The block that a seat belongs to.
    pub(crate) fn number_of(seat_id: SeatId) -> u64 {
        seat_id.get() / SEATS_PER_BLOCK
    }

    pub(crate) fn seat(&self, seat_id: SeatId) -> Option<&Seat> {
        index(&self.seats, seat_id).ok().map(|index| &self.seats[index])
    }

    pub(crate) fn status(&self, seat_id: SeatId) -> Option<&'static str> {
        index(&self.seats, seat_id).ok().map(|index| self.occupancy[index].status())
    }

    /// The seats whose status differs from the older block.
    pub(crate) fn changed_since(&self, older: Option<&Self>) -> Vec<(SeatId, &'static str)> {
        let was = |seat: &Seat| older.and_then(|older| older.status(seat.seat_id));
        let changed = self.occupied().filter(|(seat, now)| was(seat) != Some(now.status()));
        changed.map(|(seat, now)| (seat.seat_id, now.status())).collect()
    }

    /// Adds seats, and returns how many of them are new. A seat that exists already gets its new description, and keeps
    /// its occupancy.
    pub(crate) fn add(&mut self, added: &[Seat]) -> u64 {
        let seats = Arc::make_mut(&mut self.seats);
        let before = seats.len();
        seats.reserve_exact(added.len());
        self.occupancy.reserve_exact(added.len());
        for seat in added {
            match index(seats, seat.seat_id) {
                Ok(index) => seats[index] = seat.clone(),
                Err(index) => {
                    seats.insert(index, seat.clone());
                    self.occupancy.insert(index, Occupancy::Available);
                }
            }
        }
        self.available = Lazy::default();
        self.all = Lazy::default();
        (seats.len() - before) as u64
    }

    /// Changes a seat's occupancy with `next`, and returns the old and the new one. Bytes that do not change are kept.
    pub(crate) fn occupy(
        &mut self,
        seat_id: SeatId,
        next: impl Fn(Occupancy) -> Occupancy,
    ) -> Option<(Occupancy, Occupancy)> {
        let index = index(&self.seats, seat_id).ok()?;
        let before = self.occupancy[index];
        let after = next(before);
        self.occupancy[index] = after;
        if before.status() != after.status() {
            self.all = Lazy::default();
        }
        if before.is_available() != after.is_available() {
            self.available = Lazy::default();
        }
        Some((before, after))
    }

    /// Takes every free seat off sale.
    pub(crate) fn call_off(&mut self) -> Changed {
        let is_changed = self.occupancy.iter().any(|occupancy| occupancy.is_available());
        for occupancy in self.occupancy.iter_mut().filter(|occupancy| occupancy.is_available()) {
            *occupancy = Occupancy::Cancelled;
        }
        self.changed(Changed { available: is_changed, all: is_changed })
    }

    /// Changes the price of a zone's seats.
    pub(crate) fn reprice(&mut self, zone: &str, price: Points) -> Changed {
        let is_changed = |seat: &Seat| *seat.zone == *zone && seat.price != price;
        let available = self.occupied().any(|(seat, by)| is_changed(seat) && by.is_available());
        let all = self.seats.iter().any(is_changed);
        if all {
            let seats = Arc::make_mut(&mut self.seats);
            seats.iter_mut().filter(|seat| is_changed(seat)).for_each(|seat| seat.price = price);
        }
        self.changed(Changed { available, all })
    }

    /// Drops the bytes of changed lists, and keeps those of unchanged ones.
    fn changed(&mut self, changed: Changed) -> Changed {
        if changed.available {
            self.available = Lazy::default();
        }
        if changed.all {
            self.all = Lazy::default();
        }
        changed
    }

    /// The free seats, as a JSON array.
    pub(crate) fn available(&self) -> Bytes {
        self.available.read(|| listed(self.occupied().filter(|(_, by)| by.is_available()).map(|(seat, _)| brief(seat))))
    }

    /// Every seat, as a JSON array.
    pub(crate) fn all(&self) -> Bytes {
        self.all.read(|| {
            listed(self.occupied().map(|(seat, by)| AnySeat {
                seat: brief(seat),
                status: by.status(),
                row: seat.row.as_deref(),
                number: seat.number,
            }))
        })
    }

    fn occupied(&self) -> impl Iterator<Item = (&Seat, Occupancy)> {
        self.seats.iter().zip(self.occupancy.iter().copied())
    }
}

fn brief(seat: &Seat) -> AvailableSeat<'_> {
    AvailableSeat { seat_id: seat.seat_id, seat_name: &seat.name, price: seat.price, zone_name: &seat.zone }
}

/// Finds the index of a seat; `Err` holds the index where it would be inserted.
fn index(seats: &[Seat], seat_id: SeatId) -> Result<usize, usize> {
    seats.binary_search_by_key(&seat_id, |seat| seat.seat_id)
}

fn listed(seats: impl Iterator<Item = impl Serialize>) -> Bytes {
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::new(&mut bytes);
    serializer.collect_seq(seats).expect("seats hold only what JSON can say");
    // Shrink them, since they are kept.
    bytes.into_boxed_slice().into()
}
