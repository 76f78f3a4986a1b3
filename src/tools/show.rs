//! `reprise show …`: shows the state at any moment, from events only. An overdue hold is shown as held until an event
//! says that it expired.

use std::sync::Arc;

use domain::{
    ConcertId, Event, Hold, HoldCancelled, HoldExpired, HoldExtended, Reservation, ReservationPaid,
    ReservationRefunded, ReservationStatus, SaleEvent, ScheduleId, SeatsHeld,
};
use projections::{ReadModels, rfc3339};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::ToolError;
use super::output::{Said, Table, count, raw};
use super::sales::Sales;
use super::source::{self, fold_on};
use crate::api::wire::{ReservationShown, reservation_status};
use crate::config::ShowCommand;
use crate::engine::SnapshotFolder;
use crate::log::EventLog;
use crate::past::{AsOf, Moment};
use crate::place::Place;

/// The shown value, with its moment.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    moment: &'a Moment,
    #[serde(flatten)]
    members: serde_json::Map<String, Value>,
}

/// The folded state.
struct Folded {
    read_models: ReadModels,
    sales: Sales,
    reservation: Option<Reservation>,
}

impl Folded {
    /// Folds the records after `begin`.
    async fn after(
        begin: ReadModels,
        log: &Arc<dyn EventLog>,
        command: &ShowCommand,
        as_of: Option<AsOf>,
        json: bool,
    ) -> Result<Self, ToolError> {
        let (mut sales, mut reservation) = (Sales::default(), None);
        if let ShowCommand::Reservation { id } = command {
            reservation = begin.state.reservations.get(self::id(*id)).cloned();
        }
        let read_models = fold_on(log, begin, as_of, json, |recorded| match command {
            ShowCommand::Sales => sales.apply(&recorded.event),
            ShowCommand::Reservation { id } => follow(&mut reservation, *id, &recorded.event),
            ShowCommand::Seats { .. } | ShowCommand::Wallet { .. } | ShowCommand::Room => {}
        })
        .await?;
        Ok(Self { read_models, sales, reservation })
    }

    /// Folds up to the current end of the log. It begins with the newest snapshot if that is enough: a snapshot has no
    /// sales, and no reservations that are forgotten.
    async fn now(place: &Place, log: &Arc<dyn EventLog>, command: &ShowCommand, json: bool) -> Result<Self, ToolError> {
        if !matches!(command, ShowCommand::Sales) {
            let folded = Self::after(snapshot(place, log.as_ref()).await, log, command, None, json).await?;
            if !matches!(command, ShowCommand::Reservation { .. }) || folded.reservation.is_some() {
                return Ok(folded);
            }
        }
        Self::after(ReadModels::default(), log, command, None, json).await
    }
}

/// Reads the newest snapshot beside the log. Empty if there is none, or the log contradicts it: then the whole log is
/// folded.
async fn snapshot(place: &Place, log: &dyn EventLog) -> ReadModels {
    let restored = SnapshotFolder::beside(&place.data).restore(log).await;
    restored.ok().flatten().unwrap_or_default()
}

/// Shows the requested part of the state, as of a moment.
pub async fn run(place: &Place, command: &ShowCommand, as_of: Option<AsOf>, json: bool) -> Result<Said, ToolError> {
    let log = source::open(place).await?;
    let Folded { read_models, sales, reservation: found } = match as_of {
        None => Folded::now(place, &log, command, json).await?,
        Some(_) => Folded::after(ReadModels::default(), &log, command, as_of, json).await?,
    };
    let moment = Moment::of(&read_models);
    match command {
        ShowCommand::Seats { concert, schedule } => seats(&read_models, &moment, *concert, *schedule),
        ShowCommand::Wallet { user } => {
            let balance = read_models.state.wallets.balance(id(*user)).get();
            let members = [("userId", Value::from(*user)), ("balance", Value::from(balance))];
            Ok(shown(&moment, members, format!("user {user} has {} points {moment}", count(balance))))
        }
        ShowCommand::Reservation { id } => reservation(&read_models, &moment, *id, found.as_ref()),
        ShowCommand::Room => room(&read_models, &moment),
        ShowCommand::Sales => {
            let members = [("sales", value(&sales.lines())), ("takings", Value::from(sales.takings()))];
            Ok(shown(&moment, members, format!("{moment}\n\n{}", sales.text())))
        }
    }
}

