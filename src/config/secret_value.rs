//! Options that may hold a password.

use std::ffi::OsStr;
use std::fmt::Display;
use std::marker::PhantomData;
use std::str::FromStr;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Command, Error};

use crate::command_line;

/// Parses such an option. What is wrong with a value is said; the value is not, as clap would.
#[derive(Debug)]
pub struct SecretValue<T>(PhantomData<fn() -> T>);

impl<T> Default for SecretValue<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T> Clone for SecretValue<T> {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl<T> TypedValueParser for SecretValue<T>
where
    T: FromStr<Err: Display> + Clone + Send + Sync + 'static,
{
    type Value = T;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<T, Error> {
        let parsed = value.to_str().ok_or_else(|| "it is not UTF-8".to_owned());
        let parsed = parsed.and_then(|text| text.parse().map_err(|error: T::Err| error.to_string()));
        parsed.map_err(|why| {
            let option = argument.map_or_else(|| "the value".to_owned(), |argument| format!("{argument}"));
            let variable = argument.and_then(|argument| command_line::variable(argument, &value.to_owned()));
            let from = variable.map_or_else(String::new, |name| format!(", from the environment variable `{name}`"));
            Error::raw(ErrorKind::ValueValidation, format!("{option}{from}: {why}\n")).with_cmd(command)
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use crate::config::Cli;
    use crate::log::LogAddress;

    #[test]
    fn a_password_is_shown_by_no_error_no_help_and_no_debug_output() {
        for wrong in ["mysql://ann:s3cret@db", "postgres://ann:s3/cret@db", "s3cret"] {
            let refused = Cli::try_parse_from(["reprise", "--log", wrong, "serve"]).unwrap_err().to_string();
            assert!(refused.contains("--log") && !refused.contains("s3"), "{refused}");
        }
        let right = Cli::try_parse_from(["reprise", "--log", "postgres://ann:s3cret@db/sales", "serve"]).unwrap();
        assert!(matches!(&right.place.log, LogAddress::Postgres(url) if url.expose().contains("s3cret")));
        assert!(!format!("{right:?}{}", right.place.log).contains("s3cret"));
        let hides = Cli::command().get_arguments().filter(|argument| argument.is_hide_env_values_set()).count();
        assert_eq!(hides, 2, "help would print the environment variables of --log and --read-models");
    }
}
