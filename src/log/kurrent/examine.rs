//! Examines a stream: a log has only records of Reprise, from its first event on, and the server must keep them for
//! ever.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::Position;
use serde_json::Value;

use super::KurrentError;
use super::envelope::record;
use super::failure::Failure;
use super::leader::{LEADER_UNKNOWN, Leader};
use super::protocol::{NO_LEADER, NOT_READY, TOO_BUSY};
use crate::log::ReadError;

/// The members of a stream's metadata that make the server forget events.
const FORGETTING: [&str; 3] = ["$tb", "$maxCount", "$maxAge"];
/// Messages of a server that is starting, or is looking for its leader.
const IN_A_MOMENT: [&str; 4] = [NOT_READY, TOO_BUSY, NO_LEADER, LEADER_UNKNOWN];
/// How often the metadata are read while the log is used.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The users who may write to a stream, by its metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writers {
    /// Everyone whom the server admits.
    Everybody,
    /// Only named users or groups.
    Some,
}

/// The member of the stream's metadata that makes the server forget events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Forgetting(&'static str);

impl fmt::Display for Forgetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "its metadata has {}, which makes the server forget events", self.0)
    }
}

/// The last known answer to the question: will the server keep all events?
#[derive(Default)]
pub struct Keeping(Mutex<Option<Forgetting>>);

impl Keeping {
    /// Reads the metadata again and again, as long as it is polled.
    pub async fn watch(self: Arc<Self>, leader: Arc<Leader>) {
        loop {
            tokio::time::sleep(LOOK_AGAIN).await;
            // An error is ignored here: reads and appends report it.
            let Ok(metadata) = metadata(&leader).await else { continue };
            let forgetting = forgetting(metadata.as_ref());
            let before = std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), forgetting);
            if before != forgetting && forgetting.is_some() {
                tracing::error!("{}", self.check().expect_err("it was just said"));
            }
        }
    }

    /// Fails if the server may forget events. Then nothing may be read or appended.
    pub fn check(&self) -> Result<(), String> {
        let forgetting = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match forgetting {
            None => Ok(()),
            Some(forgetting) => Err(format!(
                "the stream is not a complete log any more: {forgetting}; remove it from the metadata before the \
                 server is scavenged, and the log is complete again"
            )),
        }
    }
}

/// Examines the stream on any node that answers. The first node may be silent, or may not know the leader.
pub async fn examine_on_any(leader: &Leader) -> Result<Writers, KurrentError> {
    let mut examined = examine(leader).await;
    for _ in 1..leader.nodes() {
        if !matches!(
            examined,
            Err(KurrentError::Unreachable { .. } | KurrentError::NotReady(_) | KurrentError::Refused(_))
        ) {
            break;
        }
        examined = examine(leader).await;
    }
    examined
}

/// Checks that a stream can be a log: it is empty, or its first event is a record of Reprise, and the server keeps it
/// for ever.
async fn examine(leader: &Leader) -> Result<Writers, KurrentError> {
    let stream = leader.stream();
    let truncated = |why: String| KurrentError::Truncated { stream: stream.to_owned(), why };
    let failed = |failure| match failure {
        Failure::Deleted => truncated("it was deleted permanently; name another one with ?stream=".to_owned()),
        Failure::Refused(why) if IN_A_MOMENT.contains(&why.as_str()) => KurrentError::NotReady(why),
        Failure::Refused(why) => KurrentError::Refused(why),
        failure @ (Failure::NotLeader(_) | Failure::NotSent(_) | Failure::Lost(_)) => {
            KurrentError::Unreachable { how: leader.how_secured(), why: failure.to_string() }
        }
    };
    let first = leader.call(|connection| async move { connection.read_forwards(stream, 0, 1).await }).await;
    let first = first.map_err(failed)?.pop();
    let metadata = metadata(leader).await.map_err(failed)?;
    if let Some(forgetting) = forgetting(metadata.as_ref()) {
        return Err(truncated(forgetting.to_string()));
    }
    let writers = writers(metadata.as_ref());
    let Some(first) = first else { return Ok(writers) };
    let first = record(first).map_err(|why| KurrentError::NotALog { stream: stream.to_owned(), why: foreign(why) })?;
    if first.position != Position::START.next() {
        return Err(truncated(format!("its first event is position {}; earlier events are missing", first.position)));
    }
    Ok(writers)
}

/// Reads the stream's metadata, if there are any and they may be read.
async fn metadata(leader: &Leader) -> Result<Option<Value>, Failure> {
    let name = &format!("$${}", leader.stream());
    let reading = leader.call(|connection| async move {
        match connection.read_last(name).await {
            // Without the right to read the metadata, go on without them.
            Err(Failure::Refused(_)) => Ok(None),
            read => read,
        }
    });
    Ok(reading.await?.and_then(|event| serde_json::from_slice(&event.data).ok()))
}

fn forgetting(metadata: Option<&Value>) -> Option<Forgetting> {
    let has = |member: &&str| metadata.is_some_and(|metadata| !metadata[*member].is_null());
    FORGETTING.into_iter().find(has).map(Forgetting)
}

/// Reads who may write: a user, a group or a list. Without an entry it is everybody.
fn writers(metadata: Option<&Value>) -> Writers {
    let named = metadata.map_or(&Value::Null, |metadata| &metadata["$acl"]["$w"]);
    let is_all = |writer: &Value| writer == "$all";
    if named.is_null() || is_all(named) || named.as_array().is_some_and(|named| named.iter().any(is_all)) {
        Writers::Everybody
    } else {
        Writers::Some
    }
}

/// Describes an event that is not a record. The message does not call the stream a damaged log, since it is no log.
fn foreign(error: ReadError) -> String {
    match error {
        ReadError::Malformed { position, reason } => format!("position {position}: {reason}"),
        other @ (ReadError::Unavailable(_) | ReadError::Damaged(_) | ReadError::Broken(_)) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_stream_is_closed_where_its_metadata_name_who_may_write() {
        for (metadata, expected) in [
            (None, Writers::Everybody),
            (Some(json!({})), Writers::Everybody),
            (Some(json!({ "$acl": { "$r": "$all" } })), Writers::Everybody),
            (Some(json!({ "$acl": { "$w": "$all" } })), Writers::Everybody),
            (Some(json!({ "$acl": { "$w": ["ann", "$all"] } })), Writers::Everybody),
            (Some(json!({ "$acl": { "$w": "reprise" } })), Writers::Some),
            (Some(json!({ "$acl": { "$w": ["reprise", "$admins"] } })), Writers::Some),
        ] {
            assert_eq!(writers(metadata.as_ref()), expected, "{metadata:?}");
        }
    }
}
