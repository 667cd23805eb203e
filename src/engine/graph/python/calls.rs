//! Calls that load or run code by name.
//!
//! A literal argument names its module or program; anything else widens the file's
//! reach to its package. A name inside a string is looked at again when the file is
//! resolved, so that only calls whose name is not a dotted path matter here.

use ruff_python_ast::{Arguments, Expr, ExprCall, FStringPart, InterpolatedStringElement};
use ruff_text_size::Ranged;

use super::extract::Reader;
use crate::engine::facts::{ImportKind, Reach};

/// Programs that run another program or script, which their arguments name.
const RUNNERS: &[&str] = &[
    "sh", "bash", "zsh", "dash", "env", "sudo", "xargs", "make", "just", "node", "npm", "npx",
    "yarn", "pnpm", "tox", "nox", "perl", "ruby", "uv", "uvx", "poetry", "pdm", "hatch", "pipenv",
    "pytest", "coverage",
];

/// Reads one call.
pub(super) fn read<'a>(reader: &mut Reader<'a>, call: &'a ExprCall) {
    let last = match call.func.as_ref() {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => return,
    };
    // An imported name may have been renamed, so that every bound one is looked up.
    let is_bare = matches!(call.func.as_ref(), Expr::Name(_));
    if last == "join" || last == "joinpath" || last == "Path" {
        joined(reader, &call.arguments);
    }
    let name = reader.full_name(&call.func);
    reader.openings.call(call, name.as_deref(), last);
    let may_be_renamed = is_bare && reader.is_bound(last);
    if !is_interesting(last) && !may_be_renamed {
        return;
    }
    let Some(name) = name else {
        if matches!(last, "patch" | "setattr" | "delattr") {
            patched(reader, call);
        }
        return;
    };
    dispatch(reader, call, &name);
}

/// Every string literal in lists, tuples and sums of them.
pub(super) fn strings_in<'a>(value: &'a Expr, found: &mut Vec<&'a str>) {
    match value {
        Expr::StringLiteral(literal) => found.push(literal.value.to_str()),
        Expr::List(list) => list.elts.iter().for_each(|item| strings_in(item, found)),
        Expr::Tuple(list) => list.elts.iter().for_each(|item| strings_in(item, found)),
        Expr::BinOp(sum) => {
            strings_in(&sum.left, found);
            strings_in(&sum.right, found);
        }
        Expr::Starred(inner) => strings_in(&inner.value, found),
        _ => {}
    }
}

fn is_interesting(attribute: &str) -> bool {
    matches!(
        attribute,
        "import_module"
            | "find_module"
            | "load_source"
            | "__import__"
            | "importorskip"
            | "find_spec"
            | "iter_modules"
            | "walk_packages"
            | "spec_from_file_location"
            | "SourceFileLoader"
            | "run_path"
            | "run_module"
            | "load_module"
            | "main"
            | "discover"
            | "patch"
            | "setattr"
            | "delattr"
            | "multiple"
            | "run"
            | "call"
            | "check_call"
            | "check_output"
            | "Popen"
            | "getoutput"
            | "getstatusoutput"
            | "system"
            | "popen"
            | "create_subprocess_exec"
            | "create_subprocess_shell"
            | "call_command"
    ) || attribute.starts_with("exec")
        || attribute.starts_with("spawn")
        || attribute.starts_with("posix_spawn")
}

fn dispatch<'a>(reader: &mut Reader<'a>, call: &'a ExprCall, name: &str) {
    match name {
        "importlib.import_module"
        | "import_module"
        | "__import__"
        | "builtins.__import__"
        | "importlib.__import__"
        | "pytest.importorskip"
        | "importorskip"
        | "importlib.util.find_spec"
        | "runpy.run_module" => imported(reader, call, name),
        "exec"
        | "builtins.exec"
        | "runpy.run_path"
        | "pkgutil.iter_modules"
        | "pkgutil.walk_packages"
        | "importlib.util.spec_from_file_location"
        | "importlib.machinery.SourceFileLoader"
        | "imp.load_source"
        | "imp.load_module"
        | "imp.find_module"
        | "pytest.main"
        | "unittest.main" => {
            if name == "pytest.main" {
                let mut words = Vec::new();
                call.arguments
                    .args
                    .iter()
                    .for_each(|it| strings_in(it, &mut words));
                for word in words {
                    reader.openings.word(word, None, name, call.start());
                }
            }
            reader.dynamic(Reach::Package, format!("{name}(...)"), call.start());
        }
        "subprocess.run"
        | "subprocess.call"
        | "subprocess.check_call"
        | "subprocess.check_output"
        | "subprocess.Popen"
        | "subprocess.getoutput"
        | "subprocess.getstatusoutput"
        | "os.system"
        | "os.popen"
        | "asyncio.create_subprocess_exec"
        | "asyncio.create_subprocess_shell" => {
            program(reader, call, name);
        }
        _ if name.starts_with("os.exec")
            || name.starts_with("os.spawn")
            || name.starts_with("os.posix_spawn") =>
        {
            reader.dynamic(Reach::Package, format!("{name}(...)"), call.start());
        }
        _ => by_last(reader, call, name),
    }
}

