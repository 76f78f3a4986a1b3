//! Proof that live tables say what the log says: each is held, row for row, against one that is folded afresh.

use domain::Position;
use projections::sql::store::{self, Checkpoint, Slot};
use projections::sql::{Connection, Difference, Location, SqlModel, compare};
use serde::Serialize;
use sqlx::migrate::MigrateError;
use tokio::sync::Mutex;

use super::database::Writer;
use super::fit::{Fit, fit};
use super::step::{Stepped, decode, step};
use super::{CHUNK_RECORDS, log_id, read_on};
use crate::log::{EventLog, ReadError};

/// What was found of one read model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verified {
    /// Its name.
    pub projection: &'static str,
    /// Up to where it has the log.
    pub position: u64,
    /// How many rows are equal.
    pub rows: u64,
    /// What is wrong: the first row that differs, or why the table cannot be held against this log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// There is no table: nothing was compared.
    #[serde(rename = "missing", skip_serializing_if = "std::ops::Not::not")]
    pub is_missing: bool,
}

impl Verified {
    /// There is none yet, which is no fault of it; or it is gone.
    fn missing(model: &SqlModel, was_built: bool) -> Self {
        let fault = was_built.then(|| "its table is gone; `reprise projections rebuild` makes it anew".to_owned());
        Self { projection: model.name, position: 0, rows: 0, fault, is_missing: true }
    }
}

/// Why nothing can be said.
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

/// Holds the read models at `location` against a fresh fold of `log` in a database of SQLite's, each at its own checkpoint;
/// tells `progress` of each position folded. It only reads, and works beside a running server.
///
/// # Errors
/// The log or the database cannot be read. A difference is no error, but an answer.
pub async fn verify(
    location: &Location,
    log: &dyn EventLog,
    models: &[&'static SqlModel],
    mut progress: impl FnMut(&'static str, Position),
) -> Result<Vec<Verified>, VerifyError> {
    let mut found = Vec::new();
    let log_id = log_id(log).await?.unwrap_or_default();
    let Some(mut bystander) = location.look(log_id).await? else {
        return Ok(models.iter().map(|model| Verified::missing(model, false)).collect());
    };
    for &model in models {
        // One snapshot: the rows stay as they are while the log is folded up to their checkpoint.
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

/// A table of the same events.
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
            // A log that ends before the checkpoint was seen to have it: it is being rewound right now.
            Stepped::Advanced(_) | Stepped::Overtaken => break,
        }
        progress(model.name, reached.head.position);
    }
    Ok(fresh.into_inner().connection)
}
