//! The server's settings: from flags and the environment, checked at once.
//!
//! A server with a wrong setting does not start, and says all that is wrong in one
//! go. Flags win over variables, variables over defaults. [`reference()`] is the
//! table that the documentation is generated from.
//!
//! This is the only reader of the environment; no setting is global, and no secret
//! has a `Debug` with content.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

mod dirs;
mod read;
mod values;

pub use dirs::{cache_dir, data_dir};
pub use read::{AppAccess, ReadAccess};
pub use values::web_address;

use values::{address, api_of, bot_name, issuer_of, number, private_key};

/// The settings of a server.
#[derive(Debug)]
pub struct Config {
    /// Where people and the forge reach this server.
    pub public_url: Url,
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where store and mirrors lie.
    pub data_dir: PathBuf,
    /// The app on GitHub.
    pub github: GithubApp,
    /// The login by which people may speak to the bot, beside `/trimtab`.
    pub bot_name: String,
    /// Who may see its numbers.
    pub metrics: MetricsAccess,
    /// How it logs.
    pub log: Log,
    /// What bounds its memory and its work.
    pub limits: Limits,
}

/// The app on GitHub.
#[derive(Debug)]
pub struct GithubApp {
    /// The app's number.
    pub app_id: u64,
    /// The app's key, as PEM text.
    pub private_key: SecretString,
    /// The secrets that a webhook may be signed with: the current one first.
    pub webhook_secrets: Vec<SecretString>,
    /// Where repositories are: `https://github.com`, or an Enterprise Server.
    pub web_url: Url,
    /// Where the REST interface is: `https://api.github.com`, or `.../api/v3`.
    pub api_url: Url,
    /// Who signs the identities of runs.
    pub actions_issuer: Url,
}

/// Who may see a server's numbers. With neither setting nobody does.
#[derive(Debug)]
pub struct MetricsAccess {
    /// An address of their own, which the internet does not reach.
    pub listen: Option<SocketAddr>,
    /// What a reader has to send, on either address.
    pub token: Option<SecretString>,
}

/// What signs a webhook for a server.
#[derive(Debug)]
pub struct Hook {
    /// The secret.
    pub secret: SecretString,
    /// The number of the app that the webhook is for.
    pub app_id: u64,
}

impl Hook {
    /// Reads the two settings from the environment of this process.
    pub fn from_env() -> Result<Self, Invalid> {
        let mut reader = Reader {
            vars: &variable,
            faults: Vec::new(),
        };
        let secret = reader.read("WEBHOOK_SECRET", |text| Ok(SecretString::from(text)));
        let app_id = reader.read("APP_ID", number);
        match secret.zip(app_id) {
            Some((secret, app_id)) => Ok(Self { secret, app_id }),
            None => Err(Invalid(reader.faults)),
        }
    }
}

/// How a server logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Log {
    /// Text for people or JSON for machines.
    pub format: LogFormat,
    /// The least important level that is written.
    pub level: tracing::Level,
}

/// The shape of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What bounds memory and work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a webhook's body; GitHub sends at most 25 MB.
    pub body_bytes: usize,
    /// Bytes of pages that the store keeps in memory.
    pub store_cache_bytes: u64,
    /// Tasks of the plan lane at once.
    pub plan_tasks: usize,
    /// Tasks of the background lane at once.
    pub background_tasks: usize,
}

/// All faults of the settings.
#[derive(Debug, PartialEq, Eq)]
pub struct Invalid(pub Vec<String>);

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("these settings cannot be used (docs/operations.md has all of them):")?;
        self.0.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

impl std::error::Error for Invalid {}

/// One setting, as the documentation shows it.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// The variable.
    pub name: &'static str,
    /// What it is when it is not set; `None` when it must be set.
    pub default: Option<&'static str>,
    /// What it means.
    pub meaning: &'static str,
}

const fn setting(
    name: &'static str,
    default: Option<&'static str>,
    meaning: &'static str,
) -> Setting {
    Setting {
        name,
        default,
        meaning,
    }
}

const DATA_DIR: &str = "/var/lib/trimtab";

