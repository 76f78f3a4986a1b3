//! Verifies live tables: each is compared row by row with a table that is folded afresh from the log.

use domain::Position;
use projections::sql::store::{self, Checkpoint, Slot};
use projections::sql::{Connection, Difference, Location, SqlModel, compare};
use serde::Serialize;
use sqlx::migrate::MigrateError;
use tokio::sync::Mutex;

use super::database::Writer;
use super::fit::{Fit, fit};
use super::step::{Stepped, decode, step};
use super::{CHUNK_RECORDS, read_on};
use crate::log::{EventLog, ReadError};

/// The result for one read model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verified {
    /// The name of the read model.
    pub projection: &'static str,
    /// The position that the table has reached.
    pub position: u64,
    /// The number of equal rows.
    pub rows: u64,
    /// The fault: the first row that differs, or the reason why the table cannot be compared with this log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// True if there is no table: nothing was compared.
    #[serde(rename = "missing", skip_serializing_if = "std::ops::Not::not")]
    pub is_missing: bool,
}

impl Verified {
    /// Makes the result of a missing table. That is a fault only if the table was built before.
    fn missing(model: &SqlModel, was_built: bool) -> Self {
        let fault = was_built.then(|| "its table is missing; `reprise projections rebuild` makes it again".to_owned());
        Self { projection: model.name, position: 0, rows: 0, fault, is_missing: true }
    }
}

/// The reason why nothing can be verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error("the database of the read models: {0}")]
    Database(#[from] sqlx::Error),
    #[error("the database of the read models cannot be opened: {0}")]
    Open(#[from] MigrateError),
    #[error(transparent)]
    Log(#[from] ReadError),
    #[error("position {position}: {reason}")]
    Undecodable { position: Position, reason: String },
}

/// Compares the read models at `location` with a fresh fold of `log` in a temporary SQLite database, each at its own
/// checkpoint. `progress` is called with each position folded. It only reads, and works beside a running server.
///
/// # Errors
/// The log or the database cannot be read. A difference is a result, not an error.
pub async fn verify(
    location: &Location,
    log: &dyn EventLog,
    models: &[&'static SqlModel],
    mut progress: impl FnMut(&'static str, Position),
) -> Result<Vec<Verified>, VerifyError> {
    let mut found = Vec::new();
    let log_id = log.id().await?.unwrap_or_default();
    let Some(mut bystander) = location.look(log_id).await? else {
        return Ok(models.iter().map(|model| Verified::missing(model, false)).collect());
    };
    for &model in models {
        // One snapshot, so that the rows do not change while the log is folded up to their checkpoint.
        let mut live = bystander.begin_reading().await?;
        let checkpoint = store::hold(&mut live, model).await?;
        let verified =
            |position: u64, rows, fault| Verified { projection: model.name, position, rows, fault, is_missing: false };
        if checkpoint.is_none() {
            drop(live);
            let was_built = store::was_built(&mut bystander.begin_reading().await?, model).await?;
            found.push(Verified::missing(model, was_built));
            continue;
        }
        let fitting = fit(model, checkpoint.as_ref(), log, log_id).await?;
        let (Some(checkpoint), Fit::Fits) = (checkpoint, &fitting) else {
            let position = checkpoint.map_or(0, |checkpoint| checkpoint.head.position.get());
            found.push(verified(position, 0, Some(not_comparable(fitting))));
            continue;
        };
        let mut fresh = fold(log, model, checkpoint, &mut progress).await?;
        let compared = compare(model, &mut live, &mut fresh.begin_reading().await?).await?;
        let position = checkpoint.head.position.get();
        found.push(match compared {
            Ok(rows) => verified(position, rows, None),
            Err(Difference { left, right }) => {
                let (stored, folded) = (left.as_deref().unwrap_or("no row"), right.as_deref().unwrap_or("no row"));
                verified(position, 0, Some(format!("the table has {stored}; the log makes {folded}")))
            }
        });
    }
    bystander.close().await?;
    Ok(found)
}

fn not_comparable(fit: Fit) -> String {
    match fit {
        Fit::Fits => "it cannot be read".to_owned(),
        Fit::Outdated => "it was made by an older version of the program, and will be rebuilt".to_owned(),
        Fit::Newer(version) => format!("it was made by a newer version of the program: version {version}"),
        Fit::Unfit(why) => format!("it does not fit the log: {why}"),
    }
}

/// Folds a table of the same events.
async fn fold(
    log: &dyn EventLog,
    model: &'static SqlModel,
    until: Checkpoint,
    progress: &mut impl FnMut(&'static str, Position),
) -> Result<Connection, VerifyError> {
    let mut fresh = Writer::temporary().await?;
    let mut transaction = fresh.begin().await?;
    let mut reached = store::create(&mut transaction, model, Slot::Live, until.log_id).await?;
    transaction.commit().await?;
    let fresh = Mutex::new(fresh);
    while reached.head.position < until.head.position {
        let left = until.head.position.get() - reached.head.position.get();
        let limit = usize::try_from(left).unwrap_or(CHUNK_RECORDS).min(CHUNK_RECORDS);
        let chunk = decode(read_on(log, reached.head.position, limit).await?).await;
        if let Some((position, reason)) = chunk.poison {
            return Err(VerifyError::Undecodable { position, reason });
        }
        let before = reached;
        match step(&fresh, model, Slot::Live, reached, &chunk.events).await? {
            Stepped::Advanced(checkpoint) if checkpoint != before => reached = checkpoint,
            Stepped::Poisoned(_, poison) => {
                return Err(VerifyError::Undecodable { position: poison.position, reason: poison.reason });
            }
            // The log ends before the checkpoint, although it had it a moment ago: it is being rewound right now.
            Stepped::Advanced(_) | Stepped::Overtaken => break,
        }
        progress(model.name, reached.head.position);
    }
    Ok(fresh.into_inner().connection)
}
