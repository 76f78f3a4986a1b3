//! A sale to measure with: people with tokens, and seats, put into an empty log by the program's own commands.

use std::path::Path;

use domain::limits::MIN_OPENING_NOTICE_SECONDS;
use domain::{
    Action, AddSeats, ChargePoints, Command, ConcertId, CreateLog, Credential, Hash, Head, IssueToken, Nonce, Points,
    PublishConcert, PublishSchedule, ScheduleId, ScheduleOpening, ScheduleTimes, Seat, SeatId, Seed, Timestamp,
    TokenHash, UserId, draw,
};
use projections::ReadModels;
use reprise::data_folder::system_clock;
use reprise::engine::{Batch, Submission};
use reprise::key::{KEY_FILE, ServerKey, token_hash};
use reprise::log::{EventLog, LogAddress, open};
use uuid::Uuid;

use crate::BenchError;

/// The price of every seat: with it, wallets last for any number of payments.
pub const PRICE: u64 = 1;
/// Records that are appended at once.
const BATCH_RECORDS: usize = 1_000;
/// Seats in one event.
const SEATS_PER_EVENT: u64 = 1_000;
/// Rows of a zone.
const ROWS_PER_ZONE: u64 = 50;
/// Schedules of a concert.
const SCHEDULES_PER_CONCERT: u64 = 30;
/// The schedules' start after the log's beginning, in seconds: a month.
const STARTS_SECONDS: i64 = 30 * 24 * 60 * 60;
/// More than ever come: nobody waits.
pub const CAPACITY: u64 = 10_000_000;

/// What is put into the log.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// People, 1 to this, each with an ACTIVE token.
    pub people: u64,
    /// Schedules, 1 to this.
    pub schedules: u64,
    /// Seats of each schedule, 1 to this.
    pub seats: u64,
    /// What everyone's wallet holds.
    pub points: u64,
    /// Seats of a row, in zones of [`ROWS_PER_ZONE`] rows; 0 where seats have no rows.
    pub row_seats: u64,
    /// Slots of the room.
    pub capacity: u64,
    /// Where an opening is announced: its time, from now. All people are its entrants.
    pub opens_in_seconds: Option<i64>,
}

impl Default for Plan {
    /// An empty log, in whose room nobody waits.
    fn default() -> Self {
        Self { people: 0, schedules: 0, seats: 0, points: 0, row_seats: 0, capacity: CAPACITY, opens_in_seconds: None }
    }
}

/// Someone with a token.
#[derive(Debug, Clone, Copy)]
pub struct Guest {
    /// Whose it is.
    pub user_id: UserId,
    /// What they show.
    pub token: Uuid,
    /// What the log knows it by.
    pub token_hash: TokenHash,
}

impl Guest {
    /// Makes the guest with this token.
    pub fn holding(user_id: UserId, token: Uuid) -> Self {
        Self { user_id, token, token_hash: token_hash(&token) }
    }
}

/// Someone, whose token `key` derives from a seed of the generator's.
pub fn guest(number: u64, key: &ServerKey, seed: Seed) -> Guest {
    Guest::holding(user_id(number), key.token(&seed))
}

/// Writes the sale into the empty `log`, whose key is put into `folder`, and tells who is there.
pub async fn prepare(log: &dyn EventLog, folder: &Path, plan: Plan) -> Result<Vec<Guest>, BenchError> {
    let mut rng = fastrand::Rng::with_seed(1);
    let key = ServerKey::known(bytes(&mut rng), &folder.join(KEY_FILE))?;
    // What is announced is announced a minute before.
    let now = system_clock()().plus_seconds(plan.opens_in_seconds.map_or(0, |_| -MIN_OPENING_NOTICE_SECONDS));
    let mut writer = Writer::new(log, now);
    let log_id = Uuid::from_bytes(bytes(&mut rng));
    let create = CreateLog { log_id, key_check: key.check(), capacity: plan.capacity };
    writer.ask(Credential::System, Action::CreateLog(create)).await?;
    if let Some(seconds) = plan.opens_in_seconds {
        let opens_at = system_clock()().plus_seconds(seconds);
        let nonce = Nonce::new(bytes(&mut rng));
        let commitment = draw::commitment(&key.draw_seed(&log_id, &nonce));
        writer.ask(Credential::OPERATOR, Action::ScheduleOpening(opening(now, opens_at, nonce, commitment))).await?;
    }
    let mut guests = Vec::new();
    for number in 1..=plan.people {
        let seed = Seed::new(bytes(&mut rng));
        let guest = guest(number, &key, seed);
        let issue = IssueToken { user_id: Some(guest.user_id), seed, token_hash: guest.token_hash };
        writer.ask(Credential::User(guest.user_id), Action::IssueToken(issue)).await?;
        if plan.points > 0 {
            let charge = ChargePoints { user_id: guest.user_id, amount: Points::new(plan.points) };
            writer.ask(Credential::User(guest.user_id), Action::ChargePoints(charge)).await?;
        }
        guests.push(guest);
    }
    for number in 1..=plan.schedules {
        for action in on_sale(number, plan.seats, plan.row_seats, now) {
            writer.ask(Credential::OPERATOR, action).await?;
        }
    }
    writer.append().await?;
    Ok(guests)
}

