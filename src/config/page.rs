//! The pages: whether there is one to buy on, and how people sign in on it.

use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};

use crate::api::Login;

/// The pages of `reprise serve`.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "The page")]
pub struct PageOptions {
    /// Serve no page for buyers at `/`. The HTTP interface stays the same.
    #[arg(long, env = "REPRISE_NO_PAGE", value_parser = FalseyValueParser::new())]
    pub no_page: bool,
    /// The page's client id at the identity provider: a public client of OpenID Connect, whose redirect URI is the
    /// page's address. The provider is the first `--jwt-issuer`.
    #[arg(long, env = "REPRISE_LOGIN_CLIENT_ID", value_name = "ID")]
    pub login_client_id: Option<String>,
    /// The scope that the page asks for.
    #[arg(long, env = "REPRISE_LOGIN_SCOPE", value_name = "SCOPE", default_value = "openid")]
    pub login_scope: String,
    /// More parameters of the sign-in, as a query: `audience=https://tickets.example`.
    #[arg(long, env = "REPRISE_LOGIN_PARAMETERS", value_name = "QUERY", default_value = "")]
    pub login_parameters: String,
    /// The provider's token that the page sends to the server.
    #[arg(long, env = "REPRISE_LOGIN_TOKEN", value_name = "TOKEN", default_value = "access")]
    pub login_token: LoginToken,
}

impl PageOptions {
    /// How people sign in on the page, where tokens of `issuer` are accepted and the page has a name there.
    pub fn login(&self, issuer: Option<&str>) -> Option<Login> {
        Some(Login {
            issuer: issuer?.to_owned(),
            client_id: self.login_client_id.clone()?,
            scope: self.login_scope.clone(),
            parameters: self.login_parameters.clone(),
            token: match self.login_token {
                LoginToken::Access => "access",
                LoginToken::Id => "id",
            },
        })
    }
}

/// A token of OpenID Connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LoginToken {
    /// The access token.
    Access,
    /// The ID token.
    Id,
}