/// Methods whose receiver is not known by name: fixtures, loaders.
fn by_last(reader: &mut Reader<'_>, call: &ExprCall, name: &str) {
    let (receiver, last) = name.rsplit_once('.').unwrap_or(("", name));
    match last {
        "patch" | "multiple" => patched(reader, call),
        "setattr" | "delattr" if !receiver.is_empty() => patched(reader, call),
        "call_command" => {
            if let Some(Expr::StringLiteral(command)) = call.arguments.args.first() {
                let command = command.value.to_str();
                reader.import(command, &[], ImportKind::Program, call.start());
            }
        }
        "discover" if receiver.contains("oader") => {
            reader.dynamic(Reach::Package, format!("{name}(...)"), call.start());
        }
        _ => {}
    }
}

/// `patch("a.b.c")` imports the longest prefix that is a module.
fn patched(reader: &mut Reader<'_>, call: &ExprCall) {
    if let Some(Expr::StringLiteral(target)) = call.arguments.args.first() {
        let target = target.value.to_str();
        if target.contains('.') && is_dotted(target) {
            reader.import(target, &[], ImportKind::Dynamic, call.start());
        }
    }
}

/// Whether a string is identifiers with dots between.
pub(super) fn is_dotted(text: &str) -> bool {
    text.split('.').all(|part| {
        !part.is_empty()
            && !part.starts_with(|c: char| c.is_ascii_digit())
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80)
    })
}

fn imported(reader: &mut Reader<'_>, call: &ExprCall, name: &str) {
    let argument = call.arguments.find_argument_value("name", 0);
    let argument = argument.or_else(|| call.arguments.args.first());
    match argument {
        Some(Expr::StringLiteral(literal)) => {
            let specifier = literal.value.to_str();
            let package = call.arguments.find_argument_value("package", 1);
            let absolute = match package {
                Some(Expr::StringLiteral(package)) if specifier.starts_with('.') => {
                    absolute(specifier, package.value.to_str())
                }
                _ => specifier.to_owned(),
            };
            reader.import(&absolute, &[], ImportKind::Dynamic, call.start());
        }
        // `import_module(f"app.handlers.{name}")` reaches what lies below `app.handlers`.
        Some(Expr::FString(literal)) => match leading_text(literal) {
            Some(prefix) if prefix.contains('.') && !prefix.starts_with('.') => {
                let package = prefix
                    .rsplit_once('.')
                    .map_or(prefix, |(package, _)| package);
                reader.import(package, &["**"], ImportKind::Dynamic, call.start());
            }
            _ => computed(reader, call, name),
        },
        _ => computed(reader, call, name),
    }
}

fn computed(reader: &mut Reader<'_>, call: &ExprCall, name: &str) {
    reader.openings.loads(call.start());
    reader.dynamic(Reach::Package, format!("{name}(...)"), call.start());
}

/// `.x` in `pkg` is `pkg.x`; each further dot goes up by one.
fn absolute(relative: &str, package: &str) -> String {
    let rest = relative.trim_start_matches('.');
    let up = relative.len() - rest.len() - 1;
    let mut parts: Vec<&str> = package.split('.').collect();
    parts.truncate(parts.len().saturating_sub(up));
    parts.push(rest);
    parts.join(".")
}

fn leading_text(literal: &ruff_python_ast::ExprFString) -> Option<&str> {
    match literal.value.iter().next()? {
        FStringPart::Literal(part) => Some(part.as_str()),
        FStringPart::FString(part) => match part.elements.first()? {
            InterpolatedStringElement::Literal(text) => Some(&text.value),
            InterpolatedStringElement::Interpolation(_) => None,
        },
    }
}

/// `os.path.join(HERE, "data", "x")` and `Path("data", "x")` name `data/x`.
fn joined(reader: &mut Reader<'_>, arguments: &Arguments) {
    let pieces: Vec<&str> = arguments
        .args
        .iter()
        .rev()
        .map_while(|argument| match argument {
            Expr::StringLiteral(piece) => Some(piece.value.to_str()),
            _ => None,
        })
        .collect();
    if pieces.len() > 1 {
        let pieces: Vec<&str> = pieces.into_iter().rev().collect();
        reader.literal(&pieces.join("/"));
    }
}

