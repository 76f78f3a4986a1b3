//! What can be asked: the table of all commands stands in [`decisions`](crate::decisions), a line for each.

/// Who goes first: those who are inside, or those who join. Each batch has places for both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Hold, pay, cancel, charge, leave, and what operators and the server itself ask.
    Inside,
    /// Those who ask for a token.
    Joining,
}

/// The table of all commands: each has its file, its name where commands are counted, and its lane.
macro_rules! actions {
    ($($file:ident::$command:ident $name:literal $lane:ident;)+) => {
        $(pub use $file::$command;)+

        /// What can be asked: one file in `decisions/` each.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Action {$(
            #[doc = concat!("See [`", stringify!($command), "`].")]
            $command($command),
        )+}

        impl Action {
            /// What it is called where commands are counted.
            pub const fn name(&self) -> &'static str {
                match self {$(Self::$command(_) => $name,)+}
            }

            /// Where it waits.
            pub const fn lane(&self) -> $crate::action::Lane {
                match self {$(Self::$command(_) => $crate::action::Lane::$lane,)+}
            }

            /// What decides it.
            pub(crate) fn rule(&self) -> &dyn $crate::rule::Decide {
                match self {$(Self::$command(rule) => rule,)+}
            }
        }

        $(
            impl From<$command> for Action {
                fn from(command: $command) -> Self {
                    Self::$command(command)
                }
            }
        )+
    };
}
pub(crate) use actions;
