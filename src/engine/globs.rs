//! Globs over the paths of a tree, matched without a regular expression where that
//! is enough.
//!
//! A [`Glob`] is a type of its own: a path such as `app/[slug]/page.tsx` is none, and
//! taken for one it fits other files and not itself. So every text says on its way in
//! what it is: a path, a pattern below a path, or a pattern that somebody wrote.
//!
//! Most globs of pipelines are a path, a directory and all below it, or an ending
//! below a directory. Those are looked up in the sorted tree; every other glob is
//! compiled and tried on the paths below the directories that it names literally.
//!
//! What fits is exactly what `globset` says with `literal_separator`: a quick form
//! that differed would make a job miss an input.

use std::borrow::Cow;
use std::fmt;

use globset::{GlobBuilder, GlobMatcher, GlobSet, GlobSetBuilder};
use memchr::memmem::Finder;
use rustc_hash::FxHashMap;
use thiserror::Error;

use super::tree::{self, Entry, FileId, Tree, base_name};

/// A pattern over paths from the root, or over other names. It may be one that does not
/// compile. For people it is shown with what it names literally as the tree spells it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Glob(Box<str>);

impl Glob {
    /// What somebody wrote as a pattern.
    pub fn written(pattern: impl Into<Box<str>>) -> Self {
        Self(pattern.into())
    }

    /// A path, whatever its names hold.
    pub fn path(path: &str) -> Self {
        Self(escaped(path, is_special).into())
    }

    /// A pattern below a directory (`""` is the root), whatever that one's name holds.
    pub fn below(dir: &str, pattern: &str) -> Self {
        if dir.is_empty() {
            return Self(pattern.into());
        }
        Self(format!("{}/{pattern}", escaped(dir, is_special)).into())
    }

    /// A pattern from a directory, which may begin with `./` or climb; `None` when it
    /// leaves the repository.
    pub fn join(dir: &str, pattern: &str) -> Option<Self> {
        tree::join(&escaped(dir, is_special), pattern).map(Self::written)
    }

    /// What a text means of which nobody knows whether its brackets and braces make a
    /// pattern: code and command lines name files such as `app/[slug]/page.tsx`, and a
    /// shell takes what fits nothing word for word. `*` and `?` stay special.
    pub fn readings(text: &str) -> Vec<Self> {
        let all_names = escaped(text, |c| matches!(c, '[' | ']' | '{' | '}'));
        let mut all = vec![Self::written(text), Self::without_classes(text)];
        all.push(Self::written(all_names));
        all.dedup();
        all
    }

    /// A pattern whose brackets belong to names and make no classes.
    pub fn without_classes(pattern: &str) -> Self {
        Self::written(escaped(pattern, |c| matches!(c, '[' | ']')))
    }

    /// What fits a pattern below what this one fits.
    #[must_use]
    pub fn and_below(&self, pattern: &str) -> Self {
        Self(format!("{}/{pattern}", self.0).into())
    }

    /// The text of the pattern.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path that it names literally, in whole components and as the tree spells it,
    /// and the pattern below; that is empty when the glob is a path.
    pub fn parts(&self) -> (String, Cow<'_, str>) {
        let (mut fixed, rest) = self.fixed();
        if rest.is_empty() {
            return (fixed, Cow::Borrowed(""));
        }
        let cut = fixed.rfind('/').map_or(0, |slash| slash + 1);
        let start = escaped(fixed.get(cut..).unwrap_or_default(), is_special);
        fixed.truncate(cut.saturating_sub(1));
        let rest = if start.is_empty() {
            Cow::Borrowed(rest)
        } else {
            Cow::Owned(start + rest)
        };
        (fixed, rest)
    }

