//! How events are stored: all shapes that stand in logs, and the table that names them.
//!
//! An event is the meaning in the program. A shape is a form that a record's `data` had in some version. The last shape
//! of an event is the event itself; each older one is a struct beside it, with its upcaster ([`OldShape`]).

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A shape that an event once had.
pub trait OldShape<E>: Serialize + DeserializeOwned {
    /// The upcaster: converts data of this shape to today's event. It is pure, so that a log always means the same.
    fn upcast(self) -> E;

    /// Converts `event` to this shape, if the shape can hold all of it. An event is written in the oldest such version.
    fn of(event: &E) -> Option<Self>;
}

/// Any shape, with the newest.
pub trait Shape<E>: Sized {
    /// Reads an event from data of this shape.
    ///
    /// # Errors
    /// The data has another shape.
    fn read(data: &str) -> serde_json::Result<E>;

    /// Writes `event` in this shape. `None` if the shape cannot hold all of it.
    fn write(event: &E) -> Option<String>;
}

/// The reason why serialising an event cannot fail.
const SAYABLE: &str = "events hold only what JSON can say";

/// The newest shape, which can hold every event.
pub struct Newest;

/// An older shape.
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

/// Makes the code from the table of all events. In the table each event stands in one group, names the member that is
/// its time, and lists its shapes by version, the oldest first. From it come the list of types, a record's `type` and
/// `type_version`, encoding, decoding, and an event's time. So nothing is written that could not be read again.
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
            /// Every type, with its versions in logs, the oldest first.
            pub const TYPES: &[(&str, &[u32])] = &[$($((stringify!($event), &[$($version),+]),)+)+];

            /// The record's `type`.
            pub const fn event_type(&self) -> &'static str {
                match self {$($(
                    Self::$group($group_enum::$event(_)) => stringify!($event),
                )+)+}
            }

            /// The time of the decision, if the event holds it.
            pub fn decided_at(&self) -> Option<$crate::values::Timestamp> {
                match self {$($(
                    Self::$group($group_enum::$event(event)) => $crate::event::stored::decided_at!(event $($time)+),
                )+)+}
            }

            /// The time of the event, to change it in tests.
            #[cfg(any(test, feature = "testing"))]
            pub(crate) fn happened_at(&mut self) -> Option<&mut $crate::values::Timestamp> {
                match self {$($(
                    Self::$group($group_enum::$event(event)) => $crate::event::stored::happened_at!(event $($time)+),
                )+)+}
            }

            /// The record's `type_version` and `data`, in the oldest version that can hold the event: the fields as
            /// JSON, in the order of their declaration.
            pub(crate) fn written(&self) -> (u32, String) {
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

            /// Reads an event. `None` for a type or version that is not in the table.
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

/// The expression for the time of the decision, if the event holds it.
macro_rules! decided_at {
    ($event:ident at $($member:ident).+) => { Some($event.$($member).+) };
    ($event:ident since $member:ident) => {{ let _ = $event; None }};
    ($event:ident no time) => {{ let _ = $event; None }};
}
pub(super) use decided_at;

/// The expression for the time of the event, if it holds one.
#[cfg(any(test, feature = "testing"))]
macro_rules! happened_at {
    ($event:ident no time) => {{ let _ = $event; None }};
    ($event:ident $word:ident $($member:ident).+) => { Some(&mut $event.$($member).+) };
}
#[cfg(any(test, feature = "testing"))]
pub(super) use happened_at;

#[cfg(test)]
mod tests;
