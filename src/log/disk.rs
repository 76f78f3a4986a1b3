//! The meaning of the operating system's errors of a disk.

use std::io;

/// True if there was no room: on the disk, within a quota, or within the limit of a file's size. Then nothing is
/// broken, and a later try may succeed.
pub fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    [FileTooLarge, QuotaExceeded, StorageFull].contains(&error.kind())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_and_a_limit_of_a_file_s_size_are_full_disks() {
        let [enospc, edquot, efbig, eio] = [28, 122, 27, 5];
        for code in [enospc, edquot, efbig] {
            assert!(is_full(&io::Error::from_raw_os_error(code)), "{code}");
        }
        assert!(!is_full(&io::Error::from_raw_os_error(eio)));
    }
}
