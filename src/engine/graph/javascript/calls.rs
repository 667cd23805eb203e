//! Calls that load files or run programs, and calls that define tests.
//!
//! A literal names its module. A template with a literal beginning names the files
//! that it could come to. Everything else widens the file's reach to its package.

use oxc_ast::ast::{Argument, CallExpression, Expression, NewExpression, TemplateLiteral};
use oxc_span::Span;

use super::extract::{Bound, Reader};
use super::opened;
use crate::engine::facts::ImportKind;
use crate::engine::graph::places::GAP;

/// Modules whose functions start programs.
const PROCESS_MODULES: &[&str] = &[
    "child_process",
    "node:child_process",
    "execa",
    "cross-spawn",
    "zx",
    "tinyexec",
    "shelljs",
    "nano-spawn",
    "nanoexec",
    "bun",
];

/// Programs that run another program or script, which their arguments name.
const RUNNERS: &[&str] = &[
    "node", "npm", "npx", "pnpm", "pnpx", "yarn", "bun", "bunx", "deno", "tsx", "ts-node", "sh",
    "bash", "zsh", "env", "sudo", "xargs", "make", "just", "turbo", "nx", "lerna", "python",
    "python3",
];

/// Whether a module's functions start programs.
pub(super) fn starts_programs(module: &str) -> bool {
    PROCESS_MODULES.contains(&module)
}

/// Reads one call; whether it opens a suite whose title was pushed.
pub(super) fn read<'a>(reader: &mut Reader<'_, 'a>, call: &CallExpression<'a>) -> bool {
    match &call.callee {
        Expression::Identifier(name) => match name.name.as_str() {
            "require" => first(reader, call, ImportKind::Require),
            "eval" => reader.dynamic("eval(...)", call.span),
            "importScripts" => first(reader, call, ImportKind::Dynamic),
            name => match reader.bound.get(name) {
                Some(Bound::Process) => program(reader, call),
                Some(Bound::Require) => first(reader, call, ImportKind::Require),
                None => {}
            },
        },
        Expression::StaticMemberExpression(member) => {
            method(reader, call, &member.object, member.property.name.as_str());
        }
        // `createRequire(import.meta.url)("x")`
        Expression::CallExpression(inner) if is_create_require(inner) => {
            first(reader, call, ImportKind::Require);
        }
        _ => {}
    }
    defines_test(reader, call)
}

/// What a value that a variable gets stands for.
pub(super) fn meaning<'a>(reader: &Reader<'_, 'a>, init: &Expression<'a>) -> Option<Bound> {
    let mut init = init.get_inner_expression();
    if let Expression::AwaitExpression(inner) = init {
        init = inner.argument.get_inner_expression();
    }
    match init {
        Expression::ImportExpression(import) => literal(&import.source)
            .filter(|name| starts_programs(name))
            .map(|_| Bound::Process),
        Expression::CallExpression(call) if is_create_require(call) => Some(Bound::Require),
        Expression::CallExpression(call) => {
            let argument = call.arguments.first()?.as_expression()?;
            let bound = match argument {
                Expression::Identifier(name) => reader.bound.get(name.name.as_str()).copied(),
                _ => None,
            };
            match literal(argument) {
                Some(name) if call.callee.is_specific_id("require") => {
                    starts_programs(name).then_some(Bound::Process)
                }
                // `promisify(exec)`
                _ => bound.filter(|_| matches!(call.callee_name(), Some("promisify"))),
            }
        }
        Expression::StaticMemberExpression(member) => meaning_of_member(reader, &member.object),
        Expression::Identifier(name) => reader.bound.get(name.name.as_str()).copied(),
        _ => None,
    }
}

