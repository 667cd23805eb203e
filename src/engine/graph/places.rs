//! Paths as code computes them, in any language.
//!
//! A path is a beginning and a text in which a mark stands for what is not known. From
//! both comes a glob: a literal beginning and a literal end narrow it, and whatever may
//! climb out of its package reaches as far as it may climb.

use super::super::facts::{Base, Dynamic, Facts, Opened, Reach, When};

/// Stands in a text for a part that is not known.
pub(super) const GAP: char = '\u{1}';
/// Stands in a text for the name of the file itself.
pub(super) const SELF: &str = "\u{2}";
/// How many values a path may have.
pub(super) const VALUES: usize = 6;

/// How a path is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// The file itself, or what a glob in its text fits.
    File,
    /// What lies in it.
    List,
    /// Everything below.
    Walk,
    /// A program runs there.
    Run,
    /// A program is told to read it, be it a file or a directory.
    Told,
}

/// A path: where it begins, and how it goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) base: Base,
    pub(super) text: String,
}

impl Place {
    pub(super) fn new(base: Base, text: impl Into<String>) -> Self {
        Self {
            base,
            text: text.into(),
        }
    }

    pub(super) fn unknown() -> Self {
        Self::new(Base::Package, "")
    }

    pub(super) fn anywhere() -> Self {
        Self::new(Base::Anywhere, "")
    }

    /// Anything in the repository: no directory of which more is known.
    pub(super) fn somewhere() -> Self {
        Self::new(Base::Anywhere, GAP.to_string())
    }

    /// What follows when only the run can tell.
    pub(super) fn blurred(&self) -> Self {
        if self.base == Base::Anywhere || self.text.contains("..") {
            Self::somewhere()
        } else {
            Self::unknown()
        }
    }

    /// The end of a path that climbs out of what nobody knows, where that says anything.
    /// Wherever its last step up leads, what stands behind goes down from there: so the
    /// path ends with it, anywhere.
    pub(super) fn end(&self) -> Option<Self> {
        let parts: Vec<&str> = self.text.split('/').collect();
        let step = parts.iter().rposition(|part| part.contains(".."))?;
        let end = parts.get(step + 1..).unwrap_or_default().join("/");
        (!is_vague(&pattern(&end))).then(|| Self::new(Base::Anywhere, end))
    }

    /// The directory that holds it.
    pub(super) fn parent(&self) -> Self {
        let text = self.text.trim_end_matches('/');
        let cut = text.rsplit_once('/').map_or("", |(dir, _)| dir);
        match text.rsplit('/').next().unwrap_or_default() {
            // What calls give lies in the package, and so does what holds it: `.` stands
            // for that. Two steps up may be anywhere.
            "" if self.base == Base::Package => Self::new(Base::Package, "."),
            "" if self.base == Base::Anywhere => Self::anywhere(),
            "." if self.base == Base::Package => Self::anywhere(),
            // A path that begins with a slash would lie outside.
            "" => Self::new(self.base, ".."),
            "." | ".." => Self::new(self.base, format!("{text}/..")),
            last if last.starts_with(GAP) && cut.is_empty() => Self::anywhere(),
            _ => Self::new(self.base, cut),
        }
    }
}

/// Texts that a literal stands for: none when it lies outside of the repository.
pub(super) fn literal(text: &str) -> Vec<Place> {
    if text.starts_with("/home/runner/work") || text.starts_with("/github/workspace") {
        return vec![Place::anywhere()];
    }
    vec![Place::new(Base::Working, text)]
}

/// The values, without repeats; what is too many becomes what covers them.
pub(super) fn bounded(mut all: Vec<Place>) -> Vec<Place> {
    let mut kept: Vec<Place> = Vec::new();
    all.retain(|place| {
        let is_new = !kept.contains(place);
        if is_new {
            kept.push(place.clone());
        }
        is_new
    });
    if all.len() > VALUES {
        let widest = all
            .iter()
            .map(Place::blurred)
            .max_by_key(|place| place.base);
        return widest.into_iter().collect();
    }
    all
}

/// Every text of the left with every text of the right behind it. A path that is made
/// for the run stays so; as a later part it is a gap.
pub(super) fn concat(left: &[Place], right: &[Place], is_first: &mut bool) -> Vec<Place> {
    if std::mem::take(is_first) {
        return right.to_vec();
    }
    let mut all = Vec::new();
    for place in left {
        if right.is_empty() {
            all.push(Place::new(place.base, format!("{}{GAP}", place.text)));
        }
        for next in right {
            let known = next.base == Base::Working;
            let text = if known {
                next.text.clone()
            } else {
                GAP.to_string()
            };
            let is_blank = place.text.is_empty() && !text.starts_with('/');
            let is_unknown = matches!(place.base, Base::Package | Base::Anywhere);
            let head = if is_blank && is_unknown {
                GAP.to_string()
            } else {
                place.text.clone()
            };
            all.push(Place::new(place.base, head + &text));
        }
    }
    bounded(all)
}