fn shown<const N: usize>(moment: &Moment, members: [(&str, Value); N], text: String) -> Said {
    let members = members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Said::new(&Shown { moment, members }, text)
}

fn value(shown: &impl Serialize) -> Value {
    serde_json::to_value(shown).expect("tools say only what JSON can say")
}

/// Converts an id, which the command line has checked.
fn id<Id: TryFrom<u64>>(number: u64) -> Id {
    Id::try_from(number).unwrap_or_else(|_| unreachable!("the command line takes ids only"))
}

/// Prints exactly the bytes that `GET …/seats?status=all` answers.
fn seats(read_models: &ReadModels, moment: &Moment, concert: u64, schedule: u64) -> Result<Said, ToolError> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Seats<'a> {
        #[serde(flatten)]
        moment: &'a Moment,
        concert_id: u64,
        schedule_id: u64,
        seats: Box<RawValue>,
    }
    let list = read_models.seats(id::<ConcertId>(concert), id::<ScheduleId>(schedule));
    let list = list.map_err(|_| {
        ToolError::NotFound(format!("schedule {schedule} of concert {concert} was not published {moment}"))
    })?;
    let body = String::from_utf8_lossy(&list.all().body).into_owned();
    let mut table = Table::new(["seat", "name", "zone", "price", "status"], &[0, 3]);
    let listed: Vec<Value> = serde_json::from_str(&body).unwrap_or_default();
    let mut taken = [0_u64; 2];
    for seat in &listed {
        let text = |name: &str| seat[name].as_str().unwrap_or_default().to_owned();
        taken[0] += u64::from(seat["status"] == "HELD");
        taken[1] += u64::from(seat["status"] == "SOLD");
        let price = count(seat["price"].as_u64().unwrap_or_default());
        table.row([seat["seatId"].to_string(), text("seatName"), text("zoneName"), price, text("status")]);
    }
    let [held, sold] = taken;
    let text =
        format!("{moment}\n\n{table}\n{} seats, {} held, {} sold", count(listed.len()), count(held), count(sold));
    let seats = RawValue::from_string(body).expect("a seat list is JSON");
    Ok(Said::new(&Seats { moment, concert_id: concert, schedule_id: schedule, seats }, text))
}

fn room(read_models: &ReadModels, moment: &Moment) -> Result<Said, ToolError> {
    let queue = String::from_utf8_lossy(&read_models.room().queue(read_models.state.recorded_at).body).into_owned();
    let room = &read_models.state.room;
    let pace = room.admissions_per_second();
    let now = read_models.state.recorded_at;
    let mut text = format!(
        "{moment}\n\nstate          {}\ncapacity       {}\npace           {}\narrival        {}\nactive         {}\nwaiting        {}\nserving number {}",
        read_models.room().state(now),
        count(room.capacity()),
        pace.map_or("no limit".to_owned(), |pace| format!("{} a second", count(pace))),
        room.arrival_seconds().map_or("no limit".to_owned(), |seconds| format!("within {seconds} s")),
        count(room.active()),
        count(room.waiting()),
        count(room.serving_number()),
    );
    if let Some(pause) = read_models.room().pause(now) {
        let until = pause.resumes_at.map_or(String::new(), |at| format!(" until {}", rfc3339(at)));
        text += &format!("\npaused         since {}{until}: {}", rfc3339(pause.since), pause.reason);
    }
    if let Some(opening) = room.openings().announced() {
        let (from, at) = (rfc3339(opening.prequeue_from), rfc3339(opening.opens_at));
        let beacon = opening.beacon.as_ref();
        let beacon =
            beacon.map_or(String::new(), |beacon| format!(", drawn with {} of {}", beacon.source, rfc3339(beacon.at)));
        text += &format!(
            "\nopening        pre-queue from {from}, opens at {at}{beacon}; announced at position {}",
            opening.position
        );
    }
    if let Some(draw) = room.openings().last_draw() {
        let (entrants, first) = (count(draw.closed.entrants), draw.closed.first);
        text +=
            &format!("\ndraw           {entrants} entrants, places from {first}; drawn at position {}", draw.position);
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Room<'a> {
        #[serde(flatten)]
        moment: &'a Moment,
        room: Box<RawValue>,
        admissions_per_second: Option<u32>,
    }
    let room = RawValue::from_string(queue).expect("the queue is JSON");
    Ok(Said::new(&Room { moment, room, admissions_per_second: pace }, text))
}

