//! Reads one Gradle script, Groovy or Kotlin, without running it.
//!
//! What it may depend on is over-approximated: any literal that is the path of a
//! project counts, and what names projects without a literal counts as all.

use crate::engine::graph::scan::{Dialect, Kind, Scanner, Token};

/// Whom a statement of a script is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scope {
    /// The project of the script.
    Own,
    /// Every project: `subprojects { … }`.
    Shared,
    /// One project by path: `project(":a") { … }`.
    Of(String),
}

/// What a statement depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// A literal that is surely meant as a project's path.
    Project(String),
    /// A literal that may be a project's path, or a task's.
    Path(String),
    /// `projects.a.b`, the words after `projects`.
    Accessor(Vec<String>),
    /// Projects that no literal names.
    All,
}

/// One dependency as it stands in a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Need {
    pub scope: Scope,
    pub target: Target,
    /// Whether only tests need it.
    pub is_for_tests: bool,
    /// Whether it asks for the other's tests.
    pub is_of_tests: bool,
}

/// What a script says.
#[derive(Debug, Default)]
pub(super) struct Script {
    pub needs: Vec<Need>,
    /// `group:name` of external packages.
    pub externals: Vec<String>,
    /// `libs.a.b`, the words after `libs` with dots.
    pub catalog: Vec<String>,
    /// Literals of `apply from`.
    pub applied: Vec<String>,
}

/// What a settings file says.
#[derive(Debug, Default)]
pub(super) struct Settings {
    /// Paths of projects, with their leading colon.
    pub projects: Vec<String>,
    /// Paths of projects and their directories, from the settings file.
    pub dirs: Vec<(String, String)>,
    /// Directories of included builds, from the settings file.
    pub builds: Vec<String>,
}

/// The tokens of a script without comments.
fn tokens<'a>(path: &str, text: &'a str) -> Vec<Token<'a>> {
    let dialect = if path.ends_with(".kts") {
        Dialect::Kotlin
    } else {
        Dialect::Groovy
    };
    Scanner::new(dialect, text)
        .filter(|token| token.kind != Kind::Comment)
        .collect()
}

/// Reads `settings.gradle(.kts)`.
pub(super) fn settings(path: &str, text: &str) -> Settings {
    let tokens = tokens(path, text);
    let mut found = Settings::default();
    for (at, token) in tokens.iter().enumerate() {
        if token.kind != Kind::Word {
            continue;
        }
        match token.text {
            "include" => {
                let names = arguments(&tokens, at).map(colon_path);
                found.projects.extend(names);
            }
            "includeFlat" => {
                for name in arguments(&tokens, at) {
                    found.projects.push(colon_path(name));
                    found.dirs.push((colon_path(name), format!("../{name}")));
                }
            }
            "includeBuild" => {
                let dirs = arguments(&tokens, at).map(below_root);
                found.builds.extend(dirs.map(ToOwned::to_owned));
            }
            "projectDir" => {
                let before = at.checked_sub(3).and_then(|at| tokens.get(at));
                let literals: Vec<&str> = arguments(&tokens, at).collect();
                if let (Some(project), Some(dir)) = (before, literals.last())
                    && project.kind == Kind::Text
                {
                    let dir = below_root(dir).to_owned();
                    found.dirs.push((colon_path(project.text), dir));
                }
            }
            _ => {}
        }
    }
    found
}

/// The strings of a statement after the token at `at`; a line that ends with a
/// comma or inside parentheses goes on.
fn arguments<'t, 'a>(
    tokens: &'t [Token<'a>],
    at: usize,
) -> impl Iterator<Item = &'a str> + use<'t, 'a> {
    let rest = tokens.get(at + 1..).unwrap_or_default();
    let mut parens = 0_i32;
    let mut before = ",";
    let mut taken = 0;
    for token in rest {
        let is_new = token.is_first && parens <= 0 && !matches!(before, "," | "=" | "(");
        if is_new || token.is(";") || token.is("{") || token.is("}") {
            break;
        }
        match token.text {
            "(" if token.kind == Kind::Punct => parens += 1,
            ")" if token.kind == Kind::Punct => parens -= 1,
            _ => {}
        }
        before = token.text;
        taken += 1;
    }
    let texts = rest.get(..taken).unwrap_or_default().iter();
    texts
        .filter(|token| token.kind == Kind::Text)
        .map(|token| token.text)
}

fn colon_path(name: &str) -> String {
    format!(":{}", name.trim_start_matches(':').replace('/', ":"))
}

/// A directory without the variable that stands for the root.
fn below_root(dir: &str) -> &str {
    const ROOTS: &[&str] = &[
        "$rootDir",
        "${rootDir}",
        "$settingsDir",
        "${settingsDir}",
        "$rootProject.projectDir",
        "${rootProject.projectDir}",
        "$projectDir",
        "${projectDir}",
    ];
    let found = ROOTS.iter().find_map(|root| dir.strip_prefix(root));
    found.unwrap_or(dir).trim_start_matches('/')
}

