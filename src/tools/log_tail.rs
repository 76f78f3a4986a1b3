//! `reprise log tail`: prints the last records, of all users or of one, and with `--follow` new ones.

use std::borrow::Cow;
use std::collections::VecDeque;

use domain::{Position, Record};
use projections::rfc3339;
use serde::Serialize;
use serde_json::{Map, Value};

use super::output::{Said, raw};
use super::{ToolError, source};
use crate::config::Tail;
use crate::engine::PAGE_RECORDS;
use crate::log::{EventLog, named_users};
use crate::place::Place;
use crate::printing::{self, Reader};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    position: Position,
    recorded_at: String,
    #[serde(rename = "type")]
    event_type: Cow<'static, str>,
    type_version: u32,
    data: Map<String, Value>,
    metadata: Map<String, Value>,
    hash: String,
}

/// Prints the last records. With `follow` it goes on until it is stopped, or the reader has gone.
pub async fn run(place: &Place, asked: &Tail, json: bool) -> Result<Said, ToolError> {
    let log = source::open(place).await?;
    let head = log.head().await?.position;
    let last = last(log.as_ref(), head, asked).await?;
    let width = printing::width();
    if !asked.follow {
        let text: Vec<String> = last.iter().map(|line| line.text(width)).collect();
        return Ok(Said::new(&serde_json::json!({ "records": last }), text.join("\n")));
    }
    let print = |line: &Line| printing::line(&if json { raw(line).to_string() } else { line.text(width) });
    last.iter().try_for_each(print)?;
    let (mut position, reader) = (head, Reader::of_stdout());
    loop {
        let records = log.read(position, PAGE_RECORDS).await?;
        position = records.last().map_or(position, |record| record.position);
        let is_all = records.len() < PAGE_RECORDS;
        records.into_iter().map(Line::of).filter(|line| line.is_asked_for(asked)).try_for_each(|line| print(&line))?;
        if is_all {
            tokio::select! {
                () = log.wait_past(position) => {}
                () = reader.gone() => return Err(printing::Unprinted::NobodyReads.into()),
            }
        }
    }
}

/// Finds the requested last lines up to `head`, by reading backwards from the log's end.
async fn last(log: &dyn EventLog, head: Position, asked: &Tail) -> Result<VecDeque<Line>, ToolError> {
    let wanted = usize::try_from(asked.lines).unwrap_or(usize::MAX);
    let mut found = VecDeque::new();
    let mut end = head.get();
    while end > 0 && found.len() < wanted {
        let begin = end.saturating_sub(PAGE_RECORDS as u64);
        let records = log.read(Position::new(begin), PAGE_RECORDS).await?;
        let lines = records.into_iter().filter(|record| record.position.get() <= end).map(Line::of);
        let lines: Vec<Line> = lines.filter(|line| line.is_asked_for(asked)).collect();
        lines.into_iter().rev().take(wanted - found.len()).for_each(|line| found.push_front(line));
        end = begin;
    }
    Ok(found)
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

    fn is_asked_for(&self, asked: &Tail) -> bool {
        asked.user.is_none_or(|user| self.users().contains(&user))
    }

    fn users(&self) -> Vec<u64> {
        self.data.iter().flat_map(|(name, value)| named_users(name, value)).collect()
    }

    /// Formats a line: the event's data first, then its origin. Text beyond `width` is left out.
    fn text(&self, width: Option<usize>) -> String {
        let word = |name: &str| self.metadata.get(name).and_then(Value::as_str).unwrap_or("-");
        let data = raw(&self.data);
        let text = format!(
            "{:>8}  {}  {:<19}  {:<9}  {data}  by {}, request {}, hash {}",
            self.position.get(),
            self.recorded_at,
            self.event_type,
            self.users().iter().map(|user| format!("user {user}")).collect::<Vec<_>>().join(", "),
            word("actor"),
            word("request_id"),
            &self.hash[..8],
        );
        printing::fitted(text, width)
    }
}

/// Removes seeds, from which the server's key derives tokens.
fn without_seed(text: &str) -> Map<String, Value> {
    let mut members: Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
    members.remove("seed");
    members
}
