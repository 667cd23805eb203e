//! nox: the sessions of `noxfile.py`, as far as what they run is literal.
//!
//! Every call of a method of the session counts wherever it stands: in a branch, a
//! handler, a lambda or a function inside. A session that is handed on, or used in any
//! other way, may run anything, and so may a method that is not known. Every text of a
//! session that names a file is an input, whatever it is for.

use std::collections::BTreeSet;

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{Expr, ExprCall, Parameters, Stmt, StmtFunctionDef};
use ruff_text_size::{Ranged as _, TextSize};

use super::super::walk::{Invocation, Walk, shorten};
use super::super::{OpaqueCause, Origin};
use super::{environments, in_dir};
use crate::engine::globs::Glob;
use crate::engine::graph::nesting;
use crate::engine::shell::{Value, Word};

/// What a session says of itself and nobody runs.
const FIELDS: &[&str] = &[
    "posargs",
    "python",
    "name",
    "friendly_name",
    "interactive",
    "bin",
    "bin_paths",
    "virtualenv",
    "venv_backend",
    "cache_dir",
    "invoked_from",
];

/// One session of the file.
struct Session<'f> {
    function: &'f StmtFunctionDef,
    /// Its names; `None` among them for one that is computed.
    names: Vec<Option<String>>,
}

/// A file of sessions and the command that asks for some of them.
struct File<'f> {
    call: &'f Invocation,
    path: &'f str,
    text: &'f str,
}

impl Walk<'_> {
    /// `nox -s NAMES`: the sessions of `noxfile.py`.
    pub(in crate::engine::inputs) fn nox(&mut self, call: &Invocation) {
        let Some(dir) = call.dir().map(str::to_owned) else {
            return self.unknown_use(call);
        };
        let words = call.texts().into_iter().take_while(|word| *word != "--");
        let is_other_file =
            |word: &str| word.starts_with("--noxfile") || word.starts_with("-f") && word != "-fb";
        if words.into_iter().any(is_other_file) {
            return self.unknown_use(call);
        }
        let path = in_dir(&dir, "noxfile.py");
        let Some(text) = self.text(&path) else {
            if !self.has_file(&path) {
                self.opaque(call, OpaqueCause::Missing(path.into()));
            }
            return;
        };
        self.entry(call, vec![Glob::path(&path)]);
        let file = File {
            call,
            path: &path,
            text,
        };
        if nesting::guarded(text, || self.noxfile(&file)) != Some(true) {
            self.opaque(call, OpaqueCause::UnknownUse(call.origin.what.clone()));
        }
    }

    /// Walks the sessions that are asked for; whether there is any.
    fn noxfile(&mut self, file: &File<'_>) -> bool {
        let Ok(parsed) = ruff_python_parser::parse_module(file.text) else {
            return false;
        };
        let mut found = Found::default();
        for statement in &parsed.syntax().body {
            found.visit_stmt(statement);
        }
        let asked = environments(file.call);
        let is_asked = |session: &Session<'_>| match &asked {
            Some(asked) => asked.iter().any(|asked| session.is_called(asked)),
            None => true,
        };
        let all = || found.0.iter().enumerate();
        let chosen = all().filter(|(_, session)| is_asked(session));
        let mut open: Vec<usize> = chosen.map(|(at, _)| at).collect();
        let mut seen = BTreeSet::new();
        while let Some(at) = open.pop() {
            let Some(session) = found.0.get(at).filter(|_| seen.insert(at)) else {
                continue;
            };
            for name in self.session(file, session.function) {
                let more = all().filter(|(_, session)| session.is_called(&name));
                open.extend(more.map(|(at, _)| at));
            }
        }
        !seen.is_empty()
    }

    /// Walks one session; gives the names of those that it asks for.
    fn session(&mut self, file: &File<'_>, function: &StmtFunctionDef) -> Vec<String> {
        let mut body = Body {
            name: first_parameter(&function.parameters),
            calls: Vec::new(),
            texts: Vec::new(),
            lost: None,
        };
        for statement in &function.body {
            body.visit_stmt(statement);
        }
        if let Some((at, what)) = body.lost.take() {
            self.lost(file, at, what);
        }
        for text in &body.texts {
            self.names_of_text(file.call, text);
        }
        let mut asked = Vec::new();
        for (method, inner) in &body.calls {
            match (method.as_str(), inner.arguments.args.first()) {
                ("notify", Some(Expr::StringLiteral(name))) => {
                    asked.push(name.value.to_str().to_owned());
                }
                _ => self.session_call(file, method, inner),
            }
        }
        asked
    }

    fn session_call(&mut self, file: &File<'_>, method: &str, inner: &ExprCall) {
        let mut step = file.call.clone();
        step.words = words(file.call, &inner.arguments.args);
        step.origin = file.origin(inner.start(), &step.texts().join(" "));
        match method {
            "run" | "run_always" | "run_install" | "install" => {
                self.session_variables(&step, inner);
                if method == "install" {
                    step.words.insert(0, Word::literal("install"));
                    return self.install(&step);
                }
                self.program(&step);
            }
            "log" | "warn" | "skip" | "error" | "debug" => {}
            _ => self.lost(file, inner.start(), format!("session.{method}")),
        }
    }

    /// Variables that a call sets for what it runs.
    fn session_variables(&mut self, step: &Invocation, inner: &ExprCall) {
        let given = inner.arguments.find_keyword("env");
        let Some(Expr::Dict(dict)) = given.map(|keyword| &keyword.value) else {
            return;
        };
        for item in &dict.items {
            if let Some(Expr::StringLiteral(name)) = &item.key {
                let value = match &item.value {
                    Expr::StringLiteral(text) => Value::Text(text.value.to_str().into()),
                    _ => Value::Unknown,
                };
                self.assignment(step, name.value.to_str(), &value);
            }
        }
    }

    fn lost(&mut self, file: &File<'_>, at: TextSize, what: String) {
        let mut call = file.call.clone();
        call.origin = file.origin(at, &what);
        self.opaque(&call, OpaqueCause::UnknownUse(what.into()));
    }
}

