//! `reprise log tail`: the last records, and those to come.

use domain::{Position, Record};
use projections::rfc3339;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::output::{Said, line, raw};
use super::{ToolError, source};
use crate::config::Place;
use crate::engine::PAGE_RECORDS;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    position: Position,
    recorded_at: String,
    #[serde(rename = "type")]
    event_type: String,
    type_version: u32,
    data: Map<String, Value>,
    metadata: Map<String, Value>,
    hash: String,
}

/// Prints the last `lines` records; with `follow`, goes on until it is stopped.
pub async fn run(place: &Place, lines: u64, follow: bool, json: bool) -> Result<Said, ToolError> {
    let log = source::open(place).await?;
    let mut position = Position::new(log.head().await?.position.get().saturating_sub(lines));
    let mut last = Vec::new();
    loop {
        let records = log.read(position, PAGE_RECORDS).await?;
        position = records.last().map_or(position, |record| record.position);
        let is_all = records.len() < PAGE_RECORDS;
        let shown = records.into_iter().map(Line::of);
        if follow {
            shown.for_each(|shown| line(&if json { raw(&shown).to_string() } else { shown.text() }));
            if is_all {
                log.wait_past(position).await;
            }
            continue;
        }
        last.extend(shown);
        if is_all {
            let text: Vec<String> = last.iter().map(Line::text).collect();
            return Ok(Said::new(&serde_json::json!({ "records": last }), text.join("\n")));
        }
    }
}

impl Line {
    fn of(record: Record) -> Self {
        Self {
            position: record.position,
            recorded_at: rfc3339(record.recorded_at),
            type_version: record.type_version,
            data: without_seed(&record.data),
            metadata: without_seed(&record.metadata),
            event_type: record.event_type,
            hash: record.hash.to_string(),
        }
    }

    fn text(&self) -> String {
        let word = |name: &str| self.metadata.get(name).and_then(Value::as_str).unwrap_or("-").to_owned();
        let data: Box<RawValue> = raw(&self.data);
        format!(
            "{:>10}  {}  {:<19}  {:<12}  {:<36}  {}  {data}",
            self.position.get(),
            self.recorded_at,
            self.event_type,
            word("actor"),
            word("request_id"),
            &self.hash[..8],
        )
    }
}

/// A seed is what the server's key makes a token of: it is nobody's to read.
fn without_seed(text: &str) -> Map<String, Value> {
    let mut members: Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
    members.remove("seed");
    members
}