/// Reads a build script.
pub(super) fn build(path: &str, text: &str) -> Script {
    let tokens = tokens(path, text);
    let mut reader = Reader {
        tokens: &tokens,
        found: Script::default(),
        scopes: vec![(Scope::Own, 0)],
        start: 0,
        parens: 0,
        group: None,
    };
    for (at, token) in tokens.iter().enumerate() {
        reader.token(at, *token);
    }
    reader.found
}

struct Reader<'t, 'a> {
    tokens: &'t [Token<'a>],
    found: Script,
    /// Open blocks: whom they are about, and the parentheses open around them.
    scopes: Vec<(Scope, u32)>,
    /// Where the statement at hand starts.
    start: usize,
    parens: u32,
    group: Option<&'a str>,
}

/// Properties of other projects that say nothing of dependencies.
const HARMLESS: &[&str] = &[
    "file",
    "files",
    "projectDir",
    "name",
    "version",
    "group",
    "ext",
    "extra",
    "property",
    "properties",
    "findProperty",
    "hasProperty",
    "layout",
    "buildDir",
    "libs",
    "tasks",
    "rootDir",
    "logger",
    "providers",
    "path",
    "plugins",
    "rootProject",
    "objects",
    "extensions",
    "the",
    "description",
    "isolated",
    "buildFile",
    "gradle",
    "repositories",
    "javaToolchains",
    "project",
    "relativePath",
    "apply",
    "pluginManager",
    "hasPlugin",
    "displayName",
    "status",
];

