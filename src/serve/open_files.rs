//! How many files and connections the process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit to what the system allows the process to ask for, and tells it; `None` where there is none.
pub fn raise() -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum || setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).is_ok() {
        return maximum;
    }
    current
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_allowed_is_asked_for() {
        let allowed = raise();
        assert_eq!(getrlimit(Resource::Nofile).current, allowed);
        assert_eq!(allowed, getrlimit(Resource::Nofile).maximum);
    }
}
