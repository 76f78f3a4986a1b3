//! The choice of seats by someone who looks at all of them, each time: slow, and written from the rule's words alone.

use crate::event::Seat;
use crate::house::{NoChoice, Together, Wanted};
use crate::values::SeatId;

/// Chooses the seats that [`House::choose`](crate::House::choose) must choose. `seats` come in the catalogue's order.
///
/// # Errors
/// No seats fit the request.
pub fn slow_choice(seats: &[Seat], is_free: impl Fn(SeatId) -> bool, wanted: &Wanted) -> Result<Vec<SeatId>, NoChoice> {
    let mut zones: Vec<&str> = Vec::new();
    for seat in seats {
        if !zones.contains(&seat.zone.as_ref()) {
            zones.push(&seat.zone);
        }
    }
    if let Some(zone) = wanted.zone.as_deref() {
        zones.retain(|name| *name == zone);
        if zones.is_empty() {
            return Err(NoChoice::ZoneNotFound);
        }
    }
    let house = SlowHouse { seats, is_free: &is_free, wanted, taken: Vec::new() };
    if let Some(block) = zones.iter().find_map(|zone| house.block(zone, wanted.quantity)) {
        return Ok(block);
    }
    let has_enough = |zone: &&&str| house.of_zone(zone).filter(|seat| house.may_take(seat)).count() >= wanted.quantity;
    let zone = zones.iter().find(has_enough).ok_or(NoChoice::NoSeatsLeft)?;
    if wanted.together == Together::Required {
        let is_there = |size: &usize| zones.iter().any(|zone| house.block(zone, *size).is_some());
        return Err(NoChoice::NotTogether { largest_block: (0..wanted.quantity).rev().find(is_there).unwrap_or(0) });
    }
    let mut house = house;
    while house.taken.len() < wanted.quantity {
        let missing = wanted.quantity - house.taken.len();
        let piece = (1..=missing).rev().find_map(|size| house.block(zone, size)).expect("the zone has enough");
        house.taken.extend(piece);
    }
    Ok(house.taken)
}

struct SlowHouse<'a, F> {
    seats: &'a [Seat],
    is_free: &'a F,
    wanted: &'a Wanted,
    taken: Vec<SeatId>,
}

impl<'a, F: Fn(SeatId) -> bool> SlowHouse<'a, F> {
    fn is_free(&self, seat: &Seat) -> bool {
        (self.is_free)(seat.seat_id) && !self.taken.contains(&seat.seat_id)
    }

    fn may_take(&self, seat: &Seat) -> bool {
        self.is_free(seat) && self.wanted.max_price.is_none_or(|max_price| seat.price <= max_price)
    }

    fn of_zone(&self, zone: &'a str) -> impl Iterator<Item = &'a Seat> {
        self.seats.iter().filter(move |seat| seat.zone.as_ref() == zone)
    }

    /// The seats of a zone's rows, each row by number, and the places that are in none.
    fn rows(&self, zone: &'a str) -> (Vec<Vec<&'a Seat>>, Vec<&'a Seat>) {
        let (mut rows, mut standing) = (Vec::<Vec<&Seat>>::new(), Vec::new());
        for seat in self.of_zone(zone) {
            if seat.row.is_none() || seat.number.is_none() {
                standing.push(seat);
                continue;
            }
            match rows.iter_mut().find(|row| row[0].row == seat.row) {
                Some(row) if row.iter().any(|other| other.number == seat.number) => standing.push(seat),
                Some(row) => row.push(seat),
                None => rows.push(vec![seat]),
            }
        }
        rows.iter_mut().for_each(|row| row.sort_by_key(|seat| seat.number));
        standing.sort_by_key(|seat| seat.seat_id);
        (rows, standing)
    }

    fn block(&self, zone: &'a str, size: usize) -> Option<Vec<SeatId>> {
        if size == 0 {
            return Some(Vec::new());
        }
        let (rows, standing) = self.rows(zone);
        if let Some(block) = rows.iter().find_map(|row| self.best_of_row(row, size)) {
            return Some(block.iter().map(|seat| seat.seat_id).collect());
        }
        let places: Vec<SeatId> =
            standing.iter().filter(|seat| self.may_take(seat)).map(|seat| seat.seat_id).take(size).collect();
        (places.len() == size).then_some(places)
    }

    fn best_of_row<'r>(&self, row: &'r [&'a Seat], size: usize) -> Option<&'r [&'a Seat]> {
        let number = |seat: &Seat| i64::from(seat.number.expect("a seat of a row has a number"));
        let step = row.windows(2).map(|pair| number(pair[1]) - number(pair[0])).min().unwrap_or(1);
        let are_neighbours = |a: &Seat, b: &Seat| (number(a) - number(b)).abs() == step;
        let blocks = row.windows(size).filter(|block| {
            block.iter().all(|seat| self.may_take(seat))
                && block.windows(2).all(|pair| are_neighbours(pair[0], pair[1]))
        });
        let lowest_and_highest = number(row[0]) + number(row[row.len() - 1]);
        blocks.min_by_key(|block| {
            let is_left =
                |seat: &&&Seat| self.is_free(seat) && !block.iter().any(|taken| taken.seat_id == seat.seat_id);
            let left: Vec<&&Seat> = row.iter().filter(is_left).collect();
            let is_single = |seat: &&&&Seat| !left.iter().any(|other| are_neighbours(seat, other));
            let singles = left.iter().filter(is_single).count();
            let ends = number(block[0]) + number(block[size - 1]);
            (singles, (ends - lowest_and_highest).abs(), number(block[0]))
        })
    }
}
