//! Who may ask for whose token, and who puts money in.

use clap::{Args, ValueEnum};
use domain::Users;

use crate::identity::{Charging, KeysPlace, Settings};

/// How the server knows who somebody is.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Identity")]
pub struct IdentityOptions {
    /// How the server knows which user asks for a token.
    #[arg(long, env = "REPRISE_IDENTITY", default_value = "open", value_name = "WHO")]
    pub identity: IdentityMode,
    /// The identity provider's keys, a JWK set: a file, or an address (`https`, or `http` on loopback).
    #[arg(long, env = "REPRISE_JWT_KEYS", value_name = "FILE|URL")]
    pub jwt_keys: Option<KeysPlace>,
    /// The value that `iss` of a JWT must have. Former issuers may follow the current one, separated by commas.
    #[arg(long, env = "REPRISE_JWT_ISSUER", value_name = "ISSUER", value_delimiter = ',')]
    pub jwt_issuer: Vec<String>,
    /// The value that `aud` of a JWT must contain.
    #[arg(long, env = "REPRISE_JWT_AUDIENCE", value_name = "AUDIENCE")]
    pub jwt_audience: Option<String>,
    /// The claim that holds a user's id [default: none; the server gives each `sub` an id].
    #[arg(long, env = "REPRISE_JWT_USER_CLAIM", value_name = "CLAIM")]
    pub jwt_user_claim: Option<String>,
    /// The claim that lists roles; a dot goes one level down, as in `realm_access.roles`.
    #[arg(long, env = "REPRISE_JWT_ROLES_CLAIM", value_name = "PATH", default_value = "roles")]
    pub jwt_roles_claim: String,
    /// How far the provider's clock may differ from this machine's, in seconds.
    #[arg(
        long,
        env = "REPRISE_JWT_LEEWAY_SECONDS",
        value_name = "SECONDS",
        default_value_t = 30,
        value_parser = clap::value_parser!(u32).range(..=300)
    )]
    pub jwt_leeway_seconds: u32,
    /// Who may charge wallets [default: `own` with `--identity open`, `cashier` with `--identity jwt`].
    #[arg(long, env = "REPRISE_CHARGE", value_name = "WHO")]
    pub charge: Option<Charging>,
}

/// How the server knows who asks for a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum IdentityMode {
    /// It does not check: anyone may ask for any user's token. For demos and load tests.
    Open,
    /// By a JSON Web Token of an identity provider.
    Jwt,
}

