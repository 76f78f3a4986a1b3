//! One step of one table: a chunk of events, and the checkpoint after it, in one transaction.

use domain::{Position, Record, RecordedEvent};
use projections::sql::store::{self, Checkpoint, Slot};
use projections::sql::{Folded, Poison, SqlModel, is_refusal};
use tokio::sync::Mutex;

use super::database::Writer;

/// The result of a step.
#[derive(Debug)]
pub enum Stepped {
    /// The table has every event of the chunk.
    Advanced(Checkpoint),
    /// The table has the events before one that it cannot take in, and stays there.
    Poisoned(Checkpoint, Poison),
    /// Another projector moved the table, so nothing was written.
    Overtaken,
}

/// Moves the table from `from` over `events`. Events that it has already are skipped. The fold runs without the
/// writer's lock.
///
/// # Errors
/// The database's. After an error the chunk may have been written or not: the stored checkpoint shows which.
pub async fn step(
    writer: &Mutex<Writer>,
    model: &'static SqlModel,
    slot: Slot,
    from: Checkpoint,
    events: &[RecordedEvent],
) -> sqlx::Result<Stepped> {
    let Ok(folded) = model.fold(from.head.position, events) else {
        return one_by_one(writer, model, slot, from, events).await;
    };
    let Some(folded) = folded else { return Ok(Stepped::Advanced(from)) };
    match write(writer, model, slot, &from, &folded).await {
        Ok(advanced) => Ok(advanced.map_or(Stepped::Overtaken, Stepped::Advanced)),
        Err(error) if is_refusal(&error) => one_by_one(writer, model, slot, from, events).await,
        Err(error) => Err(error),
    }
}

/// Finds the event in a chunk that cannot be taken in, and writes the events before it.
async fn one_by_one(
    writer: &Mutex<Writer>,
    model: &'static SqlModel,
    slot: Slot,
    mut from: Checkpoint,
    events: &[RecordedEvent],
) -> sqlx::Result<Stepped> {
    let after = from.head.position;
    for event in events.iter().filter(|event| event.head.position > after) {
        let folded = match model.fold(from.head.position, std::slice::from_ref(event)) {
            Ok(Some(folded)) => folded,
            Ok(None) => continue,
            Err(poison) => return Ok(Stepped::Poisoned(from, poison)),
        };
        match write(writer, model, slot, &from, &folded).await {
            Ok(Some(advanced)) => from = advanced,
            Ok(None) => return Ok(Stepped::Overtaken),
            Err(error) if is_refusal(&error) => {
                let (projection, position, reason) = (model.name, event.head.position, error.to_string());
                return Ok(Stepped::Poisoned(from, Poison { projection, position, reason }));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Stepped::Advanced(from))
}

async fn write(
    writer: &Mutex<Writer>,
    model: &SqlModel,
    slot: Slot,
    from: &Checkpoint,
    folded: &Folded,
) -> sqlx::Result<Option<Checkpoint>> {
    let mut writer = writer.lock().await;
    let mut transaction = writer.begin().await?;
    let advanced = store::advance(&mut transaction, model, slot, from, folded).await?;
    if advanced.is_some() {
        transaction.commit().await?;
    } else {
        transaction.rollback().await?;
    }
    Ok(advanced)
}

/// Events, up to the first that this program cannot read.
#[derive(Debug)]
pub struct DecodedChunk {
    /// The events before it.
    pub events: Vec<RecordedEvent>,
    /// The position of the first unreadable event, and the reason.
    pub poison: Option<(Position, String)>,
}

/// Decodes a chunk on a thread that does not answer clients.
pub async fn decode(records: Vec<Record>) -> DecodedChunk {
    let decoding = tokio::task::spawn_blocking(move || {
        let mut events = Vec::with_capacity(records.len());
        for record in &records {
            match record.decode() {
                Ok(recorded) => events.push(recorded),
                Err(error) => return DecodedChunk { events, poison: Some((record.position, error.to_string())) },
            }
        }
        DecodedChunk { events, poison: None }
    });
    decoding.await.expect("decoding does not panic")
}
