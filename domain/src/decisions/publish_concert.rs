//! Publishing a concert: from now on it can have schedules.

use crate::answer::Answer;
use crate::event::ConcertPublished;
use crate::limits::MAX_NAME_BYTES;
use crate::name::{is_name, not_a_name};
use crate::rejection::Rejection;
use crate::rule::{Actor, Decide, Decided, Decision};
use crate::state::State;
use crate::state::catalogue::Concert;
use crate::values::{ConcertId, Timestamp};

/// Publishes a concert. A concert that exists with the same members stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishConcert {
    pub concert_id: ConcertId,
    pub name: String,
    pub artist: String,
    pub venue: String,
}

impl Decide for PublishConcert {
    fn decide(&self, _: &Actor, state: &State, _: Timestamp) -> Decision {
        let Self { concert_id, name, artist, venue } = self.clone();
        let concert = Concert { name: name.clone(), artist: artist.clone(), venue: venue.clone() };
        match state.catalogue.concerts().get(&concert_id) {
            Some(published) if *published == concert => return Ok(Decided::Already(Answer::Done)),
            Some(published) => {
                let reason = format!("concert {concert_id} is published as {:?}", published.name);
                return Err(Rejection::CatalogueConflict { reason });
            }
            None => {}
        }
        let unfit = |text: &&String| !is_name(text, MAX_NAME_BYTES);
        if let Some(text) = [&name, &artist, &venue].into_iter().find(unfit) {
            return Err(Rejection::CatalogueConflict { reason: not_a_name(text, MAX_NAME_BYTES) });
        }
        Ok(Decided::one(ConcertPublished { concert_id, name, artist, venue }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Credential;
    use crate::spec::*;

    fn publish(name: &str) -> PublishConcert {
        let (artist, venue) = ("Artist".to_owned(), "Venue".to_owned());
        PublishConcert { concert_id: CONCERT, name: name.to_owned(), artist, venue }
    }

    #[test]
    fn a_concert_is_published_once() {
        given([]).when(Credential::OPERATOR, publish("Concert")).then([concert()]);
        given([concert()]).when(Credential::OPERATOR, publish("Concert")).already(Answer::Done);
    }

    #[test]
    fn a_published_concert_is_not_renamed() {
        let reason = "concert 1 is published as \"Concert\"".to_owned();
        given([concert()])
            .when(Credential::OPERATOR, publish("Other"))
            .refuses(Rejection::CatalogueConflict { reason });
    }

    #[test]
    fn a_name_has_a_limit() {
        let longest = "x".repeat(MAX_NAME_BYTES);
        assert!(given([]).when(Credential::OPERATOR, publish(&longest)).decided().is_ok());
        for unfit in [longest + "x", String::new(), "a\nb".to_owned()] {
            assert!(given([]).when(Credential::OPERATOR, publish(&unfit)).decided().is_err());
        }
    }
}