/// Follows a reservation through its events: read models forget a closed one after a day, the log does not.
fn follow(found: &mut Option<Reservation>, number: u64, event: &Event) {
    let mut become_ = |hold: &Hold, status| {
        if hold.reservation_id.get() == number {
            *found = Some(Reservation { status, ..Reservation::held(hold.clone()) });
        }
    };
    match event {
        Event::Sale(SaleEvent::SeatsHeld(SeatsHeld { hold })) => become_(hold, ReservationStatus::Held),
        Event::Sale(SaleEvent::HoldExtended(HoldExtended { hold, .. })) => become_(hold, ReservationStatus::Held),
        Event::Sale(SaleEvent::HoldExpired(HoldExpired { hold, .. })) => become_(hold, ReservationStatus::Expired),
        Event::Sale(SaleEvent::HoldCancelled(HoldCancelled { hold, .. })) => {
            become_(hold, ReservationStatus::Cancelled)
        }
        Event::Sale(SaleEvent::ReservationPaid(ReservationPaid { hold, .. })) => become_(hold, ReservationStatus::Paid),
        Event::Sale(SaleEvent::ReservationRefunded(ReservationRefunded { hold, .. })) => {
            become_(hold, ReservationStatus::Refunded)
        }
        Event::Log(_)
        | Event::Room(_)
        | Event::Opening(_)
        | Event::Users(_)
        | Event::Points(_)
        | Event::Catalogue(_) => {}
    }
}

fn reservation(
    read_models: &ReadModels,
    moment: &Moment,
    number: u64,
    found: Option<&Reservation>,
) -> Result<Said, ToolError> {
    let none = || ToolError::NotFound(format!("the log has no reservation {number}, {moment}"));
    let found = found.ok_or_else(none)?;
    let wire =
        ReservationShown::of(found, found.status, read_models, read_models.state.recorded_at).ok_or_else(none)?;
    let hold = &found.hold;
    let seats: Vec<String> = hold.seat_ids().map(|seat_id| seat_id.to_string()).collect();
    let text = format!(
        "{moment}\n\nreservation {}\nstatus      {}\nuser        {}\nconcert     {}\nschedule    {}\nseats       {}\n\
         price       {}\nheld at     {}\nuntil       {}",
        hold.reservation_id,
        reservation_status(found.status),
        hold.user_id,
        hold.concert_id,
        hold.schedule_id,
        seats.join(", "),
        count(hold.total_price.get()),
        rfc3339(hold.held_at),
        rfc3339(read_models.state.room.sale_clock().clock_of(hold.expires_at, read_models.state.recorded_at)),
    );
    #[derive(Serialize)]
    struct OneOf<'a> {
        #[serde(flatten)]
        moment: &'a Moment,
        reservation: Box<RawValue>,
    }
    Ok(Said::new(&OneOf { moment, reservation: raw(&wire) }, text))
}
