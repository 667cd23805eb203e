//! Names of files that a command prints for another one: `gofmt -l $(find . -name '*.go')`.
//!
//! `find` and `git ls-files` print names and nothing else, as long as they are asked for
//! no more; what their patterns fit is then all that they read. On the command line of a
//! program such names are as good as a pattern that the shell expands, where there are
//! some, and where none of them means more to a shell than itself.
//!
//! A listing is never narrower than what is printed: tests that leave files out only say
//! whether there is a name at all. What is not known of it makes it no listing.

use super::Context;
use super::table::{self, Class};
use crate::engine::globs::Glob;
use crate::engine::inputs::walk::{Invocation, Walk, below};
use crate::engine::shell::{Located, Place, Word, locate};
use crate::engine::tree::{FileId, Mode, Tree};

/// The most files that are looked at for one listing.
const MOST: usize = 200_000;

/// Programs that only look into the files that they are told, beside those of which the
/// table says that they check files by their kind.
const READERS: &[&str] = &[
    "cat",
    "cksum",
    "cmp",
    "diff",
    "head",
    "md5sum",
    "sha1sum",
    "sha256sum",
    "sha512sum",
    "shasum",
    "tail",
    "wc",
];

/// What a command prints names of.
#[derive(Debug)]
struct Listing<'w> {
    roots: Vec<Root<'w>>,
    tests: Vec<Test<'w>>,
    /// Whether names of directories are among them.
    has_dirs: bool,
}

/// Where names begin.
#[derive(Debug)]
struct Root<'w> {
    /// As it stands in front of each name; empty for nothing.
    head: &'w str,
    /// What a name below it fits, whose `*` also crosses directories.
    pattern: Pattern<'w>,
}

/// What names fit.
#[derive(Debug)]
enum Pattern<'w> {
    /// All of them.
    All,
    /// This path, or what lies below it.
    Path(&'w str),
    /// This pattern for the whole of a name.
    Fits(&'w str),
}

/// A test of `find`.
#[derive(Debug, Clone, Copy)]
struct Test<'w> {
    pattern: &'w str,
    /// Whether the pattern is for the last part of the path alone.
    of_name: bool,
    /// Whether what fits is left out.
    leaves_out: bool,
}

impl Walk<'_> {
    /// Adds what a command reads that only prints names; `false` where it may do more.
    pub(super) fn prints_names(&mut self, call: &Invocation) -> bool {
        // Variables of git say what its patterns mean, and are not known here.
        let is_git = call.words.first().is_some_and(|word| &*word.text == "git");
        let Some(globs) = globs_of(call).filter(|_| !is_git || call.words.len() == 2) else {
            return false;
        };
        self.exact(call, globs);
        true
    }
}

/// The globs of what a command prints the names of.
fn globs_of(call: &Invocation) -> Option<Vec<Glob>> {
    let Place::Inside(dir) = &call.place else {
        return None;
    };
    let listing = Listing::of(&call.words)?;
    let mut globs = Vec::new();
    for root in &listing.roots {
        let Located::Inside(inner) = locate(&call.place, root.head) else {
            return None;
        };
        let inner = if root.head.is_empty() { dir } else { &inner };
        for glob in listing.globs(root) {
            globs.push(below(inner, &glob));
        }
        // A root may be a file.
        globs.extend((!inner.is_empty()).then(|| Glob::path(inner)));
    }
    Some(globs)
}

/// The names that a command prints, as patterns on the command line of a program that
/// reads files; `None` where that is not certain.
pub(super) fn listed(
    context: &Context<'_>,
    program: &[Word],
    command: &[Word],
    place: &Place,
) -> Option<Vec<Word>> {
    let own = context.memo.tools(context.packages);
    let is_own = |word: &Word| own.contains(&*word.text.to_ascii_lowercase());
    let heads = [program.first()?, command.first()?];
    if !takes_files(program) || heads.into_iter().any(is_own) {
        return None;
    }
    let listing = Listing::of(command)?;
    let Place::Inside(dir) = place else {
        return None;
    };
    if !listing.prints_some(&context.snapshot.tree, dir)? {
        return None;
    }
    let patterns = listing.roots.iter().flat_map(|root| {
        let head = match root.head.trim_end_matches('/') {
            "" | "." => String::new(),
            head => format!("{head}/"),
        };
        let globs = listing.globs(root).into_iter();
        globs.map(move |glob| format!("{head}{glob}"))
    });
    let words = patterns.map(|pattern| Word {
        text: pattern.into(),
        unknown: false,
        glob: true,
    });
    Some(words.collect())
}