    /// What it says before anything special, unescaped, and the rest.
    fn fixed(&self) -> (String, &str) {
        let (mut fixed, mut rest) = (String::new(), &*self.0);
        while let Some(at) = rest.find(is_special) {
            let (plain, special) = rest.split_at(at);
            let mut chars = special.chars();
            let found = match (chars.next(), chars.next(), chars.next()) {
                (Some('['), Some(c), Some(']')) if is_special(c) => c,
                _ => {
                    fixed.push_str(plain);
                    return (fixed, special);
                }
            };
            fixed.push_str(plain);
            fixed.push(found);
            rest = chars.as_str();
        }
        fixed.push_str(rest);
        (fixed, "")
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (fixed, rest) = self.fixed();
        write!(f, "{fixed}{rest}")
    }
}

/// Why a glob cannot be used.
#[derive(Debug, Error)]
pub enum GlobFault {
    /// It does not parse.
    #[error(transparent)]
    Syntax(#[from] globset::Error),
    /// It is longer, or its braces are deeper, than anybody writes them.
    #[error("the glob is too long, or its braces are too deep")]
    TooLarge,
}

/// The longest glob that is read, in bytes.
const LONGEST: usize = 4096;
/// How deep braces may stand in each other. The compiler of regular expressions gives up
/// at about 120, and `globset` panics then.
const DEEPEST: usize = 16;

/// Compiles a glob of which `*` stays inside a component.
///
/// # Errors
/// It does not parse, or is too large.
pub fn compile(glob: &Glob) -> Result<GlobMatcher, GlobFault> {
    let mut glob = builder(glob)?;
    Ok(glob.literal_separator(true).build()?.compile_matcher())
}

/// Compiles a glob of which `*` goes through slashes.
///
/// # Errors
/// As for [`compile`].
pub fn compile_crossing(glob: &Glob) -> Result<GlobMatcher, GlobFault> {
    Ok(builder(glob)?.build()?.compile_matcher())
}

/// Compiles a glob that fits in any spelling.
///
/// # Errors
/// As for [`compile`].
pub fn compile_any_case(glob: &Glob) -> Result<GlobMatcher, GlobFault> {
    let mut glob = builder(glob)?;
    Ok(glob.case_insensitive(true).build()?.compile_matcher())
}

/// A set of globs, each with the options that `tune` gives it. One that cannot be used fits
/// everything: what is left out of a set would be missed.
pub fn set(globs: impl IntoIterator<Item = Glob>, tune: impl Fn(&mut GlobBuilder<'_>)) -> GlobSet {
    let built = |glob: Glob| -> Result<globset::Glob, GlobFault> {
        let mut glob = builder(&glob)?;
        tune(&mut glob);
        Ok(glob.build()?)
    };
    let built: Result<Vec<globset::Glob>, GlobFault> = globs.into_iter().map(built).collect();
    let all = built.and_then(|globs| Ok(set_of(globs)?));
    all.or_else(|_| set_of(vec![globset::Glob::new("**")?]))
        .unwrap_or_default()
}

fn set_of(globs: Vec<globset::Glob>) -> Result<GlobSet, globset::Error> {
    let mut all = GlobSetBuilder::new();
    for glob in globs {
        all.add(glob);
    }
    all.build()
}

fn builder(glob: &Glob) -> Result<GlobBuilder<'_>, GlobFault> {
    let glob = glob.as_str();
    let mut depth = 0_usize;
    let mut deepest = 0;
    for byte in glob.bytes() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    if glob.len() > LONGEST || deepest > DEEPEST {
        return Err(GlobFault::TooLarge);
    }
    Ok(GlobBuilder::new(glob))
}

/// One glob, ready to be matched. `*` stays inside a component.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// The directory that the glob names literally; `""` is the root.
    dir: Box<str>,
    rest: Rest,
}

/// What stands behind the literal directory.
#[derive(Debug, Clone)]
enum Rest {
    /// A file of this name: the glob has nothing special.
    Name(Box<str>),
    /// `**`
    All,
    /// `**/NAME`
    DeepName(Box<str>),
    /// `**/START*END`
    DeepAround(Box<str>, Box<str>),
    /// `START*END`
    Around(Box<str>, Box<str>),
    /// Anything else, matched against the whole path, if that holds the texts.
    Compiled(Box<GlobMatcher>, Texts),
}

