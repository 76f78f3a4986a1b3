//! Options that may hold a password.

use std::ffi::OsStr;
use std::fmt::Display;
use std::marker::PhantomData;
use std::str::FromStr;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Command, Error};

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
            let variable = argument.and_then(|argument| variable(argument, value));
            let from = variable.map_or_else(String::new, |name| format!(", from the environment variable `{name}`"));
            Error::raw(ErrorKind::ValueValidation, format!("{option}{from}: {why}\n")).with_cmd(command)
        })
    }
}

/// The variable of an option, where it is set to this value.
pub fn variable(arg: &Arg, value: &OsStr) -> Option<String> {
    let name = arg.get_env()?;
    (std::env::var_os(name).as_deref() == Some(value)).then(|| name.to_string_lossy().into_owned())
}