/// Whether what follows on a command line are files that are read.
fn takes_files(program: &[Word]) -> bool {
    let Some((name, rest)) = program.split_first() else {
        return false;
    };
    let operands = rest.iter().filter(|word| !word.text.starts_with('-'));
    let operands: Vec<&str> = operands.map(|word| word.text.as_ref()).collect();
    let found = table::command(&name.text, &operands);
    let class = found.map(|(command, _)| command.class);
    let checks = matches!(class, Some(Class::Tree | Class::Follows | Class::Checks));
    // Flags of these may say that what they are given are lists.
    let is_flag = |word: &Word| word.text.starts_with('-');
    let is_sum = name.text.ends_with("sum") && rest.iter().any(is_flag);
    let reads = class == Some(Class::Reads) && READERS.contains(&&*name.text) && !is_sum;
    (checks || reads) && !program.iter().any(|word| word.unknown)
}

impl<'w> Listing<'w> {
    fn of(words: &'w [Word]) -> Option<Self> {
        if words.iter().any(|word| word.unknown || word.glob) {
            return None;
        }
        let texts: Vec<&str> = words.iter().map(|word| word.text.as_ref()).collect();
        match texts.as_slice() {
            ["find", rest @ ..] => Self::find(rest),
            ["git", "ls-files", rest @ ..] => Self::tracked(rest),
            _ => None,
        }
    }