/// Reads what a dynamic import or a `require` is given.
pub(super) fn loaded<'a>(
    reader: &mut Reader<'_, 'a>,
    source: &Expression<'a>,
    kind: ImportKind,
    at: Span,
) {
    let what = if kind == ImportKind::Require {
        "require(...)"
    } else {
        "import(...)"
    };
    match source.get_inner_expression() {
        Expression::StringLiteral(text) => reader.import(&text.value, kind, at),
        Expression::TemplateLiteral(text) => match pattern(text) {
            Some(pattern) if !pattern.contains('*') => reader.import(&pattern, kind, at),
            Some(pattern) if pattern.starts_with('.') => {
                reader.import(&pattern, ImportKind::Embed, at);
            }
            _ => reader.dynamic(what, at),
        },
        // `require(path.join(__dirname, "x"))`
        Expression::CallExpression(call) => match beside(call) {
            Some(path) => reader.import(&path, kind, at),
            None => reader.dynamic(what, at),
        },
        Expression::ConditionalExpression(choice) => {
            for branch in [&choice.consequent, &choice.alternate] {
                match literal(branch) {
                    Some(text) => reader.import(text, kind, at),
                    None => reader.dynamic(what, at),
                }
            }
        }
        other => {
            opened::loaded(reader, other, at);
            reader.dynamic(what, at);
        }
    }
}

/// `new URL("./x", import.meta.url)` and `new Worker("./x")`.
pub(super) fn constructed<'a>(reader: &mut Reader<'_, 'a>, it: &NewExpression<'a>) {
    let Expression::Identifier(name) = &it.callee else {
        return;
    };
    if !matches!(name.name.as_str(), "URL" | "Worker" | "SharedWorker") {
        return;
    }
    let argument = it.arguments.first().and_then(Argument::as_expression);
    match argument {
        Some(Expression::StringLiteral(text)) if text.value.starts_with('.') => {
            reader.import(&text.value, ImportKind::Embed, it.span);
        }
        Some(Expression::TemplateLiteral(text)) => {
            if let Some(pattern) = pattern(text).filter(|pattern| pattern.starts_with('.')) {
                reader.import(&pattern, ImportKind::Embed, it.span);
            }
        }
        Some(Expression::NewExpression(_)) | None => {}
        Some(_) if name.name == "Worker" => reader.dynamic("new Worker(...)", it.span),
        Some(_) => {}
    }
}

fn method<'a>(
    reader: &mut Reader<'_, 'a>,
    call: &CallExpression<'a>,
    object: &Expression<'a>,
    name: &str,
) {
    if let Expression::CallExpression(loaded) = object
        && loaded.callee.is_specific_id("require")
        && argument(loaded, 0).is_some_and(starts_programs)
    {
        return program(reader, call);
    }
    let object_name = match object {
        Expression::Identifier(object) => object.name.as_str(),
        Expression::ImportMeta(_) => "import.meta",
        _ => return,
    };
    match (object_name, name) {
        ("require", "resolve") => first(reader, call, ImportKind::Require),
        ("require", "context") => {
            if let Some(dir) = argument(call, 0) {
                reader.import(
                    &format!("{}/**", dir.trim_end_matches('/')),
                    ImportKind::Embed,
                    call.span,
                );
            }
        }
        _ if is_mock(object_name, name) => {
            if let Some(module) = argument(call, 0) {
                reader.import(module, ImportKind::Require, call.span);
            } else if let Some(Argument::ImportExpression(_)) = call.arguments.first() {
                // `vi.mock(import("./x"))` is read as the import that it holds.
            } else if object_name != "td" {
                reader.dynamic(&format!("{object_name}.{name}(...)"), call.span);
            }
        }
        ("import.meta", "glob" | "globEager") => globs(reader, call),
        ("import.meta", "resolve") => first(reader, call, ImportKind::Dynamic),
        ("path", "join" | "resolve") => {
            if let Some(path) = beside(call).or_else(|| trailing(call)) {
                reader.literal(path.trim_start_matches("./"));
            }
        }
        (object, _) if reader.bound.get(object) == Some(&Bound::Process) => program(reader, call),
        (object, "resolve") if reader.bound.get(object) == Some(&Bound::Require) => {
            first(reader, call, ImportKind::Require);
        }
        _ => {}
    }
}