pub(super) fn join(left: &[Place], right: &[Place]) -> Vec<Place> {
    let mut all = Vec::new();
    for place in left {
        if right.is_empty() {
            all.push(Place::new(place.base, format!("{}/{GAP}", place.text)));
        }
        for next in right {
            match next.base {
                // What begins anew forgets what stands before.
                Base::Beside | Base::Manifest | Base::Caller => all.push(next.clone()),
                Base::Working if next.text.starts_with('/') => all.push(next.clone()),
                Base::Working if place.text.is_empty() => {
                    all.push(Place::new(place.base, next.text.clone()));
                }
                Base::Working => all.push(Place::new(
                    place.base,
                    format!("{}/{}", place.text, next.text),
                )),
                Base::Package | Base::Anywhere | Base::Around => {
                    let text = if next.text.starts_with(GAP) {
                        next.text.clone()
                    } else {
                        format!("{GAP}/{}", next.text)
                    };
                    all.push(Place::new(place.base, format!("{}/{text}", place.text)));
                }
            }
        }
    }
    bounded(all)
}

/// Names of variables and functions that stand for the directory of a project.
pub(super) fn is_root(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let plain = name.replace(['_', '-'], "");
    let is_word = |word: &str| name.split('_').any(|part| part == word);
    is_word("root")
        || is_word("repo")
        || plain.ends_with("rootdir")
        || plain.ends_with("rootpath")
        || [
            "basedir",
            "projectdir",
            "projectroot",
            "topdir",
            "toplevel",
            "srcroot",
            "gitroot",
            "reporoot",
            "workspacedir",
        ]
        .iter()
        .any(|it| plain.contains(it))
}

/// A text as a glob from its beginning: what is not known may go down further.
pub(super) fn pattern(text: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." | SELF => {}
            part if part.starts_with(GAP) => {
                if parts.last().is_none_or(|last| last != "**") {
                    parts.push("**".to_owned());
                }
                if part.chars().any(|c| c != GAP) {
                    parts.push(part.replace(GAP, "*"));
                }
            }
            part => parts.push(part.replace(GAP, "*").replace(SELF, "*")),
        }
    }
    if parts.last().is_some_and(|last| last == "**") {
        parts.push("*".to_owned());
    }
    parts.join("/")
}

/// Puts what reading a path comes to into the facts of a file.
pub(super) fn say(facts: &mut Facts, place: &Place, how: How, (what, line): (&str, u32)) {
    let is_outside = place.base == Base::Working && place.text.starts_with(['/', '~']);
    let is_literal = !place.text.contains([GAP, '*', '?', '[', '{']);
    let is_here = place.base < Base::Package;
    // A literal alone is looked up as one of the file's literals.
    let is_named = how == How::File && is_literal && is_here;
    if is_outside || is_named || place.text.contains("://") {
        return;
    }
    // What is above what nobody knows may be anything.
    let mut after_gap = place.text.split('/').skip_while(|part| !part.contains(GAP));
    let is_lost = after_gap.any(|part| part == "..") || !is_here && place.text.contains("..");
    // A program that runs there reads more than its directory.
    let end = place.end().filter(|_| is_lost && how != How::Run);
    let is_end = end.is_some();
    let place = &match end {
        Some(end) => end,
        None if is_lost => place.blurred(),
        None => place.clone(),
    };
    let is_here = is_here && !is_lost;
    let text = pattern(&place.text);
    let globs = match how {
        // Whoever gets such a path may take it for a directory, or put more to its name.
        How::File if is_end => vec![format!("{text}*"), format!("{text}*/**")],
        How::File | How::Run => vec![text],
        How::List => vec![below(&text, "*")],
        How::Told if !text.is_empty() && !text.ends_with("..") => {
            vec![text.clone(), below(&text, "**")]
        }
        How::Walk | How::Told => vec![below(&text, "**")],
    };
    for glob in globs {
        if is_vague(&glob) && !is_here {
            let reach = match place.base {
                Base::Anywhere => Reach::Repository,
                // Listings give hidden names, callers do only where a literal says so.
                _ if how == How::File && place.text.is_empty() => Reach::Visible,
                _ => Reach::Package,
            };
            if how != How::Told || reach == Reach::Repository {
                facts.dynamic.push(Dynamic::used(reach, what, line));
            }
            continue;
        }
        if glob.is_empty() && how == How::File {
            continue;
        }
        let is_deep = is_here || glob.starts_with("**/");
        let pattern = if is_deep { glob } else { format!("**/{glob}") };
        facts.opened.push(Opened {
            when: When::Used,
            base: place.base,
            pattern: pattern.into(),
            what: what.into(),
            line,
        });
    }
}