/// A pre-queue that begins when it is announced.
pub fn opening(now: Timestamp, opens_at: Timestamp, nonce: Nonce, commitment: Hash) -> ScheduleOpening {
    let reason = "to measure".to_owned();
    ScheduleOpening { prequeue_from: now, opens_at, beacon: None, nonce, commitment, reason }
}

/// The same, into the log that a server will find in `folder`.
pub async fn prepare_folder(folder: &Path, plan: Plan) -> Result<Vec<Guest>, BenchError> {
    let log = open(&LogAddress::Sqlite, folder).await?;
    let guests = prepare(log.as_ref(), folder, plan).await?;
    log.close().await;
    Ok(guests)
}

/// What puts one schedule on sale, with its concert where it is the first of it.
pub fn on_sale(number: u64, seats: u64, row_seats: u64, now: Timestamp) -> Vec<Action> {
    let (concert_id, schedule_id) = (concert_of(number), schedule_id(number));
    let mut actions = Vec::new();
    if (number - 1).is_multiple_of(SCHEDULES_PER_CONCERT) {
        let (name, artist, venue) = ("Measured".to_owned(), "Nobody".to_owned(), "Nowhere".to_owned());
        actions.push(Action::PublishConcert(PublishConcert { concert_id, name, artist, venue }));
    }
    for first in (1..=seats).step_by(SEATS_PER_EVENT as usize) {
        let seats = (first..=seats.min(first + SEATS_PER_EVENT - 1)).map(|number| seat(number, row_seats)).collect();
        actions.push(Action::AddSeats(AddSeats { concert_id, schedule_id, seats }));
    }
    let times = ScheduleTimes {
        starts_at: now.plus_seconds(STARTS_SECONDS),
        time_zone: "Asia/Seoul".to_owned(),
        sale_opens_at: now,
        sale_closes_at: now.plus_seconds(STARTS_SECONDS),
    };
    let (local_date, local_time) = ("2028-01-01".to_owned(), "09:00".to_owned());
    actions.push(Action::PublishSchedule(PublishSchedule {
        concert_id,
        schedule_id,
        times,
        local_date,
        local_time,
        seats_per_user: 4,
        import_id: None,
    }));
    actions
}

/// Decides commands one after another and appends what they lead to, a thousand records at a time.
struct Writer<'a> {
    log: &'a dyn EventLog,
    head: Head,
    batch: Batch,
    now: Timestamp,
}

impl<'a> Writer<'a> {
    fn new(log: &'a dyn EventLog, now: Timestamp) -> Self {
        Self { log, head: Head::EMPTY, batch: Batch::new(&ReadModels::default(), Uuid::nil(), now), now }
    }

    async fn ask(&mut self, by: Credential, action: Action) -> Result<(), BenchError> {
        let submission = Submission::new(Command { by, idempotency: None, action }, None);
        if self.batch.records.len() >= BATCH_RECORDS {
            self.append().await?;
        }
        if let Some(decided) = self.batch.make(&submission) {
            return decided.map(drop).map_err(BenchError::Refused);
        }
        self.append().await?;
        let decided = self.batch.make(&submission).expect("an empty batch has room for any command");
        decided.map(drop).map_err(BenchError::Refused)
    }

    async fn append(&mut self) -> Result<(), BenchError> {
        self.log.append(&self.head, &self.batch.records).await?;
        self.head = self.batch.models.state.head;
        self.batch = Batch::new(&self.batch.models, Uuid::nil(), self.now);
        Ok(())
    }
}

/// The concert that a schedule belongs to.
pub fn concert_of(schedule: u64) -> ConcertId {
    id((schedule - 1) / SCHEDULES_PER_CONCERT + 1)
}

/// The schedule of a number.
pub fn schedule_id(number: u64) -> ScheduleId {
    id(number)
}

/// The user of a number.
pub fn user_id(number: u64) -> UserId {
    id(number)
}

/// The seat of a number.
pub fn seat_id(number: u64) -> SeatId {
    id(number)
}

fn id<Id: TryFrom<u64, Error = domain::NotAnId>>(number: u64) -> Id {
    Id::try_from(number).expect("numbers here begin with 1 and are small")
}

/// Seats are named as the demo's are, so that lists are as long.
fn seat(number: u64, row_seats: u64) -> Seat {
    let (seat_id, name, price) = (seat_id(number), format!("VIP-{number}").into(), Points::new(PRICE));
    let Some(row) = (number - 1).checked_div(row_seats) else {
        return Seat { seat_id, name, zone: "VIP".into(), price, row: None, number: None, x: None, y: None };
    };
    let in_row = u32::try_from((number - 1) % row_seats + 1).expect("a row is short");
    let zone = format!("Zone {}", row / ROWS_PER_ZONE + 1).into();
    let row = Some(format!("{}", row % ROWS_PER_ZONE + 1).into());
    Seat { seat_id, name, zone, price, row, number: Some(in_row), x: None, y: None }
}

/// Random bytes.
pub fn bytes<const N: usize>(rng: &mut fastrand::Rng) -> [u8; N] {
    std::array::from_fn(|_| rng.u8(..))
}