/// Options that contradict each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentityProblem {
    #[error("`--demo` lets anyone act as any user: start it without `--identity jwt`")]
    Demo,
    #[error("`--identity jwt` needs `{0}`")]
    Needs(&'static str),
    #[error("`{0}` has no effect without `--identity jwt`")]
    WithoutJwt(&'static str),
    #[error("`--charge cashier` needs `--identity jwt`, which says who is a cashier")]
    Cashier,
    #[error("the users of this log are known by `sub`: start it with `--identity jwt` and without `--jwt-user-claim`")]
    UsersAreMapped,
    #[error("the users of this log have ids of their own: start it with `--jwt-user-claim`, or with `--identity open`")]
    UsersHaveIds,
}

impl IdentityProblem {
    /// Whether only a person can decide how it goes on.
    pub fn needs_a_person(self) -> bool {
        matches!(self, Self::UsersAreMapped | Self::UsersHaveIds)
    }
}

impl IdentityOptions {
    /// What the provider's tokens must be; `None` where everyone is believed.
    ///
    /// # Errors
    /// Options are missing, or contradict each other.
    pub fn settings(&self, is_demo: bool) -> Result<Option<Settings>, IdentityProblem> {
        match self.identity {
            IdentityMode::Open => self.open().map(|()| None),
            IdentityMode::Jwt if is_demo => Err(IdentityProblem::Demo),
            IdentityMode::Jwt => self.jwt().map(Some),
        }
    }

    /// Who puts money in.
    pub fn charging(&self) -> Charging {
        self.charge.unwrap_or(match self.identity {
            IdentityMode::Open => Charging::Own,
            IdentityMode::Jwt => Charging::Cashier,
        })
    }

    /// Whether users are named in the way in which those of the log are; a log without users takes either.
    ///
    /// # Errors
    /// They are not: then one person would be two users.
    pub fn check(&self, users: &Users) -> Result<(), IdentityProblem> {
        let maps = self.identity == IdentityMode::Jwt && self.jwt_user_claim.is_none();
        match users.are_mapped() {
            Some(true) if !maps => Err(IdentityProblem::UsersAreMapped),
            Some(false) if maps => Err(IdentityProblem::UsersHaveIds),
            Some(_) | None => Ok(()),
        }
    }

    fn open(&self) -> Result<(), IdentityProblem> {
        let given = [
            ("--jwt-keys", self.jwt_keys.is_some()),
            ("--jwt-issuer", !self.jwt_issuer.is_empty()),
            ("--jwt-audience", self.jwt_audience.is_some()),
            ("--jwt-user-claim", self.jwt_user_claim.is_some()),
        ];
        if let Some((option, _)) = given.into_iter().find(|(_, is_given)| *is_given) {
            return Err(IdentityProblem::WithoutJwt(option));
        }
        if self.charging() == Charging::Cashier { Err(IdentityProblem::Cashier) } else { Ok(()) }
    }

    fn jwt(&self) -> Result<Settings, IdentityProblem> {
        let issuers: Vec<String> = self.jwt_issuer.iter().filter(|issuer| !issuer.is_empty()).cloned().collect();
        if issuers.is_empty() {
            return Err(IdentityProblem::Needs("--jwt-issuer"));
        }
        Ok(Settings {
            keys: self.jwt_keys.clone().ok_or(IdentityProblem::Needs("--jwt-keys"))?,
            issuers,
            audience: self.jwt_audience.clone().ok_or(IdentityProblem::Needs("--jwt-audience"))?,
            user_claim: self.jwt_user_claim.clone(),
            roles_claim: self.jwt_roles_claim.clone(),
            leeway_seconds: self.jwt_leeway_seconds,
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::config::{Cli, Command};

    /// The settings, or what is wrong, of `serve` with these options.
    fn read(options: &[&str]) -> Result<Option<(Settings, Charging)>, IdentityProblem> {
        let cli = Cli::try_parse_from(["reprise", "serve"].iter().chain(options)).unwrap();
        let Command::Serve(serve) = cli.command else { panic!("another command") };
        let settings = serve.identity.settings(serve.demo)?;
        Ok(settings.map(|settings| (settings, serve.identity.charging())))
    }

    const JWT: [&str; 12] = [
        "--identity",
        "jwt",
        "--jwt-keys",
        "k.json",
        "--jwt-issuer",
        "https://a,https://b",
        "--jwt-audience",
        "x",
        "--jwt-user-claim",
        "uid",
        "--charge",
        "own",
    ];

    #[test]
    fn a_provider_has_keys_an_issuer_and_an_audience() {
        let (settings, charging) = read(&JWT).unwrap().unwrap();
        assert_eq!(settings.issuers, ["https://a", "https://b"]);
        assert_eq!((settings.roles_claim.as_str(), settings.leeway_seconds, charging), ("roles", 30, Charging::Own));
        for (index, option) in [(2, "--jwt-keys"), (4, "--jwt-issuer"), (6, "--jwt-audience")] {
            let without: Vec<&str> = [&JWT[..index], &JWT[index + 2..]].concat();
            assert_eq!(read(&without).unwrap_err(), IdentityProblem::Needs(option));
        }
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        assert_eq!(read(&[&JWT[..], &["--demo"]].concat()).unwrap_err(), IdentityProblem::Demo);
        assert_eq!(read(&["--charge", "cashier"]).unwrap_err(), IdentityProblem::Cashier);
        assert_eq!(read(&["--jwt-issuer", "x"]).unwrap_err(), IdentityProblem::WithoutJwt("--jwt-issuer"));
        assert_eq!(read(&JWT[..8]).unwrap().unwrap().1, Charging::Cashier);
        assert!(read(&[]).unwrap().is_none() && read(&["--demo"]).unwrap().is_none());
    }

    #[test]
    fn users_are_named_as_those_of_the_log() {
        let options = |options: &[&str]| {
            let cli = Cli::try_parse_from(["reprise", "serve"].iter().chain(options)).unwrap();
            let Command::Serve(serve) = cli.command else { panic!("another command") };
            serve.identity
        };
        let mut mapped = Users::default();
        mapped.register(domain::Hash::new([7; 32]), domain::UserId::FIRST);
        let (open, by_id, by_subject) = (options(&[]), options(&JWT), options(&JWT[..8]));
        for any in [&open, &by_id, &by_subject] {
            assert_eq!(any.check(&Users::default()), Ok(()), "a log without users takes either");
        }
        assert_eq!(by_subject.check(&mapped), Ok(()));
        assert_eq!(by_id.check(&mapped), Err(IdentityProblem::UsersAreMapped));
        assert_eq!(open.check(&mapped), Err(IdentityProblem::UsersAreMapped));
    }

    #[test]
    fn a_leeway_is_five_minutes_at_most() {
        let leeway = |seconds: &str| Cli::try_parse_from(["reprise", "serve", "--jwt-leeway-seconds", seconds]);
        assert!(leeway("300").is_ok() && leeway("0").is_ok());
        assert!(leeway("301").is_err());
    }
}
