//! What people mean by the globs of the configuration.
//!
//! Globs are matched against whole paths from the root, and nobody wants to know that:
//! `./d`, `/d` and `d/` mean a directory and all below it. A glob that is taken word for
//! word and fits nothing would let a job be skipped for ever. So brackets are also those of
//! a name: some frameworks have directories such as `app/[slug]`.

use crate::engine::globs::Glob;

/// The globs that stand for one as it is written, over paths from the root; `None` when it
/// leaves the repository.
pub(super) fn meant(glob: &str) -> Option<Vec<Glob>> {
    let mut parts: Vec<&str> = Vec::new();
    for part in glob.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop().filter(|part| !has_special(part))?;
            }
            part => parts.push(part),
        }
    }
    let all = parts.join("/");
    let is_directory = glob.ends_with('/') || glob.ends_with("/.");
    let mut readings = vec![Glob::written(all.as_str()), Glob::without_classes(&all)];
    readings.dedup();
    let found = readings.into_iter().flat_map(|glob| {
        let last = glob.as_str().rsplit('/').next().unwrap_or_default();
        let is_name = Glob::written(last).parts().1.is_empty();
        match last {
            "" => vec![Glob::below("", "**")],
            "**" => vec![glob],
            _ if is_directory => vec![glob.and_below("**")],
            // A file of this name, or a directory.
            _ if is_name => vec![glob.clone(), glob.and_below("**")],
            _ => vec![glob],
        }
    });
    Some(found.collect())
}

fn has_special(part: &str) -> bool {
    part.contains(['*', '?', '[', ']', '{', '}', '\\'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_means_all_below_it_in_every_spelling() {
        let check = |glob: &str, expected: Option<&str>| {
            let found = meant(glob);
            let shown =
                |globs: &Vec<Glob>| globs.iter().map(Glob::as_str).collect::<Vec<_>>().join(" ");
            let found = found.as_ref().map(shown);
            assert_eq!(found.as_deref(), expected, "{glob}");
        };
        for glob in [
            "d/", "./d/", "/d/", "d/.", "d//", "d/**", "./d/**", "/d/**", "d/**/",
        ] {
            check(glob, Some("d/**"));
        }
        for glob in ["d", "./d", "/d", "x/../d"] {
            check(glob, Some("d d/**"));
        }
        for glob in [".", "./", "/", "**", "a/.."] {
            check(glob, Some("**"));
        }
        check("./src/*.py", Some("src/*.py"));
        check("apps/*/", Some("apps/*/**"));
        check("**/x.json", Some("**/x.json **/x.json/**"));
        check("app/[a]", Some("app/[a] app/[[]a[]] app/[[]a[]]/**"));
        check("app/[a]/", Some("app/[a]/** app/[[]a[]]/**"));
        for glob in ["../d", "a/../../d", "*/../d"] {
            check(glob, None);
        }
    }
}