    /// `find ROOTS TESTS`
    /// (<https://www.gnu.org/software/findutils/manual/html_node/find_html/Tests.html>).
    fn find(words: &[&'w str]) -> Option<Self> {
        let is_root = |word: &&&str| !word.starts_with(['-', '(', ')', '!', ',']);
        let count = words.iter().take_while(is_root).count();
        let (roots, mut rest) = words.split_at_checked(count)?;
        let is_plain = |root: &&str| !root.is_empty() && is_tame(root) && !climbs(root);
        // Without one, some systems print nothing.
        if roots.is_empty() || !roots.iter().all(is_plain) {
            return None;
        }
        let mut listing = Self {
            roots: roots
                .iter()
                .map(|head| Root {
                    head,
                    pattern: Pattern::All,
                })
                .collect(),
            tests: Vec::new(),
            has_dirs: true,
        };
        loop {
            let (leaves_out, test) = match rest {
                ["!" | "-not", test @ ..] => (true, test),
                test => (false, test),
            };
            rest = match test {
                [] if leaves_out => return None,
                [] => return Some(listing),
                ["-type", "f", rest @ ..] if !leaves_out => {
                    listing.has_dirs = false;
                    rest
                }
                // What is tested behind it was printed already.
                ["-print"] if !leaves_out => &[],
                [kind @ ("-name" | "-path"), pattern, rest @ ..] if is_pattern(pattern) => {
                    listing.tests.push(Test {
                        pattern,
                        of_name: *kind == "-name",
                        leaves_out,
                    });
                    rest
                }
                _ => return None,
            };
        }
    }

    /// `git ls-files PATHS` (<https://git-scm.com/docs/git-ls-files>).
    fn tracked(words: &[&'w str]) -> Option<Self> {
        let paths = match words {
            ["-c" | "--cached" | "--", rest @ ..] => rest,
            words => words,
        };
        let mut roots = Vec::new();
        for path in paths {
            let is_plain = is_pattern(path) && !climbs(path) && !path.starts_with(['-', '/', '.']);
            if !is_plain {
                return None;
            }
            roots.push(Root {
                head: "",
                pattern: if path.contains('*') {
                    Pattern::Fits(path)
                } else {
                    Pattern::Path(path.trim_end_matches('/'))
                },
            });
        }
        if paths.is_empty() {
            roots.push(Root {
                head: "",
                pattern: Pattern::All,
            });
        }
        Some(Self {
            roots,
            tests: Vec::new(),
            has_dirs: false,
        })
    }

    /// What the names below a root fit, and what lies below those of directories.
    fn globs(&self, root: &Root<'_>) -> Vec<String> {
        let glob = match root.pattern {
            Pattern::Path(path) => return vec![path.to_owned(), format!("{path}/**")],
            Pattern::Fits(pattern) => crossing(pattern),
            Pattern::All => {
                let mut tests = self.tests.iter().filter(|test| !test.leaves_out);
                match tests.find(|test| test.of_name) {
                    // A root has a name of its own, and all lies below it.
                    Some(test) if !self.has_dirs || !is_fit(test.pattern, last(root.head)) => {
                        format!("**/{}", test.pattern)
                    }
                    _ => return vec!["**".to_owned()],
                }
            }
        };
        if self.has_dirs {
            let inner = format!("{glob}/**");
            return vec![glob, inner];
        }
        vec![glob]
    }

    /// Whether a name is printed for certain; `None` where one means more than itself.
    fn prints_some(&self, tree: &Tree, dir: &str) -> Option<bool> {
        let place = Place::Inside(dir.into());
        let mut some = false;
        for root in &self.roots {
            let Located::Inside(inner) = locate(&place, root.head) else {
                return None;
            };
            let inner: &str = if root.head.is_empty() { dir } else { &inner };
            // A file, or a link.
            if !root.head.is_empty() && tree.find(inner).is_some() {
                return None;
            }
            let span = tree.span(inner);
            if span.end.index() - span.start.index() > MOST {
                return None;
            }
            let files = tree.under(inner);
            for (_, entry) in files.filter(|(file, _)| !is_made(tree, *file)) {
                let rest = entry.path.get(inner.len()..)?.trim_start_matches('/');
                let is_printed = self.prints(root, rest);
                let dirs = rest.match_indices('/').filter_map(|(at, _)| rest.get(..at));
                let mut names = dirs.filter(|_| self.has_dirs).chain([rest]);
                // What begins a name is a part of it.
                if names.any(|name| self.prints(root, name) && !is_tame(name)) {
                    return None;
                }
                if is_printed && entry.mode == Mode::Submodule {
                    return None;
                }
                some |= is_printed && entry.mode != Mode::Symlink;
            }
        }
        Some(some)
    }

    /// Whether the name of what lies there below a root is printed.
    fn prints(&self, root: &Root<'_>, rest: &str) -> bool {
        let fits = match root.pattern {
            Pattern::All => true,
            Pattern::Path(path) => rest
                .strip_prefix(path)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
            Pattern::Fits(pattern) => is_fit(pattern, rest),
        };
        let passes = |test: &Test<'_>| {
            let path = match root.head.trim_end_matches('/') {
                "" => rest.to_owned(),
                head => format!("{head}/{rest}"),
            };
            let name = rest.rsplit('/').next().unwrap_or(rest);
            let whole = if test.of_name { name } else { &path };
            is_fit(test.pattern, whole) != test.leaves_out
        };
        fits && self.tests.iter().all(passes)
    }
}

/// The last part of a path.
fn last(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether a path is there only by a link to a directory, which nobody follows here.
fn is_made(tree: &Tree, file: FileId) -> bool {
    tree.behind(file).is_some() && tree.entry(file).mode != Mode::Symlink
}

/// A glob of this kind for a pattern whose `*` crosses directories: as wide or wider.
fn crossing(pattern: &str) -> String {
    let (head, tail) = pattern.split_once('*').unwrap_or((pattern, ""));
    let dir = head.rsplit_once('/').map_or("", |(dir, _)| dir);
    let last = tail.rsplit('*').next().unwrap_or(tail);
    let name = if last.contains('/') { "" } else { last };
    let glob = if name.is_empty() {
        "**".to_owned()
    } else {
        format!("**/*{name}")
    };
    if dir.is_empty() {
        glob
    } else {
        format!("{dir}/{glob}")
    }
}

/// Whether a text fits a pattern of letters and `*`.
fn is_fit(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    if !pattern.contains('*') {
        return rest.is_empty();
    }
    let mut parts: Vec<&str> = parts.collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Whether a name stands for itself alone, wherever a shell puts it, and is no flag.
fn is_tame(name: &str) -> bool {
    let is_tame = |c: char| c.is_ascii_alphanumeric() || "_-./+".contains(c);
    name.chars().all(is_tame) && !name.starts_with(['-', '+'])
}

/// Whether a pattern has no marks but `*`.
fn is_pattern(text: &str) -> bool {
    !text.is_empty() && is_tame(&text.replace('*', ""))
}

fn climbs(path: &str) -> bool {
    path.split('/').any(|part| part == "..")
}