impl<'a> Reader<'_, 'a> {
    fn at(&self, at: usize) -> Option<&Token<'a>> {
        self.tokens.get(at)
    }

    fn before(&self, at: usize) -> Option<&Token<'a>> {
        at.checked_sub(1).and_then(|at| self.tokens.get(at))
    }

    fn token(&mut self, at: usize, token: Token<'a>) {
        if token.is_first && self.parens == 0 {
            self.start = at;
        }
        match (token.kind, token.text) {
            (Kind::Punct, "(" | "[") => self.parens += 1,
            (Kind::Punct, ")" | "]") => self.parens = self.parens.saturating_sub(1),
            (Kind::Punct, "{") => {
                let scope = self.scope_of_block(at);
                self.scopes.push((scope, self.parens));
                (self.parens, self.start) = (0, at + 1);
            }
            (Kind::Punct, "}") => {
                if self.scopes.len() > 1
                    && let Some((_, parens)) = self.scopes.pop()
                {
                    self.parens = parens;
                }
                self.start = at + 1;
            }
            (Kind::Punct, ";") => self.start = at + 1,
            (Kind::Word, _) => self.word(at, token),
            (Kind::Text, _) => self.text(at, token),
            _ => {}
        }
    }

    fn scope_of_block(&self, brace: usize) -> Scope {
        let statement = self.tokens.get(self.start..brace).unwrap_or_default();
        let has = |words: &[&str]| {
            statement
                .iter()
                .any(|token| token.kind == Kind::Word && words.contains(&token.text))
        };
        if has(&[
            "subprojects",
            "allprojects",
            "configure",
            "configureEach",
            "beforeProject",
        ]) {
            return Scope::Shared;
        }
        let path = statement.iter().find(|token| token.text.starts_with(':'));
        match (statement.first(), path) {
            (Some(first), Some(path)) if first.is_word("project") && path.kind == Kind::Text => {
                Scope::Of(path.text.to_owned())
            }
            _ => self.scope(),
        }
    }

    fn scope(&self) -> Scope {
        self.scopes
            .last()
            .map_or(Scope::Own, |(scope, _)| scope.clone())
    }

    fn word(&mut self, at: usize, token: Token<'a>) {
        let is_member = self.before(at).is_some_and(|before| before.is("."));
        match token.text {
            "project" if self.at(at + 1).is_some_and(|next| next.is("(")) => self.project(at),
            "projects" | "libs" if !is_member => {
                let words = self.chain(at);
                if token.text == "libs" {
                    self.found.catalog.push(words.join("."));
                } else if !words.is_empty() {
                    self.need(at, Target::Accessor(words));
                }
            }
            "subprojects" | "allprojects" | "childProjects" | "moduleProjects" => {
                let is_block = self.at(at + 1).is_some_and(|next| next.is("{"));
                if !(is_block && at == self.start) {
                    self.need(at, Target::All);
                }
            }
            "parent" | "rootProject" if !is_member => {
                let words = self.chain(at);
                let first = words.first().map(String::as_str);
                if first.is_some_and(|first| !HARMLESS.contains(&first)) {
                    self.need(at, Target::All);
                }
            }
            "from" if self.statement_has("apply", at) => {
                let literal = arguments(self.tokens, at).next().map(below_root);
                self.found.applied.extend(literal.map(ToOwned::to_owned));
            }
            "group" => self.group = self.named_argument(at),
            "name" => {
                if let (Some(group), Some(name)) = (self.group.take(), self.named_argument(at)) {
                    self.found.externals.push(format!("{group}:{name}"));
                }
            }
            _ => {}
        }
    }

    /// After `project(`: the path of a project, if a literal says it.
    fn project(&mut self, at: usize) {
        let is_path = |token: &Token<'_>| token.kind == Kind::Text;
        let first = self.at(at + 2).copied();
        match first {
            Some(token) if is_path(&token) && !token.text.contains('$') => {
                self.need(at, Target::Project(token.text.to_owned()));
            }
            Some(token) if matches!(token.text, "path" | "configuration") => {
                let named = arguments(self.tokens, at).find(|text| text.starts_with(':'));
                let is_fixed = named.is_some_and(|path| !path.contains('$'));
                let target = named.filter(|_| is_fixed).map(ToOwned::to_owned);
                self.need(at, target.map_or(Target::All, Target::Project));
            }
            _ => self.need(at, Target::All),
        }
    }

    fn text(&mut self, at: usize, token: Token<'a>) {
        if token.text.len() > 1 && token.text.starts_with(':') {
            let is_path = !token.text.contains(['$', ' ', '/']);
            let is_block_head =
                self.statement_has("project", self.start + 1) && self.scope_head(at);
            if is_path && !is_block_head {
                self.need(at, Target::Path(token.text.to_owned()));
            }
        } else if let Some(name) = coordinates(token.text) {
            self.found.externals.push(name);
        }
    }

    /// Whether the literal at `at` only says whom the block after it is about.
    fn scope_head(&self, at: usize) -> bool {
        let first = self
            .at(self.start)
            .is_some_and(|first| first.is_word("project"));
        first
            && self.at(at + 1).is_some_and(|next| next.is(")"))
            && self.at(at + 2).is_some_and(|next| next.is("{"))
    }

    fn need(&mut self, at: usize, target: Target) {
        if target != Target::All && self.scope_head(at + 2) {
            return;
        }
        let asks_tests = |token: &&Token<'_>| {
            let text = token.text.to_ascii_lowercase();
            matches!(token.kind, Kind::Word | Kind::Text)
                && text.contains("test")
                && !text.contains("testfixtures")
                && !text.starts_with(':')
        };
        let first = self.at(self.start).filter(|_| self.start < at);
        let middle = self.tokens.get(self.start + 1..at).unwrap_or_default();
        let need = Need {
            scope: self.scope(),
            target,
            is_for_tests: first.is_some_and(|token| asks_tests(&token)),
            is_of_tests: middle
                .iter()
                .chain(self.rest_of_statement(at))
                .any(|token| asks_tests(&token)),
        };
        self.found.needs.push(need);
    }

    /// The tokens after `at` up to the end of the statement or to its block.
    fn rest_of_statement(&self, at: usize) -> &[Token<'a>] {
        let rest = self.tokens.get(at + 1..).unwrap_or_default();
        let mut parens = self.parens;
        let end = rest.iter().position(|token| {
            let ends = token.is_first && parens == 0;
            match token.text {
                "(" | "[" if token.kind == Kind::Punct => parens += 1,
                ")" | "]" if token.kind == Kind::Punct => parens = parens.saturating_sub(1),
                _ => {}
            }
            ends || token.is("{") || token.is("}")
        });
        rest.get(..end.unwrap_or(rest.len())).unwrap_or_default()
    }

    /// The words after a word, with dots between them.
    fn chain(&self, at: usize) -> Vec<String> {
        let rest = self.tokens.get(at + 1..).unwrap_or_default();
        let pairs = rest.chunks_exact(2);
        pairs
            .take_while(
                |pair| matches!(pair, [dot, word] if dot.is(".") && word.kind == Kind::Word),
            )
            .filter_map(|pair| pair.last().map(|word| word.text.to_owned()))
            .collect()
    }

    fn statement_has(&self, word: &str, end: usize) -> bool {
        let statement = self.tokens.get(self.start..end).unwrap_or_default();
        statement.iter().any(|token| token.is_word(word))
    }

    /// The literal of `name: "x"` or `name = "x"`.
    fn named_argument(&self, at: usize) -> Option<&'a str> {
        let mark = self.at(at + 1)?;
        let value = self.at(at + 2)?;
        let is_named = (mark.is(":") || mark.is("=")) && value.kind == Kind::Text;
        is_named.then_some(value.text)
    }
}

/// `group:name` of `group:name:version`.
fn coordinates(text: &str) -> Option<String> {
    let mut parts = text.split(':');
    let (group, name) = (parts.next()?, parts.next()?);
    let is_name = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
    };
    (is_name(group) && is_name(name) && parts.count() <= 3).then(|| format!("{group}:{name}"))
}