/// A program that is started.
fn program<'a>(reader: &mut Reader<'a>, call: &'a ExprCall, name: &str) {
    let first = call.arguments.find_argument_value("args", 0);
    let words: Vec<Word<'_>> = match first {
        Some(Expr::List(list)) => list.elts.iter().map(|item| word(reader, item)).collect(),
        Some(Expr::Tuple(list)) => list.elts.iter().map(|item| word(reader, item)).collect(),
        Some(Expr::StringLiteral(line)) => line
            .value
            .to_str()
            .split_whitespace()
            .map(Word::Text)
            .collect(),
        Some(Expr::FString(line)) => {
            let mut words: Vec<Word<'_>> = leading_text(line)
                .unwrap_or_default()
                .split_inclusive(char::is_whitespace)
                .map(|word| {
                    if word.ends_with(char::is_whitespace) {
                        Word::Text(word.trim_end())
                    } else {
                        Word::Unknown
                    }
                })
                .collect();
            words.push(Word::Unknown);
            words
        }
        _ => Vec::new(),
    };
    let words = if name.ends_with("create_subprocess_exec") {
        call.arguments
            .args
            .iter()
            .map(|item| word(reader, item))
            .collect()
    } else {
        words
    };
    started(reader, call, name, &words);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Word<'a> {
    Text(&'a str),
    Python,
    Unknown,
}

fn word<'a>(reader: &Reader<'_>, item: &'a Expr) -> Word<'a> {
    match item {
        Expr::StringLiteral(text) => Word::Text(text.value.to_str()),
        _ if reader
            .full_name(item)
            .is_some_and(|name| name == "sys.executable") =>
        {
            Word::Python
        }
        _ => Word::Unknown,
    }
}

fn started<'a>(reader: &mut Reader<'a>, call: &'a ExprCall, name: &str, words: &[Word<'_>]) {
    reads(reader, call, name, words);
    let is_python = |program: &str| program.starts_with("python") || program == "pypy3";
    let unknown = match words {
        [Word::Python, rest @ ..] => !python(reader, call, rest),
        [Word::Text(program), rest @ ..] if is_python(program) => !python(reader, call, rest),
        [Word::Text(program), rest @ ..] => {
            reader.import(program, &[], ImportKind::Program, call.start());
            RUNNERS.contains(program)
                && (rest.is_empty() || rest.contains(&Word::Unknown) || !names_file(rest))
        }
        _ => true,
    };
    if unknown {
        if let Some(cwd) = call.arguments.find_keyword("cwd") {
            reader.openings.runs(&cwd.value, name, call.start());
        }
        reader.dynamic(Reach::Package, format!("{name}(...)"), call.start());
    }
}

/// What a program is told to read: paths among its words, or the whole repository.
fn reads<'a>(reader: &mut Reader<'a>, call: &'a ExprCall, name: &str, words: &[Word<'_>]) {
    const LISTING: &[&str] = &["ls-files", "ls-tree", "grep", "archive", "worktree"];
    let cwd = call.arguments.find_keyword("cwd").map(|it| &it.value);
    let texts = || {
        words.iter().filter_map(|word| match word {
            Word::Text(text) => Some(*text),
            _ => None,
        })
    };
    let program = texts().next().unwrap_or_default();
    let is_git = words.first() == Some(&Word::Text("git"));
    if is_git && texts().any(|text| LISTING.contains(&text)) {
        return reader.openings.whole(cwd, name, call.start());
    }
    for word in texts()
        .skip(1)
        .filter(|word| !is_git || word.starts_with(".."))
    {
        reader.literal(word);
        reader.openings.word(word, cwd, name, call.start());
    }
    if let Some(Expr::List(list)) = call.arguments.find_argument_value("args", 0)
        && program != "git"
    {
        for item in list.elts.iter().filter(|item| {
            matches!(
                item,
                Expr::FString(_) | Expr::BinOp(_) | Expr::Call(_) | Expr::Name(_)
            )
        }) {
            reader.openings.told(item, name, call);
        }
    }
}

/// Whether a literal argument names a file, which makes an edge of its own.
fn names_file(words: &[Word<'_>]) -> bool {
    words
        .iter()
        .any(|word| matches!(word, Word::Text(text) if text.contains('/') || text.contains('.')))
}

/// Records what an interpreter is told to run; whether that is known.
fn python(reader: &mut Reader<'_>, call: &ExprCall, arguments: &[Word<'_>]) -> bool {
    let mut rest = arguments;
    while let [Word::Text(option), tail @ ..] = rest {
        match *option {
            "-m" => {
                let [Word::Text(module), tail @ ..] = tail else {
                    return false;
                };
                reader.import(module, &["__main__"], ImportKind::Dynamic, call.start());
                // A test runner or a tool that is run as a module loads what it is told to.
                return module.contains('.') || !RUNNERS.contains(module) || names_file(tail);
            }
            "-c" => return false,
            option if option.starts_with('-') => rest = tail,
            script => return script.ends_with(".py"),
        }
    }
    false
}