impl File<'_> {
    fn origin(&self, at: TextSize, what: &str) -> Origin {
        let before = self.text.get(..at.to_usize()).unwrap_or_default();
        let lines = before.matches('\n').count();
        Origin {
            file: self.path.into(),
            line: u32::try_from(lines + 1).unwrap_or(u32::MAX),
            what: shorten(what),
        }
    }
}

impl Session<'_> {
    /// Whether a name that is asked for may mean this session.
    fn is_called(&self, asked: &str) -> bool {
        let asked = asked.replace('_', "-");
        let first = |name: &str| name.split(['(', '-']).next().map(str::to_owned);
        self.names.iter().any(|name| match name {
            Some(name) => asked.starts_with(name) || first(&asked) == first(name),
            None => true,
        })
    }
}

/// The sessions of a file, wherever they are defined but in functions and classes.
#[derive(Default)]
struct Found<'f>(Vec<Session<'f>>);

impl<'f> Visitor<'f> for Found<'f> {
    fn visit_stmt(&mut self, statement: &'f Stmt) {
        match statement {
            Stmt::FunctionDef(function) => self.0.extend(session(function)),
            Stmt::ClassDef(_) => {}
            _ => walk_stmt(self, statement),
        }
    }
}

/// A function that a decorator makes a session, with its names.
fn session(function: &StmtFunctionDef) -> Option<Session<'_>> {
    let mut names = vec![Some(function.name.as_str().replace('_', "-"))];
    let mut is_session = false;
    for decorator in &function.decorator_list {
        let (made_by, arguments) = match &decorator.expression {
            Expr::Call(inner) => (&*inner.func, Some(&inner.arguments)),
            other => (other, None),
        };
        if !super::dotted(made_by).is_some_and(|name| name.ends_with("session")) {
            continue;
        }
        is_session = true;
        let name = arguments.and_then(|it| it.find_keyword("name"));
        names.extend(name.map(|keyword| match &keyword.value {
            Expr::StringLiteral(text) => Some(text.value.to_str().replace('_', "-")),
            _ => None,
        }));
        if arguments.is_some_and(|it| it.keywords.iter().any(|keyword| keyword.arg.is_none())) {
            names.push(None);
        }
    }
    is_session.then_some(Session { function, names })
}

/// What a session does with the object that it is given.
struct Body<'f> {
    name: &'f str,
    calls: Vec<(String, &'f ExprCall)>,
    texts: Vec<&'f str>,
    /// A use that is not followed.
    lost: Option<(TextSize, String)>,
}

impl<'f> Visitor<'f> for Body<'f> {
    fn visit_expr(&mut self, expression: &'f Expr) {
        match expression {
            Expr::Call(inner) => {
                let dotted = super::dotted(&inner.func).unwrap_or_default();
                let method = dotted.strip_prefix(self.name);
                let Some(method) = method.and_then(|rest| rest.strip_prefix('.')) else {
                    return walk_expr(self, expression);
                };
                self.calls.push((method.to_owned(), inner));
                self.visit_arguments(&inner.arguments);
            }
            Expr::Attribute(attribute) if self.is_session(&attribute.value) => {
                if !FIELDS.contains(&attribute.attr.as_str()) {
                    let what = format!("session.{} is handed on", attribute.attr);
                    self.lost.get_or_insert((expression.start(), what));
                }
            }
            Expr::Name(_) if self.is_session(expression) => {
                let what = "the session is handed on".to_owned();
                self.lost.get_or_insert((expression.start(), what));
            }
            Expr::StringLiteral(text) => self.texts.push(text.value.to_str()),
            _ => walk_expr(self, expression),
        }
    }
}

impl Body<'_> {
    fn is_session(&self, expression: &Expr) -> bool {
        matches!(expression, Expr::Name(name) if name.id.as_str() == self.name)
    }
}

/// The name of the first parameter of a function.
fn first_parameter(parameters: &Parameters) -> &str {
    let mut named = parameters.posonlyargs.iter().chain(&parameters.args);
    let first = named.next().map(|it| it.parameter.name.as_str());
    let rest = || parameters.vararg.as_ref().map(|it| it.name.as_str());
    first.or_else(rest).unwrap_or_default()
}

/// Literal arguments, with those of the command line where they are passed on; anything
/// else is not known.
fn words(call: &Invocation, arguments: &[Expr]) -> Vec<Word> {
    let given = call.words.iter().skip_while(|word| &*word.text != "--");
    let given: Vec<Word> = given.skip(1).cloned().collect();
    let mut words = Vec::new();
    for argument in arguments {
        match argument {
            Expr::StringLiteral(text) => words.push(Word::literal(text.value.to_str())),
            Expr::Starred(starred)
                if super::dotted(&starred.value).is_some_and(|it| it.ends_with(".posargs")) =>
            {
                words.extend(given.iter().cloned());
            }
            _ => words.push(Word {
                text: "…".into(),
                unknown: true,
                glob: false,
            }),
        }
    }
    words
}