impl Pattern {
    /// Reads a glob.
    ///
    /// # Errors
    /// The glob does not compile.
    pub fn new(glob: &Glob) -> Result<Self, GlobFault> {
        let (fixed, special) = glob.fixed();
        let cut = fixed.rfind('/').map_or(0, |slash| slash + 1);
        let (dir, start) = fixed.split_at(cut);
        // Nothing in a tree starts with a slash.
        let is_relative = !fixed.starts_with('/');
        let quick = quick(start, special).filter(|_| is_relative);
        let rest = if let Some(rest) = quick {
            rest
        } else {
            Rest::Compiled(Box::new(compile(glob)?), Texts::of(glob))
        };
        Ok(Self {
            dir: dir.strip_suffix('/').unwrap_or(dir).into(),
            rest,
        })
    }

    /// Whether a path fits.
    pub fn is_match(&self, path: &str) -> bool {
        let below = if self.dir.is_empty() {
            Some(path)
        } else {
            path.strip_prefix(&*self.dir)
                .and_then(|rest| rest.strip_prefix('/'))
        };
        below.is_some_and(|below| self.fits(path, below))
    }

    /// Every path of a tree that fits, in order.
    pub fn files(&self, tree: &Tree) -> Vec<FileId> {
        let skip = if self.dir.is_empty() {
            0
        } else {
            self.dir.len() + 1
        };
        if let Rest::Name(name) = &self.rest {
            let path = if self.dir.is_empty() {
                name.to_string()
            } else {
                format!("{}/{name}", self.dir)
            };
            return tree.find(&path).into_iter().collect();
        }
        let fits = |(_, entry): &(FileId, &Entry)| {
            let below = entry.path.get(skip..).unwrap_or_default();
            self.fits(&entry.path, below)
        };
        if let Rest::DeepName(name) = &self.rest {
            let span = tree.span(&self.dir);
            let named = tree.named(name).map(|(file, _)| file);
            return named.filter(|file| span.contains(file)).collect();
        }
        let below = tree.under(&self.dir).filter(fits);
        below.map(|(file, _)| file).collect()
    }

    fn fits(&self, path: &str, below: &str) -> bool {
        match &self.rest {
            Rest::Name(name) => below == &**name,
            Rest::All => !below.is_empty(),
            Rest::DeepName(name) => base_name(below) == &**name,
            Rest::DeepAround(start, end) => is_around(base_name(below), start, end),
            Rest::Around(start, end) => !below.contains('/') && is_around(below, start, end),
            Rest::Compiled(glob, texts) => texts.are_in(path) && glob.is_match(path),
        }
    }
}

/// The files of one tree that each of many globs fits, looked up once.
#[derive(Debug, Default)]
pub struct Fitting(FxHashMap<Glob, Vec<FileId>>);

impl Fitting {
    /// Looks every glob up. One that does not compile fits everything.
    pub fn of<'g>(tree: &Tree, globs: impl IntoIterator<Item = &'g Glob>) -> Self {
        let mut found: FxHashMap<Glob, Vec<FileId>> = FxHashMap::default();
        for glob in globs {
            if !found.contains_key(glob) {
                found.insert(glob.clone(), fitting(tree, glob));
            }
        }
        Self(found)
    }

    /// The files that a glob fits; `None` when it is not one of those looked up.
    pub fn files(&self, glob: &Glob) -> Option<&[FileId]> {
        self.0.get(glob).map(Vec::as_slice)
    }
}

/// The files of a tree that a glob fits; all of them when it does not compile.
pub fn fitting(tree: &Tree, glob: &Glob) -> Vec<FileId> {
    Pattern::new(glob).map_or_else(
        |_| tree.iter().map(|(file, _)| file).collect(),
        |pattern| pattern.files(tree),
    )
}

