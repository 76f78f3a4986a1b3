//! The demo: concerts on sale now, and three fixed tokens for the load scripts that use them.

use std::sync::Arc;
use std::time::Duration;

use domain::limits::GRANT_AGAIN_SECONDS;
use domain::{
    Action, Catalogue, Command, Credential, Deadline, GrantToken, Position, ScheduleId, State, TokenHash, UserId,
};
use jiff::{SignedDuration, Timestamp};

use crate::catalog::{
    self, CatalogError, CatalogFile, ConcertEntry, DEFAULT_TIME_ZONE, Options, Order, ScheduleEntry, ZoneEntry,
};
use crate::engine::{Engine, Submission, Undecided};
use crate::key::fixed_tokens;
use crate::log::{EventLog, ReadError};

/// How many schedules each concert has. The first concert has the schedules 1 to 300, which published load scripts use.
const SCHEDULES: [u64; 4] = [300, 20, 20, 20];
/// The zones of each schedule, with price and number of seats: 50 seats with the ids 1 to 50.
const ZONES: [(&str, u64, u32); 4] = [("VIP", 200_000, 5), ("R", 150_000, 10), ("S", 100_000, 15), ("A", 50_000, 20)];
/// The concerts: name, artist, venue.
const CONCERTS: [(&str, &str, &str); 4] = [
    ("Reprise World Tour", "The Sequencers", "Olympic Hall, Seoul"),
    ("One Total Order", "Head and Tail", "Jamsil Arena, Seoul"),
    ("Songs of the Log", "Append Only", "Blue Square, Seoul"),
    ("Encore, Exactly Once", "The Idempotents", "Cinema Center, Busan"),
];
/// The days from the log's beginning to the first and to the last schedule: a month and a year.
const FIRST_DAY: i64 = 30;
const LAST_DAY: i64 = 365;

/// How often the demo looks whether a fixed token ends soon.
const LOOK_AT_TOKENS: Duration = Duration::from_secs(60);