/// Whether a call of a test runner takes the module that it replaces or restores.
fn is_mock(object: &str, name: &str) -> bool {
    matches!(object, "jest" | "vi" | "vitest" | "td")
        && matches!(
            name,
            "mock"
                | "doMock"
                | "unmock"
                | "dontMock"
                | "doUnmock"
                | "setMock"
                | "requireActual"
                | "requireMock"
                | "importActual"
                | "importMock"
                | "createMockFromModule"
                | "genMockFromModule"
                | "unstable_mockModule"
                | "replace"
        )
}

fn first<'a>(reader: &mut Reader<'_, 'a>, call: &CallExpression<'a>, kind: ImportKind) {
    match call.arguments.first().and_then(Argument::as_expression) {
        Some(source) => loaded(reader, source, kind, call.span),
        None if call.arguments.is_empty() => {}
        None => reader.dynamic("require(...)", call.span),
    }
}

fn globs<'a>(reader: &mut Reader<'_, 'a>, call: &CallExpression<'a>) {
    let patterns: Vec<&str> = match call.arguments.first().and_then(Argument::as_expression) {
        Some(Expression::ArrayExpression(list)) => list
            .elements
            .iter()
            .filter_map(|item| literal(item.as_expression()?))
            .collect(),
        Some(pattern) => literal(pattern).into_iter().collect(),
        None => Vec::new(),
    };
    if patterns.is_empty() {
        reader.dynamic("import.meta.glob(...)", call.span);
    }
    for pattern in patterns
        .into_iter()
        .filter(|pattern| !pattern.starts_with('!'))
    {
        reader.import(pattern, ImportKind::Embed, call.span);
    }
}

/// A call that starts a program.
fn program<'a>(reader: &mut Reader<'_, 'a>, call: &CallExpression<'a>) {
    let words = words(call);
    opened::words(reader, call, &words);
    let Some(Argument::StringLiteral(command)) = call.arguments.first() else {
        let known = match call.arguments.first() {
            // The words before the first gap name the program.
            Some(Argument::TemplateLiteral(text)) => text
                .quasis
                .first()
                .and_then(|quasi| quasi.value.raw.split_once(' '))
                .is_some_and(|(program, _)| !RUNNERS.contains(&program)),
            None => true,
            Some(_) => false,
        };
        if !known {
            reader.dynamic("a program that is not literal", call.span);
        }
        return;
    };
    let mut words = command.value.split_whitespace();
    let program = words.next().unwrap_or_default();
    let mut names_file = words.any(is_file);
    let mut is_known = true;
    match call.arguments.get(1) {
        Some(Argument::ArrayExpression(list)) => {
            for item in &list.elements {
                match item.as_expression().and_then(literal) {
                    Some(word) => names_file |= is_file(word),
                    None => is_known = false,
                }
            }
        }
        None | Some(Argument::ObjectExpression(_) | Argument::ArrowFunctionExpression(_)) => {}
        Some(_) => is_known = false,
    }
    if RUNNERS.contains(&program) && !(is_known && names_file) {
        reader.dynamic(
            &format!("{program} with arguments that name no file"),
            call.span,
        );
    }
}

/// The words of a command, with gaps where only the run can tell.
fn words(call: &CallExpression<'_>) -> Vec<String> {
    let gap = GAP.to_string();
    let line = match call.arguments.first() {
        Some(Argument::StringLiteral(line)) => line.value.to_string(),
        Some(Argument::TemplateLiteral(line)) => {
            let quasis = line.quasis.iter().map(|quasi| quasi.value.raw.as_str());
            quasis.collect::<Vec<_>>().join(&gap)
        }
        // `process.execPath`, mostly.
        _ => "node".to_owned(),
    };
    let mut words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    if let Some(Argument::ArrayExpression(list)) = call.arguments.get(1) {
        let items = list.elements.iter().filter_map(|item| item.as_expression());
        words.extend(items.filter_map(literal).map(str::to_owned));
    }
    words
}

