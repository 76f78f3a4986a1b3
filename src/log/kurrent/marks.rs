//! The mark of an unfinished import: a second stream beside the log's says whether the log is complete.

use super::connection::Appended;
use super::envelope::remark;
use super::failure::Failure;
use super::leader::Leader;
use super::protocol::{RecordedEvent, TYPE};

/// The types of the events in this stream.
const FILLING: &str = "ImportBegan";
const WHOLE: &str = "ImportEnded";

impl Leader {
    /// Returns true if an import has begun and has not ended.
    pub async fn is_unfinished(&self) -> Result<bool, Failure> {
        let last = self.last_mark().await?;
        Ok(last.is_some_and(|event| event.metadata.get(TYPE).is_some_and(|event_type| event_type == FILLING)))
    }

    /// Reads the last event of that stream. `None` if no import ever filled the log.
    async fn last_mark(&self) -> Result<Option<RecordedEvent>, Failure> {
        let stream = &self.marks();
        self.call(|connection| async move { connection.read_last(stream).await }).await
    }

    /// Writes that an import begins, or has ended.
    pub async fn mark_unfinished(&self, is_unfinished: bool) -> Result<(), Failure> {
        let (last, stream) = (self.last_mark().await?, &self.marks());
        let message = remark(if is_unfinished { FILLING } else { WHOLE });
        let appended = self.call(|connection| {
            let (message, revision) = (message.clone(), last.as_ref().map(|event| event.revision));
            async move { connection.append(stream, revision, vec![message]).await }
        });
        match appended.await? {
            Appended::At(_) => Ok(()),
            Appended::Conflict => Err(Failure::Refused("another process fills the log at the same time".to_owned())),
        }
    }

    fn marks(&self) -> String {
        format!("{}-unfinished", self.stream())
    }
}