/// The texts that every path holds, one behind the other, which a glob fits.
#[derive(Debug, Clone)]
pub struct Texts(Box<[Finder<'static>]>);

impl Texts {
    /// The texts of a glob; none where it does not say.
    pub fn of(glob: &Glob) -> Self {
        let runs = runs(glob.as_str()).into_iter();
        Self(runs.map(|run| Finder::new(run).into_owned()).collect())
    }

    /// The longest of them; empty when there is none.
    pub fn longest(&self) -> &str {
        let texts = self.0.iter().map(Finder::needle);
        let longest = texts.max_by_key(|text| text.len()).unwrap_or_default();
        // A needle is a text that was handed in.
        std::str::from_utf8(longest).unwrap_or_default()
    }

    /// Whether a path holds all of them in their order.
    pub fn are_in(&self, path: &str) -> bool {
        let mut rest = path.as_bytes();
        self.0.iter().all(|text| {
            let end = text.find(rest).map(|at| at + text.needle().len());
            let behind = end.and_then(|end| rest.get(end..));
            behind.is_some_and(|behind| {
                rest = behind;
                true
            })
        })
    }
}

/// What a glob says literally, outside of braces and before the first class or escape.
fn runs(glob: &str) -> Vec<&str> {
    let (mut runs, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    let ends = glob.char_indices().filter(|(_, c)| is_special(*c));
    for (at, c) in ends.chain([(glob.len(), '*')]) {
        // `**/` may stand for nothing, and its slash with it.
        let run = glob.get(start..at).unwrap_or_default().trim_matches('/');
        if depth == 0 && !run.is_empty() {
            runs.push(run);
        }
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            // A class may hold anything, and an escape hides the next character.
            '[' | ']' | '\\' => break,
            _ => {}
        }
        start = at + 1;
    }
    runs
}

fn is_special(c: char) -> bool {
    matches!(c, '*' | '?' | '[' | ']' | '{' | '}' | '\\')
}

/// A text with some of its characters escaped, so that none of these is special.
fn escaped(text: &str, is_meant: impl Fn(char) -> bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if is_meant(c) {
            escaped.extend(['[', c, ']']);
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// The form of what stands behind the literal directory, if it is a simple one: how it
/// starts literally, and the pattern after that.
fn quick(start: &str, special: &str) -> Option<Rest> {
    let is_plain = |text: &str| !text.contains('/') && !text.contains(is_special);
    if special.is_empty() {
        return (!start.is_empty()).then(|| Rest::Name(start.into()));
    }
    let around = |start: &str, rest: &str| {
        let (middle, end) = rest.split_once('*')?;
        (is_plain(middle) && is_plain(end)).then(|| (format!("{start}{middle}").into(), end.into()))
    };
    if !start.is_empty() {
        return around(start, special).map(|(start, end)| Rest::Around(start, end));
    }
    if special == "**" {
        return Some(Rest::All);
    }
    match special.strip_prefix("**/") {
        Some(deep) if is_plain(deep) => (!deep.is_empty()).then(|| Rest::DeepName(deep.into())),
        Some(deep) => around("", deep).map(|(start, end)| Rest::DeepAround(start, end)),
        None => around("", special).map(|(start, end)| Rest::Around(start, end)),
    }
}

/// Whether a name starts and ends so, with both apart from each other.
fn is_around(name: &str, start: &str, end: &str) -> bool {
    name.strip_prefix(start)
        .is_some_and(|rest| rest.ends_with(end))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::engine::ids::ObjectId;
    use crate::engine::tree::Mode;

    fn tree(paths: &[String]) -> Tree {
        let blob = ObjectId::from_bytes(&[7; 20]).unwrap();
        let entry = |path: &String| Entry {
            path: path.as_str().into(),
            mode: Mode::File,
            blob,
        };
        Tree::new(paths.iter().map(entry).collect())
    }

    fn check(glob: &str, paths: &[String]) {
        let slow = GlobBuilder::new(glob).literal_separator(true).build();
        let glob = Glob::written(glob);
        let (Ok(slow), pattern) = (slow, Pattern::new(&glob)) else {
            return assert!(Pattern::new(&glob).is_err(), "{glob:?} is read");
        };
        let (slow, pattern) = (slow.compile_matcher(), pattern.unwrap());
        let texts = Texts::of(&glob);
        let tree = tree(paths);
        let expected: Vec<&str> = tree
            .iter()
            .map(|(_, entry)| &*entry.path)
            .filter(|path| slow.is_match(path))
            .collect();
        let found = pattern.files(&tree);
        let found: Vec<&str> = found.into_iter().map(|file| tree.path(file)).collect();
        assert_eq!(found, expected, "the files of {glob:?}");
        for path in paths {
            assert!(
                !slow.is_match(path) || texts.are_in(path) && path.contains(texts.longest()),
                "{glob:?} on {path:?}"
            );
            assert_eq!(
                pattern.is_match(path),
                slow.is_match(path),
                "{glob:?} on {path:?}"
            );
        }
    }

    #[test]
    fn every_quick_form_fits_what_the_compiled_glob_fits() {
        let paths = [
            "a",
            "a/b",
            "a/b.py",
            "a/b/c.py",
            "a/.py",
            "ab/c.py",
            "b.py",
            ".py",
            "a/b/x.test.py",
        ];
        let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
        let globs = [
            "",
            "a",
            "a/",
            "a/b.py",
            "**",
            "a/**",
            "a/**/",
            "**/*",
            "**/*.py",
            "a/**/*.py",
            "**/b",
            "a/**/c.py",
            "*",
            "*.py",
            "a/*",
            "a/*.py",
            "a/**/*.test.*",
            "a**",
            "/a",
            "a//b",
            "[a]/b.py",
            "a/{b,c}.py",
            "a\\/b",
            "a/b[",
            "**/b/**",
            "**/",
            "a/*/c.py",
            "a/***",
            "a/**b",
            "*/",
            "a/*/",
            "a*y",
            "**/b*y",
            "a/b*",
            "**/c*c",
            "a/b*b.py",
        ];
        for glob in globs {
            check(glob, &paths);
        }
    }

    #[test]
    fn a_glob_that_does_not_compile_fits_everything() {
        let tree = tree(&["a".to_owned(), "b".to_owned()]);
        let [broken, path, other] = ["a[", "b", "c"].map(Glob::written);
        let found = Fitting::of(&tree, [&broken, &path]);
        assert_eq!(found.files(&broken).map(<[FileId]>::len), Some(2));
        assert_eq!(found.files(&path), tree.find("b").as_slice().into());
        assert_eq!(found.files(&other), None);
    }

    #[test]
    fn a_glob_of_deep_braces_is_refused_before_it_is_compiled() {
        let deep = |levels: usize| {
            let text = format!("{}a{}", "{a,".repeat(levels), "}".repeat(levels));
            Glob::written(text)
        };
        assert!(compile(&deep(DEEPEST)).is_ok_and(|glob| glob.is_match("a")));
        for levels in [DEEPEST + 1, 200] {
            let glob = deep(levels);
            assert!(matches!(compile(&glob), Err(GlobFault::TooLarge)));
            assert!(Pattern::new(&glob).is_err());
        }
        assert!(compile_crossing(&Glob::written("a".repeat(LONGEST + 1))).is_err());
    }

    #[test]
    fn what_cannot_be_used_of_a_set_fits_everything() {
        let set_of = |patterns: &[&str]| {
            let globs = patterns.iter().map(|pattern| Glob::written(*pattern));
            set(globs, |glob| {
                glob.literal_separator(true);
            })
        };
        assert!(!set_of(&[]).is_match("a/b"));
        assert!(!set_of(&["*.py"]).is_match("a/b.py"));
        assert!(set_of(&["*.py", "a["]).is_match("a/b"));
        assert!(set_of(&[&"{a,".repeat(99)]).is_match("a/b"));
    }

    #[test]
    fn brackets_in_the_names_of_paths_are_no_classes() {
        let fits = |glob: &Glob, path: &str| Pattern::new(glob).unwrap().is_match(path);
        let page = "app/[slug]/page.tsx";
        let written = Glob::written(page);
        assert!(fits(&Glob::path(page), page) && !fits(&written, page));
        assert!(fits(&written, "app/s/page.tsx") && !fits(&Glob::path(page), "app/s/page.tsx"));
        let below = Glob::below("app/[slug]", "**/*.tsx");
        assert!(fits(&below, page) && !fits(&below, "app/s/page.tsx"));
        let above = Glob::join("app/[slug]/a", "../*.tsx").unwrap();
        assert!(fits(&above, page));
        assert_eq!(Glob::join("app", "../../x"), None);
        let fits_any = |text: &str, path: &str| {
            let mut readings = Glob::readings(text).into_iter();
            readings.any(|glob| fits(&glob, path))
        };
        for path in [page, "app/s/page.tsx"] {
            assert!(fits_any(page, path), "{path}");
            assert!(fits_any("app/[slug]/*.{ts,tsx}", path), "{path}");
        }
        assert!(fits_any("{{x}}/a*", "{{x}}/ab"));
        assert_eq!(Glob::readings("a/*.md").len(), 1);
    }

    #[test]
    fn what_a_glob_names_literally_is_known() {
        let check = |glob: &Glob, path: &str, below: &str| {
            assert_eq!(glob.parts(), (path.to_owned(), below.into()), "{glob:?}");
        };
        check(&Glob::path("a/[b]/c"), "a/[b]/c", "");
        check(&Glob::below("a/[b]", "c*.d"), "a/[b]", "c*.d");
        check(&Glob::below("a", "[[]c*.d"), "a", "[[]c*.d");
        check(&Glob::written("a/[bc]/d"), "a", "[bc]/d");
        check(&Glob::written("**"), "", "**");
        check(&Glob::written("a[!]b]"), "", "a[!]b]");
        let shown = Glob::below("a/[b]", "*.md").to_string();
        assert_eq!(shown, "a/[b]/*.md");
    }

    proptest! {
        #[test]
        fn a_path_fits_itself_alone(path in r"[ab?*{}\[\]!\\.]{1,6}(/[ab*\[\]]{1,3}){0,2}", other in "[ab]{1,6}") {
            let glob = Glob::path(&path);
            let compiled = compile(&glob).unwrap();
            let pattern = Pattern::new(&glob).unwrap();
            prop_assert!(compiled.is_match(&path) && pattern.is_match(&path));
            prop_assert_eq!(compiled.is_match(&other), path == other);
            prop_assert_eq!(pattern.is_match(&other), path == other);
            prop_assert_eq!(glob.parts(), (path.clone(), "".into()));
            let below = Pattern::new(&Glob::below(&path, "*.x")).unwrap();
            let (inside, outside) = (format!("{path}/a.x"), format!("{other}/a.x"));
            prop_assert!(below.is_match(&inside));
            prop_assert_eq!(below.is_match(&outside), path == other);
        }

        #[test]
        fn a_glob_fits_what_globset_fits(
            glob in "[ab./*]{0,8}|([ab]/)?\\*\\*/\\*?[ab.]{0,3}|[ab\\[\\]{},!?*/]{0,6}|(\\[[*\\[\\]]\\]|[ab*/]){0,6}",
            paths in proptest::collection::vec("[ab.]{1,3}(/[ab.]{1,3}){0,3}", 0..12),
        ) {
            check(&glob, &paths);
        }
    }
}
