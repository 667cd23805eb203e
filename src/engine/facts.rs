//! What a source file says of itself, before anybody asks where it lies.
//!
//! Facts hold import *specifiers*, never resolved edges: they depend on a blob
//! alone, so they are cached by blob id, language and [`VERSION`], and stay true
//! in every tree.
//!
//! An extractor never fails: a file that does not parse gives the facts that
//! could be read and [`Facts::broken`].

/// A digest of the sources of the extractors, by `src/build.rs`: facts that others read
/// are dropped.
pub const VERSION: &str = env!("TRIMTAB_EXTRACTORS");

/// A language whose imports are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// `.py`, `.pyi`
    Python,
    /// `.js`, `.mjs`, `.cjs`, `.jsx`, `.ts`, `.mts`, `.cts`, `.tsx`, and the script part of `.vue` and `.svelte`
    JavaScript,
    /// `.go`
    Go,
    /// `.rs`
    Rust,
    /// `.java`
    Java,
    /// `.kt`, `.kts`
    Kotlin,
    /// C and C++ sources and headers
    C,
}

impl Language {
    /// The language of a path by its extension.
    pub fn of_path(path: &str) -> Option<Self> {
        let (_, extension) = super::tree::base_name(path).rsplit_once('.')?;
        Some(match extension {
            "py" | "pyi" => Self::Python,
            "js" | "mjs" | "cjs" | "jsx" | "ts" | "mts" | "cts" | "tsx" | "vue" | "svelte" => {
                Self::JavaScript
            }
            "go" => Self::Go,
            "rs" => Self::Rust,
            "java" => Self::Java,
            "kt" | "kts" => Self::Kotlin,
            "c" | "cc" | "cpp" | "cxx" | "c++" | "h" | "hh" | "hpp" | "hxx" | "h++" | "inc"
            | "ipp" | "inl" | "tpp" => Self::C,
            _ => return None,
        })
    }
}

/// How an import is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ImportKind {
    /// A plain import statement, at any depth of the file.
    Static,
    /// Only for types; nothing is loaded at run time.
    Type,
    /// A literal given to a dynamic import: `import("x")`, `importlib.import_module("x")`.
    Dynamic,
    /// `require("x")` and its kin.
    Require,
    /// A program that is started by its name: one of the repository's own, or nothing.
    Program,
    /// `#include "x"`: found beside the file first.
    IncludeQuoted,
    /// `#include <x>`.
    IncludeAngled,
    /// A declared child module: Rust's `mod x;`, with its `#[path]` where it has one.
    Module,
    /// A file or pattern whose content is compiled in: `include_str!`, `//go:embed`.
    Embed,
}

/// One import as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The specifier: `..a.b` (Python, dots for the level), `./x` (JavaScript),
    /// `example.org/x` (Go), `crate::a::b` (Rust), `a.b.C` (Java, Kotlin), `x/y.h` (C).
    pub specifier: Box<str>,
    /// The names taken from it, where the language can take submodules by name
    /// (Python's `from a import b, c`; `*` for all).
    pub names: Vec<Box<str>>,
    /// How it is written.
    pub kind: ImportKind,
    /// The line, from 1.
    pub line: u32,
}

/// How far a construct that cannot be resolved may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// Anything in the file's own package that is not hidden: a path that callers give.
    /// A name that begins with a dot stands somewhere as a literal, or is composed.
    Visible,
    /// Nothing by itself: a name that begins with a dot is composed, which may be given
    /// to whoever opens what is visible.
    Composed,
    /// Anything in the file's own package.
    Package,
    /// Anything in the repository.
    Repository,
}

/// When a construct reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum When {
    /// Whenever the file is used: compiled, loaded or run.
    Used,
    /// Only where its code runs, so that no compiler reads it.
    Run,
}

/// A construct that loads or runs something no literal names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dynamic {
    /// How far it may reach.
    pub reach: Reach,
    /// When it reads.
    pub when: When,
    /// The construct, for people: `importlib.import_module(name)`.
    pub what: Box<str>,
    /// The line, from 1.
    pub line: u32,
}

impl Dynamic {
    /// A construct that reads whenever its file is used.
    pub fn used(reach: Reach, what: &str, line: u32) -> Self {
        Self {
            reach,
            when: When::Used,
            what: what.into(),
            line,
        }
    }
}

/// Where a path begins that code computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Base {
    /// In the directory of the file.
    Beside,
    /// In the directory in which the program runs.
    Working,
    /// In the directory of the file's own package.
    Manifest,
    /// In the directory of the package whose build or test runs, which may be another one.
    Caller,
    /// Anywhere in the file's own package.
    Package,
    /// Anywhere in the repository.
    Anywhere,
    /// In the directory of the file or any above it, as far as something lies there: a
    /// literal that may be a path.
    Around,
}

/// Files that a construct opens or lists by a path that it computes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Where the path begins.
    pub base: Base,
    /// When it reads.
    pub when: When,
    /// A glob from there, which may climb at its head: `../docs/*.md`. One that ends
    /// with a directory means that a program runs there.
    pub pattern: Box<str>,
    /// The construct, for people: `os.walk(...)`.
    pub what: Box<str>,
    /// The line, from 1.
    pub line: u32,
}

/// Everything that was read from one source file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Imports in order of appearance.
    pub imports: Vec<Import>,
    /// String literals that could name a path, a base name, a directory or a glob
    /// (see [`could_name_a_path`]); sorted, without repeats.
    pub literals: Vec<Box<str>>,
    /// What could not be resolved by reading.
    pub dynamic: Vec<Dynamic>,
    /// What is opened by a computed path.
    pub opened: Vec<Opened>,
    /// The package or module that the file declares: Java's and Kotlin's
    /// `package`, Go's `package`.
    pub package: Option<Box<str>>,
    /// Names of the tests that the file defines, as its runner writes them.
    pub tests: Vec<Box<str>>,
    /// Whether the file could not be parsed to its end.
    pub broken: bool,
}

/// Whether a string literal is worth keeping as a possible name of a file,
/// a directory or a glob: short, one line, and with a `/`, a `.` or a `*`, or
/// a plain word of at least three letters, digits, `-` or `_`.
pub fn could_name_a_path(literal: &str) -> bool {
    let fits = (3..=200).contains(&literal.len());
    let clean = |c: char| {
        !c.is_control() && !c.is_whitespace() && !matches!(c, '<' | '>' | '"' | '|' | '\\')
    };
    fits && literal.chars().all(clean)
        && !literal.contains("://")
        && literal.chars().any(char::is_alphanumeric)
}
