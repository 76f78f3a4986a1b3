//! The command line as a whole: how it is read, and what is made of it for shells and for manuals.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, Error};
use clap::{Arg, Command, CommandFactory, FromArgMatches};

use crate::config::Cli;
use crate::printing::Unprinted;
use crate::secret_value::variable;

/// Reads the command line and the environment.
///
/// # Errors
/// There is nothing to run: help was asked for and printed, or something is wrong, which was told.
pub fn read() -> Result<Cli, ExitCode> {
    let command = command();
    let parsed = command.clone().try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches));
    parsed.map_err(|error| tell(&error, &command))
}

/// All commands and options. A variable that is set and empty is as if it were not set.
fn command() -> Command {
    without_empty_variables(Cli::command())
}

fn without_empty_variables(command: Command) -> Command {
    let is_empty = |arg: &Arg| arg.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
    let command = command.mut_args(|arg| if is_empty(&arg) { arg.env(None) } else { arg });
    command.mut_subcommands(without_empty_variables)
}

/// Prints help, or what is wrong, and tells the exit code.
fn tell(error: &Error, command: &Command) -> ExitCode {
    let printed = error.print().and_then(|()| io::stdout().flush());
    if !error.use_stderr() {
        return printed.map_or_else(|error| Unprinted::from(error).end(), |()| ExitCode::SUCCESS);
    }
    if let Some(variable) = source(error, command) {
        let _ = writeln!(io::stderr(), "\nThe value was read from the environment variable `{variable}`.");
    }
    ExitCode::from(2)
}

/// The variable that holds the value that is wrong.
fn source(error: &Error, command: &Command) -> Option<String> {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(_) | None => None,
    };
    let (option, value) = (text(ContextKind::InvalidArg)?, text(ContextKind::InvalidValue)?);
    let mut command = command.clone();
    command.build();
    all_args(&command)
        .into_iter()
        .find(|arg| arg.to_string() == option)
        .and_then(|arg| variable(arg, OsStr::new(&value)))
}

fn all_args(command: &Command) -> Vec<&Arg> {
    command.get_arguments().chain(command.get_subcommands().flat_map(all_args)).collect()
}

/// What makes a shell complete commands and options.
pub fn completions(shell: clap_complete::Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "reprise", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// The program's manual page; or, with a folder, one for each command is written there, which is told.
///
/// # Errors
/// The folder cannot be written.
pub fn man(folder: Option<&Path>) -> io::Result<String> {
    let Some(folder) = folder else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Cli::command()).render(&mut page)?;
        return Ok(String::from_utf8_lossy(&page).into_owned());
    };
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(Cli::command(), folder)?;
    Ok(format!("manual pages were written; read the first one: `man {}`", folder.join("reprise.1").display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every command, with the words that lead to it.
    fn commands(command: &Command, words: &str) -> Vec<(String, Command)> {
        let under =
            command.get_subcommands().flat_map(|under| commands(under, &format!("{words} {}", under.get_name())));
        [(words.to_owned(), command.clone())].into_iter().chain(under).collect()
    }

    fn built() -> Command {
        let mut command = Cli::command();
        command.build();
        command
    }

    #[test]
    fn every_command_option_and_value_has_a_text_and_every_help_fits_100_columns() {
        for (words, mut command) in commands(&built(), "reprise") {
            assert!(command.get_about().is_some(), "{words} has no text");
            for arg in command.get_arguments() {
                assert!(arg.get_help().is_some(), "{words} {arg} has no text");
            }
            for help in [command.render_help(), command.render_long_help()] {
                let wide = help.to_string().lines().find(|line| line.chars().count() > 100).map(str::to_owned);
                assert_eq!(wide, None, "reprise {words} --help");
            }
        }
    }

    #[test]
    fn the_options_of_a_command_stand_before_those_of_every_command() {
        for (words, mut command) in commands(&built(), "reprise") {
            let help = command.render_help().to_string();
            let own = help.find("\nOptions:").unwrap_or_default();
            assert!(help.find("--data").is_none_or(|data| own < data), "{words}: {help}");
        }
    }
}