const SETTINGS: &[Setting] = &[
    setting(
        "PUBLIC_URL",
        None,
        "where people and the forge reach this server",
    ),
    setting("APP_ID", None, "the GitHub App's id, a number"),
    setting(
        "PRIVATE_KEY",
        None,
        "the app's key: PEM text, or the path of a file with it",
    ),
    setting(
        "WEBHOOK_SECRET",
        None,
        "the secret that webhooks are signed with",
    ),
    setting(
        "WEBHOOK_SECRET_OLD",
        Some(""),
        "a former secret that is accepted while it is replaced",
    ),
    setting(
        "GITHUB_URL",
        Some("https://github.com"),
        "the forge; for an Enterprise Server its address",
    ),
    setting(
        "GITHUB_API_URL",
        Some(""),
        "the REST interface; found from GITHUB_URL when empty",
    ),
    setting(
        "ACTIONS_ISSUER",
        Some(""),
        "who signs the identities of runs; found from GITHUB_URL when empty",
    ),
    setting(
        "DATA_DIR",
        Some(DATA_DIR),
        "where store and mirrors lie: a local disk, one process",
    ),
    setting(
        "LISTEN",
        Some("0.0.0.0:8080"),
        "the address and port to listen on",
    ),
    setting(
        "METRICS_LISTEN",
        Some(""),
        "an address and port of its own for `/metrics`, away from the internet",
    ),
    setting(
        "METRICS_TOKEN",
        Some(""),
        "the bearer token that opens `/metrics`; demanded on either address",
    ),
    setting(
        "BOT_NAME",
        Some("trimtab"),
        "the login that commands may begin with: `@NAME plan`",
    ),
    setting("LOG_FORMAT", Some("text"), "`text` or `json`"),
    setting(
        "LOG_LEVEL",
        Some("info"),
        "`error`, `warn`, `info`, `debug` or `trace`",
    ),
    setting(
        "MAX_BODY_BYTES",
        Some("26214400"),
        "the largest webhook body that is read",
    ),
    setting(
        "STORE_CACHE_BYTES",
        Some("16777216"),
        "memory that the store keeps pages in",
    ),
    setting(
        "PLAN_TASKS",
        Some("4"),
        "tasks that somebody waits for, run at once",
    ),
    setting("BACKGROUND_TASKS", Some("2"), "other tasks, run at once"),
];

/// Every setting, in the order of the documentation.
pub fn reference() -> &'static [Setting] {
    SETTINGS
}

impl Config {
    /// Reads flags first, then the environment of this process.
    pub fn from_env(flags: impl Fn(&str) -> Option<String>) -> Result<Self, Invalid> {
        Self::from_vars(|name| flags(name).or_else(|| variable(name)))
    }

    /// Reads settings by name; reports all faults at once.
    pub fn from_vars(vars: impl Fn(&str) -> Option<String>) -> Result<Self, Invalid> {
        let mut reader = Reader {
            vars: &vars,
            faults: Vec::new(),
        };
        let config = reader.config();
        match config {
            Some(config) if reader.faults.is_empty() => Ok(config),
            _ => Err(Invalid(reader.faults)),
        }
    }

    /// Where the store lies.
    pub fn store_dir(&self) -> PathBuf {
        self.data_dir.join("store")
    }

    /// Where the mirrors lie.
    pub fn mirror_dir(&self) -> PathBuf {
        self.data_dir.join("mirrors")
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one reader")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

struct Reader<'a> {
    vars: &'a dyn Fn(&str) -> Option<String>,
    faults: Vec<String>,
}

impl Reader<'_> {
    fn config(&mut self) -> Option<Config> {
        // Every part is read before any `?`, so that all faults are found.
        let public_url = self.read("PUBLIC_URL", web_address);
        let listen = self.read("LISTEN", address);
        let data_dir = self.read("DATA_DIR", |text| Ok(PathBuf::from(text)));
        let github = self.github();
        let metrics = self.metrics();
        let bot_name = self.read("BOT_NAME", bot_name);
        let log = self.log();
        let limits = self.limits();
        Some(Config {
            public_url: public_url?,
            listen: listen?,
            data_dir: data_dir?,
            github: github?,
            bot_name: bot_name?,
            metrics: metrics?,
            log: log?,
            limits: limits?,
        })
    }

    fn github(&mut self) -> Option<GithubApp> {
        let app_id = self.read("APP_ID", number);
        let private_key = self.read("PRIVATE_KEY", private_key);
        let secret = self.read("WEBHOOK_SECRET", |text| Ok(SecretString::from(text)));
        let old = self.read("WEBHOOK_SECRET_OLD", |text| Ok(SecretString::from(text)));
        let web_url = self.read("GITHUB_URL", web_address);
        let api_url = self.read("GITHUB_API_URL", |text| match text {
            "" => Ok(None),
            text => web_address(text).map(Some),
        });
        let issuer = self.read("ACTIONS_ISSUER", |text| match text {
            "" => Ok(None),
            text => web_address(text).map(Some),
        });
        let web_url = web_url?;
        let old = old.filter(|old| !old.expose_secret().is_empty());
        Some(GithubApp {
            app_id: app_id?,
            private_key: private_key?,
            webhook_secrets: secret.into_iter().chain(old).collect(),
            api_url: api_url?.unwrap_or_else(|| api_of(&web_url)),
            actions_issuer: issuer?.unwrap_or_else(|| issuer_of(&web_url)),
            web_url,
        })
    }