/// Whether a text that more is put to begins a hidden name: `.github/`, `/.`.
pub(super) fn begins_hidden(text: &str) -> bool {
    let is_hidden = |part: &str| {
        part.starts_with('.') && !part.starts_with("..") && !part.contains(char::is_whitespace)
    };
    let mut parts = text.split('/');
    let last = parts.next_back().unwrap_or_default();
    parts.any(|part| is_hidden(part) && part != ".") || is_hidden(last)
}

/// The same of a piece that follows a part which is not known: `.json` ends a name there.
pub(super) fn continues_hidden(text: &str) -> bool {
    text.find('/')
        .is_some_and(|at| begins_hidden(text.get(at..).unwrap_or_default()))
}

/// Whether every path fits a glob that is as deep.
fn is_vague(glob: &str) -> bool {
    glob.split('/').all(|part| matches!(part, "" | "*" | "**"))
}

fn below(text: &str, glob: &str) -> String {
    if text.is_empty() {
        glob.to_owned()
    } else {
        format!("{text}/{glob}")
    }
}

#[cfg(test)]
mod tests {
    use super::{begins_hidden, continues_hidden};
    use crate::engine::facts::Language;
    use crate::engine::graph::extract;

    /// What a source of Python opens, as globs with where they begin, and how far it
    /// reaches beyond.
    fn check(source: &str, expected: &str) {
        let facts = extract(Language::Python, "a.py", source);
        let opened = facts.opened.iter();
        let mut found: Vec<String> = opened
            .map(|it| format!("{:?} {}", it.base, it.pattern))
            .collect();
        found.extend(facts.dynamic.iter().map(|it| format!("{:?}", it.reach)));
        assert_eq!(found.join(", "), expected, "{source}");
    }

    #[test]
    fn a_path_that_climbs_from_nowhere_known_ends_as_it_ends() {
        let file = "Anywhere **/x.md*, Anywhere **/x.md*/**";
        check("open(f'{n}/../x.md')", file);
        check("open(f'{n}/../d/../x.md')", file);
        check("open(os.path.join(p, '..', 'x.md'))", file);
        check("open(p.parent.parent / '..' / 'x.md')", file);
        check(
            "open(f'{n}/../d/{m}.md')",
            "Anywhere **/d/**/*.md*, Anywhere **/d/**/*.md*/**",
        );
        check(
            "open(f'{n}/../{m}.md')",
            "Anywhere **/*.md*, Anywhere **/*.md*/**",
        );
    }

    #[test]
    fn what_is_done_at_the_end_of_a_climbing_path_counts() {
        let of = |call: &str| format!("P = p + '/../d'\n{call}\n");
        check(&of("os.listdir(P)"), "Anywhere **/d/*");
        check(&of("os.walk(P)"), "Anywhere **/d/**");
        check(
            &of("subprocess.run(['cat', P])"),
            "Anywhere **/d, Anywhere **/d/**",
        );
        // Somebody else may list it, or put more to its name.
        check("load(f'{p}{q}/../d')", "Anywhere **/d*, Anywhere **/d*/**");
        check(
            "load(os.path.join(p, '..', 'd'))",
            "Anywhere **/d*, Anywhere **/d*/**",
        );
        check("load(os.path.join(p, 'd'))", "");
        check(
            &of("subprocess.run(['make'], cwd=P)"),
            "Package, Repository",
        );
    }

    #[test]
    fn a_climbing_path_without_an_end_may_be_anything() {
        for path in [
            "f'{n}/..'",
            "f'{n}/../'",
            "f'{n}/../{m}'",
            "f'{n}/../*'",
            "f'{n}/../x/..'",
            "f'{n}/../a..b'",
            "p.parent.parent",
        ] {
            check(&format!("os.walk({path})"), "Repository");
        }
    }

    #[test]
    fn a_literal_end_counts_however_long_the_rest_was_read() {
        let bind = "    path = f(path, path + 'x')\n".repeat(8);
        let source =
            |end: &str| format!("def f(path):\n{bind}    load(os.path.join(path, {end}))\n");
        check(&source("'x.md'"), "Anywhere **/x.md");
        check(&source("n"), "Repository");
    }

    #[test]
    fn a_dot_at_the_head_of_a_name_hides_it() {
        for text in [".", ".git", "/.", "a/.b/", ".github/"] {
            assert!(begins_hidden(text), "{text}");
        }
        for text in [
            "",
            "./",
            "../",
            "../..",
            "a.b",
            "a.",
            ". A sentence",
            "...",
            "a/b.c/",
        ] {
            assert!(!begins_hidden(text), "{text}");
        }
    }

    #[test]
    fn an_ending_hides_nothing() {
        assert!(!continues_hidden(".json"));
        assert!(!continues_hidden(".d/x"));
        assert!(continues_hidden("/.config/"));
        assert!(continues_hidden("s/."));
    }
}
