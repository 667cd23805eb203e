//! Where the command line keeps what it may lose, and where a server's data lies.
//!
//! <https://specifications.freedesktop.org/basedir-spec/latest/>

use std::path::{Path, PathBuf};

/// The cache directory of this user: `$XDG_CACHE_HOME/trimtab`, else
/// `~/.cache/trimtab`; `None` where neither is known.
#[expect(clippy::disallowed_methods, reason = "config reads the environment")]
pub fn cache_dir() -> Option<PathBuf> {
    let absolute = |path: PathBuf| path.is_absolute().then_some(path);
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .and_then(absolute);
    let home = || {
        std::env::var_os("HOME")
            .map(|home| PathBuf::from(home).join(".cache"))
            .and_then(absolute)
    };
    cache.or_else(home).map(|dir| dir.join("trimtab"))
}

/// Where store and mirrors lie: a flag, else `DATA_DIR`, else the default.
#[expect(clippy::disallowed_methods, reason = "config reads the environment")]
pub fn data_dir(flag: Option<&Path>) -> PathBuf {
    let variable = || std::env::var_os("DATA_DIR").map(PathBuf::from);
    let set = flag.map(Path::to_owned).or_else(variable);
    set.unwrap_or_else(|| super::DATA_DIR.into())
}