    fn metrics(&mut self) -> Option<MetricsAccess> {
        let listen = self.read("METRICS_LISTEN", |text| match text {
            "" => Ok(None),
            text => address(text).map(Some),
        });
        let token = self.read("METRICS_TOKEN", |text| match text.len() {
            0 => Ok(None),
            1..16 => Err(
                "must have 16 characters or more; `openssl rand -hex 32` prints such a one"
                    .to_owned(),
            ),
            _ => Ok(Some(SecretString::from(text))),
        });
        Some(MetricsAccess {
            listen: listen?,
            token: token?,
        })
    }

    fn log(&mut self) -> Option<Log> {
        let format = self.read("LOG_FORMAT", |text| match text {
            "text" => Ok(LogFormat::Text),
            "json" => Ok(LogFormat::Json),
            _ => Err("must be `text` or `json`".to_owned()),
        });
        let level = self.read("LOG_LEVEL", |text| {
            let unknown = "must be `error`, `warn`, `info`, `debug` or `trace`";
            text.parse().ok().ok_or_else(|| unknown.to_owned())
        });
        Some(Log {
            format: format?,
            level: level?,
        })
    }

    fn limits(&mut self) -> Option<Limits> {
        let body_bytes = self.read("MAX_BODY_BYTES", number);
        let store_cache_bytes = self.read("STORE_CACHE_BYTES", number);
        let plan_tasks = self.read("PLAN_TASKS", number);
        let background_tasks = self.read("BACKGROUND_TASKS", number);
        Some(Limits {
            body_bytes: body_bytes?,
            store_cache_bytes: store_cache_bytes?,
            plan_tasks: plan_tasks?,
            background_tasks: background_tasks?,
        })
    }

    /// One setting; a fault is noted and gives `None`.
    fn read<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let given = (self.vars)(name).map(|text| text.trim().to_owned());
        let known = SETTINGS.iter().find(|setting| setting.name == name);
        let default = known.and_then(|setting| setting.default);
        let given = given.filter(|text| !text.is_empty());
        let Some(text) = given.or_else(|| default.map(str::to_owned)) else {
            let meaning = known.map_or("", |setting| setting.meaning);
            self.faults.push(format!("{name} must be set: {meaning}"));
            return None;
        };
        parse(&text)
            .map_err(|fault| self.faults.push(format!("{name} {fault}")))
            .ok()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::LazyLock;

    use aws_lc_rs::encoding::{AsDer as _, EcPrivateKeyRfc5915Der, Pkcs8V1Der};
    use aws_lc_rs::rsa::{KeyPair, KeySize};
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;

    use super::*;

    /// A key of the app, made anew in every run.
    static PEM: LazyLock<String> = LazyLock::new(|| {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        pem("PRIVATE KEY", der.as_ref())
    });

    fn pem(kind: &str, der: &[u8]) -> String {
        let body = BASE64_STANDARD.encode(der);
        format!("-----BEGIN {kind}-----\n{body}\n-----END {kind}-----")
    }

    fn whole() -> [(&'static str, &'static str); 4] {
        [
            ("PUBLIC_URL", "https://bot.example"),
            ("APP_ID", "7"),
            ("PRIVATE_KEY", PEM.as_str()),
            ("WEBHOOK_SECRET", "It's a Secret to Everybody"),
        ]
    }

