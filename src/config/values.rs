//! From the text of a setting to its value; a fault says what the text must be.
//!
//! A fault never repeats what could be a secret.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::str::FromStr;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::SecretString;
use url::Url;

pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    let address = text.parse().ok();
    address.ok_or_else(|| "must be an address and a port, such as `0.0.0.0:8080`".to_owned())
}

/// Where a server or a forge is; the fault says what it must be.
pub fn web_address(text: &str) -> Result<Url, String> {
    let fault = "must be an address such as `https://bot.example`: http or https, and nothing behind the path";
    let url = Url::parse(text).map_err(|_malformed| fault.to_owned())?;
    let plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if matches!(url.scheme(), "http" | "https") && url.has_host() && plain {
        Ok(url)
    } else {
        Err(fault.to_owned())
    }
}

/// The issuer of identities: a host of its own on github.com, a path below an Enterprise
/// Server (<https://docs.github.com/en/enterprise-server/actions/concepts/security/openid-connect>).
pub(super) fn issuer_of(web: &Url) -> Url {
    let mut issuer = web.clone();
    if web.host_str() == Some("github.com") {
        let host = Some("token.actions.githubusercontent.com");
        issuer.set_host(host).unwrap_or_default();
    } else {
        issuer.set_path("/_services/token");
    }
    issuer
}

/// The REST interface of a forge: a host of its own on github.com, a path below an
/// Enterprise Server (<https://docs.github.com/en/enterprise-server/rest/overview>).
pub(super) fn api_of(web: &Url) -> Url {
    let mut api = web.clone();
    if web.host_str() == Some("github.com") {
        api.set_host(Some("api.github.com")).unwrap_or_default();
    } else {
        api.set_path("/api/v3");
    }
    api
}

pub(super) fn private_key(text: &str) -> Result<SecretString, String> {
    let is_pem = |text: &str| text.contains("-----BEGIN ");
    if is_pem(text) {
        return signing(text);
    }
    // The value is not repeated in the fault: it may be a damaged key.
    let read = std::fs::read_to_string(Path::new(text)).map_err(|error| {
        format!(
            "must be the text of the app's `.pem` file or the path of that file, which cannot be read here: {}",
            error.kind()
        )
    })?;
    if is_pem(&read) {
        return signing(&read);
    }
    Err(
        "names a file that holds no PEM text: give the `.pem` file that GitHub made for the app"
            .to_owned(),
    )
}

/// A key that signs as GitHub wants it, tried out here: told with all other faults, and not
/// when the first token is wanted
/// ([RS256](https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app)).
fn signing(pem: &str) -> Result<SecretString, String> {
    let signed = EncodingKey::from_rsa_pem(pem.as_bytes()).and_then(|key| {
        let nothing: BTreeMap<&str, u64> = BTreeMap::new();
        jsonwebtoken::encode(&Header::new(Algorithm::RS256), &nothing, &key)
    });
    // The cause is not told: it could quote the key.
    signed.map(|_| pem.into()).map_err(|_unfit| {
        "is no RSA private key: give the `.pem` file that GitHub made for the app, unchanged"
            .to_owned()
    })
}

pub(super) fn bot_name(text: &str) -> Result<String, String> {
    let fits = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if fits {
        Ok(text.to_owned())
    } else {
        Err(
            "must be the app's login, of letters, digits and hyphens, without `@` and `[bot]`"
                .to_owned(),
        )
    }
}

/// A number from 1.
pub(super) fn number<T: FromStr + Default + PartialOrd>(text: &str) -> Result<T, String> {
    match text.parse() {
        Ok(number) if number > T::default() => Ok(number),
        Ok(_) | Err(_) => Err("must be a whole number from 1".to_owned()),
    }
}
