//! The server's key, and the tokens that it derives. The log holds hashes of tokens and the seeds that they are derived
//! from; without this key nobody who reads it can act as anyone.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use domain::{Hash, Seed, Token, TokenHash, UserId};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The key's file in the data folder.
pub const KEY_FILE: &str = "server.key";
/// The key's file while it is made.
const UNFINISHED_KEY_FILE: &str = "server.key.new";

/// The demo's fixed tokens: published load scripts use them. A token without a seed comes from here.
const FIXED_TOKENS: [(u64, Uuid); 3] = [
    (1, Uuid::from_u128(0x96cdc907_fbae_4ebb_8c60_b27fa841b60d)),
    (2, Uuid::from_u128(0xeca61a00_954d_4a88_ade7_d24fbd53d588)),
    (3, Uuid::from_u128(0x1700e3de_f017_4ae3_90ba_9e2d5c5714de)),
];

/// The users who have a fixed token, with its hash.
pub fn fixed_tokens() -> impl Iterator<Item = (UserId, TokenHash)> {
    FIXED_TOKENS.iter().filter_map(|(user, token)| Some((UserId::try_from(*user).ok()?, token_hash(token))))
}

/// What the log knows a token by: SHA-256 of its text, lower case with hyphens.
pub fn token_hash(token: &Uuid) -> TokenHash {
    TokenHash::new(Sha256::digest(token.hyphenated().to_string()).into())
}

/// A secret of 32 random bytes.
#[derive(Clone)]
pub struct ServerKey([u8; 32]);

impl ServerKey {
    /// Makes a key in `folder`, for its owner alone, and has it on disk before anything can depend on it. One that is
    /// there already stays.
    ///
    /// # Errors
    /// The folder cannot be written, or the file there is no key.
    pub fn load_or_create(folder: &Path) -> io::Result<Self> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(io::Error::other)?;
        Self(key).keep(folder)
    }

    /// Puts a key that is no secret into `folder`, for a log that is made for measuring. One that is there already stays.
    ///
    /// # Errors
    /// The folder cannot be written, or the file there is no key.
    pub fn known(bytes: [u8; 32], folder: &Path) -> io::Result<Self> {
        Self(bytes).keep(folder)
    }

    fn keep(self, folder: &Path) -> io::Result<Self> {
        let path = folder.join(KEY_FILE);
        if path.try_exists()? {
            return Self::load(folder);
        }
        // Under another name until it is whole: half a key, left by a kill or a full disk, would be refused for ever.
        let unfinished = folder.join(UNFINISHED_KEY_FILE);
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
        writeln!(file, "{}", Hash::new(self.0))?;
        file.sync_all()?;
        std::fs::rename(&unfinished, &path)?;
        File::open(folder)?.sync_all()?;
        Ok(self)
    }

    /// Reads the key in `folder`.
    ///
    /// # Errors
    /// There is none, or the file is no key.
    pub fn load(folder: &Path) -> io::Result<Self> {
        let mut text = String::new();
        File::open(folder.join(KEY_FILE))?.take(1_024).read_to_string(&mut text)?;
        let not_a_key = |_| io::Error::new(io::ErrorKind::InvalidData, "it holds no key of 64 hexadecimal digits");
        let hash: Hash = serde_json::from_value(text.trim().into()).map_err(not_a_key)?;
        Ok(Self(*hash.as_bytes()))
    }

    /// What a log's first event remembers of its key: HMAC-SHA-256(key, "reprise/key-check").
    pub fn check(&self) -> Hash {
        Hash::new(self.hmac(b"reprise/key-check"))
    }

    /// The token that belongs to a seed: HMAC-SHA-256(key, seed) as a UUID.
    pub fn token(&self, seed: &Seed) -> Uuid {
        let derived = self.hmac(seed.as_bytes());
        uuid::Builder::from_random_bytes(*derived.first_chunk().expect("32 bytes have 16")).into_uuid()
    }

    /// The text of a token in the log; one without a seed is the user's fixed one.
    pub fn token_of(&self, token: &Token) -> Option<Uuid> {
        match &token.seed {
            Some(seed) => Some(self.token(seed)),
            None => FIXED_TOKENS.iter().find(|(user, _)| *user == token.user_id.get()).map(|(_, fixed)| *fixed),
        }
    }

    fn hmac(&self, message: &[u8]) -> [u8; 32] {
        let mut hmac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        hmac.update(message);
        hmac.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let made = ServerKey::load_or_create(folder.path()).unwrap();
        let mode = std::fs::metadata(folder.path().join(KEY_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(ServerKey::load_or_create(folder.path()).unwrap().check(), made.check());
        assert_eq!(ServerKey::load(folder.path()).unwrap().check(), made.check());
    }

    #[test]
    fn a_key_that_could_not_be_written_leaves_none_behind() {
        let folder = tempfile::tempdir().unwrap();
        let unfinished = folder.path().join(UNFINISHED_KEY_FILE);
        std::os::unix::fs::symlink("/dev/full", &unfinished).unwrap();
        assert!(ServerKey::load_or_create(folder.path()).is_err());
        assert!(!folder.path().join(KEY_FILE).exists());
        std::fs::remove_file(&unfinished).unwrap();
        std::fs::write(&unfinished, "half a k").unwrap();
        let made = ServerKey::load_or_create(folder.path()).unwrap();
        assert_eq!(ServerKey::load(folder.path()).unwrap().check(), made.check());
    }

    #[test]
    fn a_file_that_is_no_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(ServerKey::load(folder.path()).is_err());
        std::fs::write(folder.path().join(KEY_FILE), "short\n").unwrap();
        assert!(ServerKey::load(folder.path()).is_err());
        assert!(ServerKey::load_or_create(folder.path()).is_err());
    }

    #[test]
    fn a_seed_leads_to_one_token_and_each_key_to_its_own() {
        let seed = Seed::new([1; 16]);
        assert_eq!(ServerKey([1; 32]).token(&seed), ServerKey([1; 32]).token(&seed));
        assert_ne!(ServerKey([1; 32]).token(&seed), ServerKey([2; 32]).token(&seed));
        assert_ne!(ServerKey([1; 32]).token(&seed), ServerKey([1; 32]).token(&Seed::new([2; 16])));
    }
}
