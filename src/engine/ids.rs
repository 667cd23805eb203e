//! Identifiers that every layer shares.
//!
//! Each is a newtype, so that a pull number is never taken for a repository id.
//! Nothing here parses a payload or knows which forge made the identifier.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A git object name: a commit, a tree or a blob, SHA-1 or SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    len: u8,
    bytes: [u8; 32],
}

/// The text is not 40 or 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a git object name of 40 or 64 hexadecimal digits")]
pub struct NotAnObjectId(pub String);

impl ObjectId {
    /// Reads 20 or 32 raw bytes; any other length is `None`.
    pub fn from_bytes(raw: &[u8]) -> Option<Self> {
        let len = u8::try_from(raw.len())
            .ok()
            .filter(|len| matches!(len, 20 | 32))?;
        let mut bytes = [0; 32];
        bytes.get_mut(..raw.len())?.copy_from_slice(raw);
        Some(Self { len, bytes })
    }

    /// The raw bytes: 20 for SHA-1, 32 for SHA-256.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes
            .get(..usize::from(self.len))
            .unwrap_or(&self.bytes)
    }

    /// The first seven digits, as people write them.
    pub fn short(&self) -> String {
        let mut text = self.to_string();
        text.truncate(7);
        text
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes()
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ObjectId {
    type Err = NotAnObjectId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fault = || NotAnObjectId(text.chars().take(80).collect());
        let digits: Vec<u8> = text
            .bytes()
            .map(|byte| {
                char::from(byte)
                    .to_digit(16)
                    .and_then(|digit| u8::try_from(digit).ok())
            })
            .collect::<Option<_>>()
            .ok_or_else(fault)?;
        let (pairs, rest) = digits.as_chunks::<2>();
        let raw: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
        if rest.is_empty() {
            Self::from_bytes(&raw).ok_or_else(fault)
        } else {
            Err(fault())
        }
    }
}

impl Serialize for ObjectId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ObjectId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The kind of forge that a repository lives on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ForgeKind {
    /// github.com or GitHub Enterprise Server.
    Github,
    /// gitlab.com or a self-managed instance.
    Gitlab,
    /// A checkout on this machine.
    Local,
}

impl ForgeKind {
    /// The word used in keys, logs and paths.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Local => "local",
        }
    }
}

macro_rules! numeric_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

numeric_id! {
    /// The forge's number of a repository; it survives renames and transfers.
    RepoId
}
numeric_id! {
    /// The number of a pull request or merge request inside its repository.
    PullNumber
}
numeric_id! {
    /// The app installation (GitHub) or the token's scope (GitLab) that gave access.
    InstallationId
}
numeric_id! {
    /// The forge's number of a user or bot.
    UserId
}

numeric_id! {
    /// A moment: milliseconds since the Unix epoch. `clock.rs` makes one and
    /// reckons with it; everybody else is handed it.
    Timestamp
}

/// What every stored row and every token is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepoKey {
    /// The forge.
    pub forge: ForgeKind,
    /// The installation through which the repository is reached.
    pub installation: InstallationId,
    /// The repository's number.
    pub repo: RepoId,
}

impl fmt::Display for RepoKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}/{}/{}",
            self.forge.as_str(),
            self.installation,
            self.repo
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_id_survives_text_and_bytes() {
        let text = "a1b2c3d4e5f60718293a4b5c6d7e8f9011223344";
        let id: ObjectId = text.parse().unwrap();
        assert_eq!(id.to_string(), text);
        assert_eq!(ObjectId::from_bytes(id.as_bytes()), Some(id));
        assert_eq!(id.short(), "a1b2c3d");
    }

    #[test]
    fn text_of_another_length_is_refused() {
        for text in [
            "",
            "a1b2",
            "zz",
            &"a".repeat(41),
            "ü1b2c3d4e5f60718293a4b5c6d7e8f9011223344",
        ] {
            assert!(text.parse::<ObjectId>().is_err(), "{text}");
        }
    }
}
