//! `reprise log stat`: counts the records of the log by type. It proves nothing; `log verify` does that.

use std::collections::BTreeMap;

use domain::{Head, Position, Record};
use projections::rfc3339;
use serde::Serialize;
use uuid::Uuid;

use super::output::{Said, Table, count};
use super::{ToolError, source};
use crate::engine::PAGE_RECORDS;
use crate::log::{LOG_FILE, LogAddress};
use crate::place::Place;

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Statistics {
    log_id: Option<Uuid>,
    position: Position,
    head_hash: String,
    first_recorded_at: Option<String>,
    last_recorded_at: Option<String>,
    /// The bytes of all records' types, data and metadata.
    record_bytes: u64,
    /// The bytes of the log's file and its WAL. `null` if the log is not a file.
    file_bytes: Option<u64>,
    types: BTreeMap<String, TypeCount>,
}

#[derive(Debug, Default, Serialize)]
struct TypeCount {
    events: u64,
    bytes: u64,
}

/// Counts all current records.
pub async fn run(place: &Place, json: bool) -> Result<Said, ToolError> {
    let log = source::open(place).await?;
    let end = log.head().await?;
    let bar = source::progress_bar("counting", end.position, json);
    let mut found = Statistics::default();
    let mut head = Head::EMPTY;
    while head.position < end.position {
        let left = usize::try_from(end.position.get() - head.position.get()).unwrap_or(PAGE_RECORDS);
        let records = log.read(head.position, PAGE_RECORDS.min(left)).await?;
        let Some(last) = records.last() else { break };
        head = last.head();
        records.iter().for_each(|record| found.add(record));
        bar.set_position(head.position.get());
    }
    found.position = head.position;
    found.head_hash = head.hash.to_string();
    if place.log == LogAddress::Sqlite {
        let files = [LOG_FILE.to_owned(), format!("{LOG_FILE}-wal")];
        let sizes = files.iter().filter_map(|name| Some(place.data.join(name).metadata().ok()?.len()));
        found.file_bytes = Some(sizes.sum());
    }
    let text = text(&found);
    Ok(Said::new(&found, text))
}

impl Statistics {
    fn add(&mut self, record: &Record) {
        if self.log_id.is_none()
            && let Ok(recorded) = record.decode()
            && let Some(created) = recorded.event.log_created()
        {
            self.log_id = Some(created.log_id);
        }
        let at = || rfc3339(record.recorded_at);
        self.first_recorded_at.get_or_insert_with(at);
        self.last_recorded_at = Some(at());
        let bytes = record.size_bytes() as u64;
        self.record_bytes += bytes;
        let kind = match self.types.get_mut(&*record.event_type) {
            Some(kind) => kind,
            None => self.types.entry(record.event_type.clone().into_owned()).or_default(),
        };
        kind.events += 1;
        kind.bytes += bytes;
    }
}

fn text(found: &Statistics) -> String {
    let mut kinds = Table::new(["type", "events", "bytes"], &[1, 2]);
    for (name, kind) in &found.types {
        kinds.row([name.clone(), count(kind.events), count(kind.bytes)]);
    }
    kinds.row(["all".to_owned(), count(found.position.get()), count(found.record_bytes)]);
    let time = |time: &Option<String>| time.clone().unwrap_or_else(|| "-".to_owned());
    let file = found.file_bytes.map_or_else(|| "-".to_owned(), |bytes| format!("{} bytes", count(bytes)));
    format!(
        "log    {}\nhead   {}:{}\nfirst  {}\nlast   {}\nfile   {file}\n\n{kinds}",
        found.log_id.map_or_else(|| "-".to_owned(), |id| id.to_string()),
        found.position,
        found.head_hash,
        time(&found.first_recorded_at),
        time(&found.last_recorded_at),
    )
}
