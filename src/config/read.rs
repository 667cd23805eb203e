//! What a command needs that only reads from a forge: with a token of one's own, or as
//! the app.

use secrecy::SecretString;
use url::Url;

use super::values::{api_of, number, private_key, web_address};
use super::{Invalid, Reader, variable};

/// A token of a person, and where it is good.
#[derive(Debug)]
pub struct ReadAccess {
    /// The token.
    pub token: SecretString,
    /// Where the REST interface is.
    pub api_url: Url,
    /// Where repositories are.
    pub web_url: Url,
}

impl ReadAccess {
    /// Reads `GITHUB_TOKEN`, and where GitHub is, from the environment of this process;
    /// `None` without a token.
    pub fn from_env() -> Result<Option<Self>, Invalid> {
        let token = variable("GITHUB_TOKEN").map(|text| text.trim().to_owned());
        let Some(token) = token.filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let mut reader = Reader {
            vars: &variable,
            faults: Vec::new(),
        };
        let web_url = reader.read("GITHUB_URL", web_address);
        let api_url = reader.read("GITHUB_API_URL", |text| match text {
            "" => Ok(None),
            text => web_address(text).map(Some),
        });
        match (web_url, api_url) {
            (Some(web_url), Some(api_url)) => Ok(Some(Self {
                token: token.into(),
                api_url: api_url.unwrap_or_else(|| api_of(&web_url)),
                web_url,
            })),
            _ => Err(Invalid(reader.faults)),
        }
    }
}

/// The app, for who asks a forge and serves nobody.
#[derive(Debug)]
pub struct AppAccess {
    /// The app's number.
    pub app_id: u64,
    /// The app's key, as PEM text.
    pub private_key: SecretString,
    /// Where the REST interface is.
    pub api_url: Url,
    /// Where repositories are.
    pub web_url: Url,
}

impl AppAccess {
    /// Reads the app's settings, and where GitHub is, from the environment of this process;
    /// a server's other settings need not be there.
    pub fn from_env() -> Result<Self, Invalid> {
        let mut reader = Reader {
            vars: &variable,
            faults: Vec::new(),
        };
        let app_id = reader.read("APP_ID", number);
        let private_key = reader.read("PRIVATE_KEY", private_key);
        let web_url = reader.read("GITHUB_URL", web_address);
        let api_url = reader.read("GITHUB_API_URL", |text| match text {
            "" => Ok(None),
            text => web_address(text).map(Some),
        });
        match (app_id, private_key, web_url, api_url) {
            (Some(app_id), Some(private_key), Some(web_url), Some(api_url)) => Ok(Self {
                app_id,
                private_key,
                api_url: api_url.unwrap_or_else(|| api_of(&web_url)),
                web_url,
            }),
            _ => Err(Invalid(reader.faults)),
        }
    }
}
