//! Where the command line keeps what it may lose.
//!
//! <https://specifications.freedesktop.org/basedir-spec/latest/>

use std::path::PathBuf;

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
