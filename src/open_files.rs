//! The limit of open files of this process, with its connections.

use rustix::process::{Resource, getrlimit, setrlimit};

/// File handles that connections never take: for the log, the read models and their connections, the key, and other
/// files.
const KEPT_BACK: u64 = 128;
/// The most connections by default.
const MAX_CONNECTIONS: u64 = 65_536;

/// Raises the limit to the maximum that the system allows, and returns it.
pub fn raise_limit() -> u64 {
    let mut limit = getrlimit(Resource::Nofile);
    let hard = limit.maximum.unwrap_or(u64::MAX);
    if limit.current.is_some_and(|soft| soft < hard) {
        let raised = rustix::process::Rlimit { current: limit.maximum, maximum: limit.maximum };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            tracing::warn!("the limit of open files stays as it is: {error}");
        }
        limit = getrlimit(Resource::Nofile);
    }
    limit.current.unwrap_or(u64::MAX)
}

/// The most connections with this limit of open files, even if more are asked for.
pub fn max_connections(asked: Option<u64>, open_files: u64) -> usize {
    // If the limit is small, half of the files are for connections.
    let possible = open_files.saturating_sub(KEPT_BACK).max(open_files / 2).max(1);
    let max = match asked {
        Some(asked) if asked > possible => {
            tracing::warn!("--max-connections: {possible} instead of {asked}; the process may open {open_files} files");
            possible
        }
        Some(asked) => asked,
        None => possible.min(MAX_CONNECTIONS),
    };
    usize::try_from(max).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_the_log() {
        assert_eq!(max_connections(None, 1_024), 896);
        assert_eq!(max_connections(None, 128), 64);
        assert_eq!(max_connections(None, 1_048_576), 65_536);
        assert_eq!(max_connections(Some(10), 1_024), 10);
        assert_eq!(max_connections(Some(100_000), 1_048_576), 100_000);
        assert_eq!(max_connections(Some(2_000), 1_024), 896);
    }
}
