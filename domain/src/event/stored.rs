//! How events are stored: the shapes that stood in logs, and the one table that names them all.
//!
//! An event is what the program means. A shape is what a record's `data` has been. The last shape of an event is the event
//! itself; each older one is a struct beside it, with its upcaster ([`OldShape`]).

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A shape that an event once had.
pub trait OldShape<E>: Serialize + DeserializeOwned {
    /// The upcaster: what data of this shape means today. Pure, so that a log always means the same.
    fn upcast(self) -> E;

    /// This shape of `event`, where it says all of it: an event is written in the oldest version that does.
    fn of(event: &E) -> Option<Self>;
}

/// Any shape, the newest too.
pub trait Shape<E>: Sized {
    /// The event that this data says.
    ///
    /// # Errors
    /// It is data of another shape.
    fn read(data: &str) -> serde_json::Result<E>;

    /// The data that says all of `event`; `None` where this shape cannot.
    fn write(event: &E) -> Option<String>;
}

/// Events are declared with what was decided first, and what JSON cannot say is in none of them.
const SAYABLE: &str = "events hold only what JSON can say";

/// The newest shape says everything.
pub struct Newest;

/// One that came before it.
pub struct Older<S>(std::marker::PhantomData<S>);

impl<E: Serialize + DeserializeOwned> Shape<E> for Newest {
    fn read(data: &str) -> serde_json::Result<E> {
        serde_json::from_str(data)
    }

    fn write(event: &E) -> Option<String> {
        Some(serde_json::to_string(event).expect(SAYABLE))
    }
}

impl<E, S: OldShape<E>> Shape<E> for Older<S> {
    fn read(data: &str) -> serde_json::Result<E> {
        serde_json::from_str::<S>(data).map(S::upcast)
    }

    fn write(event: &E) -> Option<String> {
        S::of(event).map(|shape| serde_json::to_string(&shape).expect(SAYABLE))
    }
}

/// The table of all events: each stands in one group, says which member is its time, and has its shapes by version, the
/// oldest first. Whatever must know
/// them (the list of types, a record's `type` and `type_version`, encoding, decoding, the time that an event tells) is made
/// of this table, so that nothing is written that could not be read back.
macro_rules! events {
    (
        $(#[$doc:meta])*
        pub enum $all:ident {$(
            $(#[$group_doc:meta])*
            $group:ident($group_enum:ident) {$(
                $event:ident ($($time:tt)+) { $($version:literal: $shape:ty),+ }
            )+}
        )+}
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $all {$(
            $(#[$group_doc])*
            $group($group_enum),
        )+}

        $(
            $(#[$group_doc])*
            #[derive(Debug, Clone, PartialEq, Eq)]
            pub enum $group_enum {$(
                #[doc = concat!("See [`", stringify!($event), "`].")]
                $event($event),
            )+}

            $(
                impl From<$event> for $all {
                    fn from(event: $event) -> Self {
                        Self::$group($group_enum::$event(event))
                    }
                }
            )+
        )+

        impl $all {
            /// Every type, with the versions that logs have of it, the oldest first.
            pub const TYPES: &[(&str, &[u32])] = &[$($((stringify!($event), &[$($version),+]),)+)+];

            /// The record's `type`.
            pub const fn event_type(&self) -> &'static str {
                match self {$($(
                    Self::$group($group_enum::$event(_)) => stringify!($event),
                )+)+}
            }

            /// When it was decided, as it tells itself.
            pub fn decided_at(&self) -> Option<$crate::values::Timestamp> {
                match self {$($(
                    Self::$group($group_enum::$event(event)) => $crate::event::stored::decided_at!(event $($time)+),
                )+)+}
            }

            /// When it happened, to be changed.
            #[cfg(any(test, feature = "testing"))]
            pub(crate) fn happened_at(&mut self) -> Option<&mut $crate::values::Timestamp> {
                match self {$($(
                    Self::$group($group_enum::$event(event)) => $crate::event::stored::happened_at!(event $($time)+),
                )+)+}
            }

            /// The record's `type_version` and `data`: the fields as JSON, in the order in which they are declared, in the
            /// oldest version that says all of the event.
            fn written(&self) -> (u32, String) {
                match self {$($(
                    Self::$group($group_enum::$event(event)) => {
                        $(
                            if let Some(data) = <$shape as $crate::event::stored::Shape<$event>>::write(event) {
                                return ($version, data);
                            }
                        )+
                        unreachable!("the newest shape says everything")
                    }
                )+)+}
            }

            /// The event that this data says; `None` for a type or version that is not in the table.
            fn read(event_type: &str, version: u32, data: &str) -> Option<serde_json::Result<Self>> {
                match (event_type, version) {
                    $($($(
                        (stringify!($event), $version) => {
                            Some(<$shape as $crate::event::stored::Shape<$event>>::read(data).map(Self::from))
                        }
                    )+)+)+
                    _ => None,
                }
            }
        }
    };
}
pub(super) use events;

/// The time of its decision, where the event tells it.
macro_rules! decided_at {
    ($event:ident at $($member:ident).+) => { Some($event.$($member).+) };
    ($event:ident since $member:ident) => {{ let _ = $event; None }};
    ($event:ident no time) => {{ let _ = $event; None }};
}
pub(super) use decided_at;

/// The time that the event tells, if any.
#[cfg(any(test, feature = "testing"))]
macro_rules! happened_at {
    ($event:ident no time) => {{ let _ = $event; None }};
    ($event:ident $word:ident $($member:ident).+) => { Some(&mut $event.$($member).+) };
}
#[cfg(any(test, feature = "testing"))]
pub(super) use happened_at;

#[cfg(test)]
mod tests;