/// The reason why the demo is not ready.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error("the demo's catalogue: {0}")]
    Catalog(#[from] CatalogError),
    #[error("the demo's tokens: {0}")]
    Undecided(#[from] Undecided),
    #[error("the demo: {0}")]
    Log(#[from] ReadError),
}

/// Publishes what is missing of the demo, and grants its tokens if they end within twelve hours.
///
/// # Errors
/// The log does not accept it, or holds another catalogue under the demo's ids.
pub async fn prepare(engine: &Engine, log: &Arc<dyn EventLog>, state: &State) -> Result<(), DemoError> {
    let first = log.read(Position::START, 1).await?;
    let created_at = first.first().map_or(engine.now(), |record| record.recorded_at);
    // Changes by an operator must not stop the start.
    if !is_published(&state.catalogue) {
        let plan = catalog::plan_file(catalogue(created_at), &state.catalogue, Options::default(), created_at)?;
        catalog::publish(engine, plan, Order::by(Credential::System)).await?;
    }
    for (user_id, token_hash) in fixed_tokens() {
        grant(engine, user_id, token_hash).await?;
    }
    tracing::info!("the demo is on sale: anyone may act as any user");
    Ok(())
}

/// True if every schedule of the demo is visible.
fn is_published(catalogue: &Catalogue) -> bool {
    let mut ids = 1..=SCHEDULES.iter().sum();
    let is_visible = |id: ScheduleId| catalogue.schedules().get(&id)?.visible_times().map(|_| ());
    ids.all(|id| ScheduleId::try_from(id).ok().and_then(is_visible).is_some())
}

/// Renews the fixed tokens as long as the demo runs.
pub async fn keep_tokens(engine: Engine) {
    loop {
        tokio::time::sleep(LOOK_AT_TOKENS).await;
        let (read_models, soon) = (engine.read_models(), engine.now().plus_seconds(GRANT_AGAIN_SECONDS));
        let room = &read_models.state.room;
        for (user_id, token_hash) in fixed_tokens() {
            // A token that has paid or left still identifies its user until its deadline.
            let goes_on = room.by_hash(&token_hash).is_some_and(|token| match room.deadline(token, engine.now()) {
                Deadline::Sale(deadline) => room.sale_time(soon) < deadline,
                Deadline::Clock(deadline) => soon < deadline,
            });
            if goes_on {
                continue;
            }
            if let Err(undecided) = grant(&engine, user_id, token_hash).await {
                tracing::warn!("the demo's token of user {user_id} is not granted again yet: {undecided}");
            }
        }
    }
}

async fn grant(engine: &Engine, user_id: UserId, token_hash: TokenHash) -> Result<(), Undecided> {
    let action = Action::GrantToken(GrantToken { user_id, token_hash });
    let command = Command { by: Credential::System, idempotency: None, action };
    engine.submit(Submission::new(command, None)).await.map(drop)
}

/// Makes the catalogue. One log always gets the same file, so that the next start completes an import that was killed.
fn catalogue(created_at: domain::Timestamp) -> CatalogFile {
    let created_at = Timestamp::from_millisecond(created_at.millis()).expect("the log began in this era");
    let mut next_schedule = 1;
    let concerts = (1..).zip(CONCERTS).zip(SCHEDULES).map(|((concert_id, (name, artist, venue)), count)| {
        let schedules = (0..count).map(|index| {
            let schedule_id = next_schedule;
            next_schedule += 1;
            schedule(schedule_id, starts_at(created_at, index, count), created_at)
        });
        ConcertEntry {
            line: None,
            concert_id: Some(concert_id),
            concert_name: name.to_owned(),
            artist: artist.to_owned(),
            venue: venue.to_owned(),
            schedules: Some(schedules.collect()),
        }
    });
    CatalogFile { concerts: concerts.collect() }
}

/// The start of a schedule: they are spread over the year, at 19:00 in Seoul.
fn starts_at(created_at: Timestamp, index: u64, count: u64) -> Timestamp {
    let (index, count) = (i64::try_from(index).unwrap_or(0), i64::try_from(count).unwrap_or(1));
    let days = FIRST_DAY + index * (LAST_DAY - FIRST_DAY) / (count - 1).max(1);
    let day_millis = SignedDuration::from_hours(24).as_millis() as i64;
    let seven_in_seoul = SignedDuration::from_hours(10).as_millis() as i64;
    let midnight = created_at.as_millisecond().div_euclid(day_millis) * day_millis;
    Timestamp::from_millisecond(midnight + days * day_millis + seven_in_seoul).expect("a year from now is in this era")
}

fn schedule(schedule_id: u64, starts_at: Timestamp, created_at: Timestamp) -> ScheduleEntry {
    let zones = ZONES.iter().map(|(zone, price, seats)| ZoneEntry {
        zone_name: (*zone).to_owned(),
        price: *price,
        seats: *seats,
    });
    ScheduleEntry {
        schedule_id: Some(schedule_id),
        starts_at: starts_at.to_string(),
        time_zone: Some(DEFAULT_TIME_ZONE.to_owned()),
        sale_opens_at: Some(created_at.to_string()),
        sale_closes_at: Some(starts_at.to_string()),
        zones: Some(zones.collect()),
        ..ScheduleEntry::default()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use domain::spec::T0;
    use domain::{CreateLog, Hash};
    use uuid::Uuid;

    use super::*;
    use crate::engine::replay;
    use crate::log::memory::MemoryLog;

    /// Longer than a token that is granted once.
    const HOURS: i64 = 50;

    #[tokio::test(start_paused = true)]
    async fn the_fixed_tokens_work_as_long_as_the_demo_runs() {
        let log: Arc<dyn EventLog> = Arc::new(MemoryLog::new());
        let time = Arc::new(AtomicI64::new(T0.millis()));
        let clock = Arc::clone(&time);
        let now = Arc::new(move || domain::Timestamp::from_millis(clock.load(Ordering::Relaxed)));
        let replayed = replay(&log, |_| {}).await.unwrap();
        let (engine, sequencer) = Engine::new(Arc::clone(&log), replayed, now, Uuid::nil());
        tokio::spawn(sequencer.run());
        let create = CreateLog { log_id: Uuid::nil(), key_check: Hash::new([0; 32]), capacity: 0 };
        let create = Command { by: Credential::System, idempotency: None, action: Action::CreateLog(create) };
        engine.submit(Submission::new(create, None)).await.unwrap().outcome.unwrap();
        for (user_id, token_hash) in fixed_tokens() {
            grant(&engine, user_id, token_hash).await.unwrap();
        }
        tokio::spawn(keep_tokens(engine.clone()));
        for hour in 1..=HOURS {
            time.store(T0.plus_seconds(hour * 3_600).millis(), Ordering::Relaxed);
            tokio::time::sleep(LOOK_AT_TOKENS + Duration::from_secs(1)).await;
            let (read_models, now) = (engine.read_models(), engine.now());
            let room = &read_models.state.room;
            for (user_id, token_hash) in fixed_tokens() {
                let token =
                    room.identify(&token_hash, now).unwrap_or_else(|why| panic!("{user_id}, hour {hour}: {why:?}"));
                assert!(room.is_active(token, now), "{user_id}, hour {hour}");
            }
        }
    }
}
