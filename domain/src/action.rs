//! Actions: what a command can ask for. The table of all actions is in [`decisions`](crate::decisions).

/// The lane in which a command waits. The lane `Inside` goes first, and each batch has places for both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Hold, pay, cancel, charge and leave, and all commands of operators and of the server itself.
    Inside,
    /// Requests for a token.
    Joining,
}

/// Makes [`Action`](crate::Action) from the table of all commands: each has its file, its name in metrics, and its
/// lane.
macro_rules! actions {
    ($($file:ident::$command:ident $name:literal $lane:ident;)+) => {
        $(pub use $file::$command;)+

        /// All actions. The rule of each is a file in `decisions/`.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Action {$(
            #[doc = concat!("See [`", stringify!($command), "`].")]
            $command($command),
        )+}

        impl Action {
            /// The name of every action.
            pub const NAMES: &'static [&'static str] = &[$($name),+];

            /// The action's name in metrics.
            pub const fn name(&self) -> &'static str {
                match self {$(Self::$command(_) => $name,)+}
            }

            /// The lane in which it waits.
            pub const fn lane(&self) -> $crate::action::Lane {
                match self {$(Self::$command(_) => $crate::action::Lane::$lane,)+}
            }

            /// The rule that decides it.
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