    fn read(settings: &[(&str, &str)]) -> Result<Config, Invalid> {
        Config::from_vars(|name| {
            let found = settings.iter().rev().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    fn faults(settings: &[(&str, &str)]) -> String {
        read(settings).unwrap_err().to_string()
    }

    #[test]
    fn all_faults_are_reported_at_once() {
        let wrong = [
            ("PUBLIC_URL", "bot.example"),
            ("PRIVATE_KEY", "/nowhere/at/all"),
            ("LISTEN", "8080"),
            ("GITHUB_URL", "ftp://ghe.example"),
            ("METRICS_LISTEN", "9090"),
            ("METRICS_TOKEN", "short"),
            ("BOT_NAME", "trim tab"),
            ("LOG_FORMAT", "xml"),
            ("LOG_LEVEL", "loud"),
            ("PLAN_TASKS", "0"),
        ];
        insta::assert_snapshot!(faults(&wrong), @"
        these settings cannot be used (docs/operations.md has all of them):
          PUBLIC_URL must be an address such as `https://bot.example`: http or https, and nothing behind the path
          LISTEN must be an address and a port, such as `0.0.0.0:8080`
          APP_ID must be set: the GitHub App's id, a number
          PRIVATE_KEY must be the text of the app's `.pem` file or the path of that file, which cannot be read here: entity not found
          WEBHOOK_SECRET must be set: the secret that webhooks are signed with
          GITHUB_URL must be an address such as `https://bot.example`: http or https, and nothing behind the path
          METRICS_LISTEN must be an address and a port, such as `0.0.0.0:8080`
          METRICS_TOKEN must have 16 characters or more; `openssl rand -hex 32` prints such a one
          BOT_NAME must be the app's login, of letters, digits and hyphens, without `@` and `[bot]`
          LOG_FORMAT must be `text` or `json`
          LOG_LEVEL must be `error`, `warn`, `info`, `debug` or `trace`
          PLAN_TASKS must be a whole number from 1
        ");
    }

    #[test]
    fn four_settings_are_enough() {
        let config = read(&whole()).unwrap();
        assert_eq!(config.github.api_url.as_str(), "https://api.github.com/");
        let issuer = config.github.actions_issuer.as_str();
        assert_eq!(issuer, "https://token.actions.githubusercontent.com/");
        assert_eq!(config.limits.body_bytes, 25 << 20);
        assert_eq!(config.store_dir(), Path::new("/var/lib/trimtab/store"));
        assert_eq!(config.github.webhook_secrets.len(), 1);
    }

    #[test]
    fn an_enterprise_server_has_its_interface_below_it() {
        let server = [&whole()[..], &[("GITHUB_URL", "https://ghe.example")]].concat();
        let config = read(&server).unwrap();
        assert_eq!(config.github.api_url.as_str(), "https://ghe.example/api/v3");
        let issuer = config.github.actions_issuer.as_str();
        assert_eq!(issuer, "https://ghe.example/_services/token");
        let fake = [&whole()[..], &[("GITHUB_API_URL", "http://127.0.0.1:9/x")]].concat();
        let config = read(&fake).unwrap();
        assert_eq!(config.github.api_url.as_str(), "http://127.0.0.1:9/x");
    }

    #[test]
    fn a_key_is_read_from_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_str().unwrap();
        let settings = [&whole()[..], &[("PRIVATE_KEY", path)]].concat();
        assert!(faults(&settings).contains("names a file that holds no PEM text"));
        std::fs::write(path, &*PEM).unwrap();
        let config = read(&settings).unwrap();
        assert_eq!(config.github.private_key.expose_secret(), *PEM);
    }

    #[test]
    fn a_key_that_cannot_sign_is_told_with_the_other_faults() {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let der = pair.to_pkcs8v1().unwrap();
        let older: EcPrivateKeyRfc5915Der<'_> = pair.private_key().as_der().unwrap();
        let cut = PEM.replacen("MI", "", 1);
        for key in [
            pem("PRIVATE KEY", der.as_ref()),
            pem("EC PRIVATE KEY", older.as_ref()),
            pem("RSA PRIVATE KEY", b"no key"),
            pem("CERTIFICATE", b"no key"),
            cut,
        ] {
            let wrong = [("APP_ID", "seven"), ("PRIVATE_KEY", &key)];
            let settings = [&whole()[..], &wrong].concat();
            assert_eq!(
                faults(&settings).lines().skip(1).collect::<Vec<_>>(),
                [
                    "  APP_ID must be a whole number from 1",
                    "  PRIVATE_KEY is no RSA private key: give the `.pem` file that GitHub made for the app, unchanged",
                ]
            );
        }
    }

    #[test]
    fn no_secret_is_shown() {
        let settings = [&whole()[..], &[("WEBHOOK_SECRET_OLD", "former secret")]].concat();
        let config = read(&settings).unwrap();
        assert_eq!(config.github.webhook_secrets.len(), 2);
        let shown = format!("{config:?}");
        let body = PEM.lines().nth(1).unwrap();
        for secret in [body, "Everybody", "former"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }

    #[test]
    fn every_setting_that_is_read_is_in_the_reference() {
        let asked = std::cell::RefCell::new(Vec::new());
        let config = Config::from_vars(|name| {
            asked.borrow_mut().push(name.to_owned());
            None
        });
        assert!(config.is_err());
        let mut known: Vec<&str> = reference().iter().map(|setting| setting.name).collect();
        let mut asked = asked.into_inner();
        known.sort_unstable();
        asked.sort_unstable();
        assert_eq!(asked, known);
    }
}
