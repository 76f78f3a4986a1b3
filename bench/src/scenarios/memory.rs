//! What a million live wallets, tokens, entrants and seats take of memory: state and read models, as the server has them.

use std::process::Command;

use domain::{Action, ChargePoints, Command as Asked, CreateLog, Credential, Hash, IssueToken, Nonce, Points, Seed};
use projections::ReadModels;
use reprise::data_folder::system_clock;
use reprise::engine::{Batch, Submission};
use uuid::Uuid;

use crate::table::{Bound, Row};
use crate::{BenchError, Options, process, sale};

const NAME: &str = "memory";
/// The first argument of this program where it fills its memory.
pub const FILL: &str = "fill-memory";
const MILLION: u64 = 1_000_000;
const SEATS: u64 = 50;
const MEGABYTE: f64 = 1e6;
const MOST_MEGABYTES: f64 = 400.0;
/// Nobody's time is over before.
const OPENS_IN_SECONDS: i64 = 24 * 60 * 60;
/// What an entrant takes, against a token in line; a hundredth is the allocator's.
const ENTRANT_OF_TOKEN: f64 = 1.01;
const KINDS: [(&str, &str); 5] = [
    ("wallets", "a million wallets"),
    ("tokens", "a million tokens in the room, of a user each"),
    ("line", "a million tokens in line"),
    ("entrants", "a million entrants of a pre-queue; against tokens in line"),
    ("seats", "a million seats in schedules of 50, each list read once"),
];

/// Runs it: a process for each kind, so that what one leaves behind is not counted for the next.
pub fn run(_: &Options) -> Result<Vec<Row>, BenchError> {
    let (mut rows, mut line) = (Vec::new(), 0.0);
    for (kind, what) in KINDS {
        let told = Command::new(std::env::current_exe()?).args([FILL, kind]).output()?;
        let told = String::from_utf8_lossy(&told.stdout).into_owned();
        let bytes: f64 = told.trim().parse().map_err(|_| BenchError::NotServed(told))?;
        let row = Row::figure(NAME, what, bytes / MEGABYTE, "MB");
        rows.push(match kind {
            "entrants" => row.against_figure(line).must(Bound::RatioAtMost(ENTRANT_OF_TOKEN)),
            _ => row.must(Bound::Below(MOST_MEGABYTES)),
        });
        line = bytes / MEGABYTE;
    }
    Ok(rows)
}

/// Fills this process's memory, and prints by how many bytes it grew.
pub fn fill(kind: &str) -> Result<(), BenchError> {
    let mut filled = Filled::new(if matches!(kind, "line" | "entrants") { 0 } else { 2 * MILLION });
    let before = process::resident_bytes(std::process::id());
    match kind {
        "wallets" => (1..=MILLION).for_each(|number| filled.wallet(number)),
        "entrants" => {
            filled.announce();
            (1..=MILLION).for_each(|number| filled.token(number));
        }
        "tokens" | "line" => (1..=MILLION).for_each(|number| filled.token(number)),
        _ => {
            (1..=MILLION / SEATS).for_each(|number| filled.schedule(number));
            filled.read_lists();
        }
    }
    filled.adopt();
    println!("{}", process::resident_bytes(std::process::id()) - before);
    Ok(())
}

/// State and read models, filled by commands.
struct Filled {
    batch: Batch,
    rng: fastrand::Rng,
}

impl Filled {
    fn new(capacity: u64) -> Self {
        let batch = Batch::new(&ReadModels::default(), Uuid::nil(), system_clock()());
        let mut filled = Self { batch, rng: fastrand::Rng::with_seed(1) };
        let create = CreateLog { log_id: Uuid::nil(), key_check: Hash::new([0; 32]), capacity };
        filled.ask(Credential::System, Action::CreateLog(create));
        filled
    }

    /// Users who join from now on are entrants.
    fn announce(&mut self) {
        let now = self.batch.models.state.recorded_at;
        let opens_at = now.plus_seconds(OPENS_IN_SECONDS);
        let opening = sale::opening(now, opens_at, Nonce::new([1; 16]), Hash::new([0; 32]));
        self.ask(Credential::OPERATOR, Action::ScheduleOpening(opening));
    }

    fn wallet(&mut self, number: u64) {
        let user_id = sale::user_id(number);
        let charge = ChargePoints { user_id, amount: Points::new(number) };
        self.ask(Credential::User(user_id), Action::ChargePoints(charge));
    }

    fn token(&mut self, number: u64) {
        let user_id = sale::user_id(number);
        let (seed, hash) = (Seed::new(sale::bytes(&mut self.rng)), sale::bytes(&mut self.rng));
        let issue = IssueToken { user_id: Some(user_id), seed, token_hash: domain::TokenHash::new(hash) };
        self.ask(Credential::User(user_id), Action::IssueToken(issue));
    }

    fn schedule(&mut self, number: u64) {
        for action in sale::on_sale(number, SEATS, 0, self.batch.models.state.recorded_at) {
            self.ask(Credential::OPERATOR, action);
        }
    }

    /// The bytes of a list are kept once they were asked for.
    fn read_lists(&mut self) {
        self.adopt();
        for number in 1..=MILLION / SEATS {
            let list = self.batch.models.seats(sale::concert_of(number), sale::schedule_id(number));
            assert!(list.is_ok_and(|list| !list.available().body.is_empty()), "every schedule was put on sale");
        }
    }

    fn ask(&mut self, by: Credential, action: Action) {
        let submission = Submission::new(Asked { by, idempotency: None, action }, None);
        let decided = self.batch.make(&submission).or_else(|| {
            self.adopt();
            self.batch.make(&submission)
        });
        assert!(decided.is_some_and(|decided| decided.is_ok()), "nothing here is against a rule");
        if self.batch.records.len() >= reprise::log::MAX_BATCH_COMMANDS {
            self.adopt();
        }
    }

    /// The batch is over: the next begins.
    fn adopt(&mut self) {
        let models = std::mem::take(&mut self.batch.models);
        self.batch = Batch::new(&models, Uuid::nil(), system_clock()());
    }
}