fn is_file(word: &str) -> bool {
    word.contains('/')
        || [".js", ".ts", ".mjs", ".cjs", ".sh", ".py"]
            .iter()
            .any(|end| word.ends_with(end))
}

/// Suites and tests by their literal titles; whether a suite was opened.
fn defines_test<'a>(reader: &mut Reader<'_, 'a>, call: &CallExpression<'a>) -> bool {
    let Some(Argument::StringLiteral(title)) = call.arguments.first() else {
        return false;
    };
    if call.arguments.len() < 2 {
        return false;
    }
    match base(&call.callee) {
        Some("describe" | "suite" | "context") => {
            reader.titles.push(title.value.as_str().to_owned());
            true
        }
        Some("it" | "test" | "specify" | "fit" | "xit") => {
            reader.test(&title.value);
            false
        }
        _ => false,
    }
}

/// The name that a chain such as `it.each(x).skip` starts with.
fn base<'e>(callee: &'e Expression<'_>) -> Option<&'e str> {
    let mut current = callee;
    loop {
        current = match current {
            Expression::Identifier(name) => return Some(name.name.as_str()),
            Expression::StaticMemberExpression(member) => &member.object,
            Expression::CallExpression(call) => &call.callee,
            Expression::TaggedTemplateExpression(tagged) => &tagged.tag,
            _ => return None,
        };
    }
}

fn meaning_of_member<'a>(reader: &Reader<'_, 'a>, object: &Expression<'a>) -> Option<Bound> {
    match object {
        Expression::Identifier(name) => reader.bound.get(name.name.as_str()).copied(),
        Expression::CallExpression(call) if call.callee.is_specific_id("require") => {
            argument(call, 0)
                .filter(|name| starts_programs(name))
                .map(|_| Bound::Process)
        }
        _ => None,
    }
}

fn is_create_require(call: &CallExpression<'_>) -> bool {
    call.callee_name() == Some("createRequire")
}

fn argument<'e>(call: &'e CallExpression<'_>, index: usize) -> Option<&'e str> {
    literal(call.arguments.get(index)?.as_expression()?)
}

fn literal<'e>(expression: &'e Expression<'_>) -> Option<&'e str> {
    match expression.get_inner_expression() {
        Expression::StringLiteral(text) => Some(text.value.as_str()),
        Expression::TemplateLiteral(text) => match text.quasis.as_slice() {
            [only] => only.value.cooked.as_ref().map(oxc_ast::ast::Str::as_str),
            _ => None,
        },
        _ => None,
    }
}

/// A template as a glob, with a `*` for each expression; `None` when it starts with one.
fn pattern(text: &TemplateLiteral<'_>) -> Option<String> {
    let quasis: Vec<&str> = text
        .quasis
        .iter()
        .map(|quasi| quasi.value.raw.as_str())
        .collect();
    quasis.first().filter(|first| !first.is_empty())?;
    Some(quasis.join("*"))
}

/// `path.join(__dirname, "a", "b")` as `./a/b`.
fn beside(call: &CallExpression<'_>) -> Option<String> {
    let Some(Argument::Identifier(base)) = call.arguments.first() else {
        return None;
    };
    let is_here = matches!(base.name.as_str(), "__dirname" | "dirname" | "here");
    let path = trailing(call).filter(|_| is_here && call.arguments.len() > 1)?;
    let all = call
        .arguments
        .iter()
        .skip(1)
        .all(|item| item.as_expression().and_then(literal).is_some());
    all.then(|| {
        if path.starts_with('.') {
            path
        } else {
            format!("./{path}")
        }
    })
}

/// The literal arguments at the end, joined as a path.
fn trailing(call: &CallExpression<'_>) -> Option<String> {
    let last = call.arguments.iter().rev();
    let mut pieces: Vec<&str> = last
        .map_while(|item| literal(item.as_expression()?))
        .collect();
    pieces.reverse();
    (!pieces.is_empty()).then(|| pieces.join("/"))
}
