//! The server's key, and the tokens that it derives. The log holds hashes of tokens, and the seeds from which they are
//! derived. Without this key a reader of the log cannot act as a user.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use domain::{Hash, Nonce, Seed, Token, TokenHash, UserId};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::log::sync_names;

/// The key's file in the data folder.
pub const KEY_FILE: &str = "server.key";
/// The ending of the key file's name while it is made.
const UNFINISHED: &str = ".new";

/// The demo's fixed tokens, which published load scripts use. Tokens without a seed are these.
const FIXED_TOKENS: [(u64, Uuid); 3] = [
    (1, Uuid::from_u128(0x96cdc907_fbae_4ebb_8c60_b27fa841b60d)),
    (2, Uuid::from_u128(0xeca61a00_954d_4a88_ade7_d24fbd53d588)),
    (3, Uuid::from_u128(0x1700e3de_f017_4ae3_90ba_9e2d5c5714de)),
];

/// The users who have a fixed token, with its hash.
pub fn fixed_tokens() -> impl Iterator<Item = (UserId, TokenHash)> {
    FIXED_TOKENS.iter().filter_map(|(user, token)| Some((UserId::try_from(*user).ok()?, token_hash(token))))
}

/// The hash of a token in the log: SHA-256 of its text in lower case with hyphens.
pub fn token_hash(token: &Uuid) -> TokenHash {
    TokenHash::new(Sha256::digest(&*token.hyphenated().encode_lower(&mut Uuid::encode_buffer())).into())
}

/// A secret of 32 random bytes.
#[derive(Clone)]
pub struct ServerKey([u8; 32]);

impl ServerKey {
    /// Makes a key in the file `path`, readable only by its owner, and syncs it before anything can depend on it. An
    /// existing key stays: if several nodes start at once, one makes the key and the others read it.
    ///
    /// # Errors
    /// The file's folder cannot be written, or the file is not a key.
    pub fn load_or_create(path: &Path) -> io::Result<Self> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(io::Error::other)?;
        Self(key).keep(path)
    }

    /// Puts a key that is not secret into the file `path`, for a log that is made for measuring. An existing key stays.
    ///
    /// # Errors
    /// The file's folder cannot be written, or the file is not a key.
    pub fn known(bytes: [u8; 32], path: &Path) -> io::Result<Self> {
        Self(bytes).keep(path)
    }

    fn keep(self, path: &Path) -> io::Result<Self> {
        if path.try_exists()? {
            return Self::load(path);
        }
        // Write under another name until the key is whole: half a key, left by a kill or a full disk, would be refused
        // for ever.
        let unfinished = unfinished(path);
        let mut file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&unfinished)?;
        file.lock()?;
        // While this process waited for the lock, another one may have made the key.
        if path.try_exists()? {
            return Self::load(path);
        }
        file.set_len(0)?;
        writeln!(file, "{}", Hash::new(self.0))?;
        file.sync_all()?;
        std::fs::rename(&unfinished, path)?;
        sync_names(parent(path))?;
        Ok(self)
    }

    /// Reads the key in the file `path`.
    ///
    /// # Errors
    /// There is no file, or it is not a key.
    pub fn load(path: &Path) -> io::Result<Self> {
        let mut text = String::new();
        File::open(path)?.take(1_024).read_to_string(&mut text)?;
        let not_a_key = |_| io::Error::new(io::ErrorKind::InvalidData, "it holds no key of 64 hexadecimal digits");
        let hash: Hash = serde_json::from_value(text.trim().into()).map_err(not_a_key)?;
        Ok(Self(*hash.as_bytes()))
    }

    /// The check value in a log's first event: HMAC-SHA-256(key, "reprise/key-check").
    pub fn check(&self) -> Hash {
        Hash::new(self.hmac(b"reprise/key-check"))
    }

    /// Derives the token of a seed: HMAC-SHA-256(key, seed) as a UUID.
    pub fn token(&self, seed: &Seed) -> Uuid {
        let derived = self.hmac(seed.as_bytes());
        uuid::Builder::from_random_bytes(*derived.first_chunk().expect("32 bytes have 16")).into_uuid()
    }

    /// Derives the text of a token in the log. A token without a seed is the user's fixed one.
    pub fn token_of(&self, token: &Token) -> Option<Uuid> {
        match &token.seed {
            Some(seed) => Some(self.token(seed)),
            None => FIXED_TOKENS.iter().find(|(user, _)| *user == token.user_id.get()).map(|(_, fixed)| *fixed),
        }
    }

    /// Derives the seed of a draw: HMAC-SHA-256(key, "reprise/draw" ‖ log id ‖ nonce). So it is not stored before the
    /// draw.
    pub fn draw_seed(&self, log_id: &Uuid, nonce: &Nonce) -> Hash {
        Hash::new(self.hmac(&[b"reprise/draw".as_slice(), log_id.as_bytes(), nonce.as_bytes()].concat()))
    }

    /// Derives the subject of a provider's user, as it stands in the log: HMAC-SHA-256(key, "reprise/subject" ‖ issuer
    /// ‖ 0 ‖ sub).
    pub fn subject(&self, issuer: &str, sub: &str) -> Hash {
        Hash::new(self.hmac(&[b"reprise/subject", issuer.as_bytes(), &[0], sub.as_bytes()].concat()))
    }

    fn hmac(&self, message: &[u8]) -> [u8; 32] {
        let mut hmac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        hmac.update(message);
        hmac.finalize().into_bytes().into()
    }
}

fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(UNFINISHED);
    name.into()
}

/// The folder of a file.
fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(KEY_FILE);
        let made = ServerKey::load_or_create(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(ServerKey::load_or_create(&path).unwrap().check(), made.check());
        assert_eq!(ServerKey::load(&path).unwrap().check(), made.check());
    }

    #[test]
    fn of_many_nodes_that_start_at_once_one_makes_the_key() {
        for _ in 0..50 {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(KEY_FILE);
            let makers: Vec<_> = (0..8)
                .map(|_| {
                    let path = path.clone();
                    std::thread::spawn(move || ServerKey::load_or_create(&path).unwrap().check())
                })
                .collect();
            for maker in makers {
                assert_eq!(maker.join().unwrap(), ServerKey::load(&path).unwrap().check());
            }
        }
    }

    #[test]
    fn a_key_that_could_not_be_written_leaves_none_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(KEY_FILE);
        let unfinished = unfinished(&path);
        std::os::unix::fs::symlink("/dev/full", &unfinished).unwrap();
        assert!(ServerKey::load_or_create(&path).is_err());
        assert!(!path.exists());
        std::fs::remove_file(&unfinished).unwrap();
        std::fs::write(&unfinished, "half a k").unwrap();
        let made = ServerKey::load_or_create(&path).unwrap();
        assert_eq!(ServerKey::load(&path).unwrap().check(), made.check());
        assert!(!unfinished.exists());
    }

    #[test]
    fn a_file_that_is_no_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(KEY_FILE);
        assert!(ServerKey::load(&path).is_err());
        std::fs::write(&path, "short\n").unwrap();
        assert!(ServerKey::load(&path).is_err());
        assert!(ServerKey::load_or_create(&path).is_err());
    }

    #[test]
    fn a_seed_leads_to_one_token_and_each_key_to_its_own() {
        let seed = Seed::new([1; 16]);
        assert_eq!(ServerKey([1; 32]).token(&seed), ServerKey([1; 32]).token(&seed));
        assert_ne!(ServerKey([1; 32]).token(&seed), ServerKey([2; 32]).token(&seed));
        assert_ne!(ServerKey([1; 32]).token(&seed), ServerKey([1; 32]).token(&Seed::new([2; 16])));
    }
}
