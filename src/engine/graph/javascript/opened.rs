//! What JavaScript opens, lists, walks and starts by paths that it computes.
//!
//! Variables are put back to the values that they got above their use; a parameter
//! holds what nobody knows. A function that lists what it is given is taken to list
//! every climbing path that any call in the file passes on.

use oxc_ast::ast::{
    Argument, BinaryOperator, CallExpression, Expression, ObjectPropertyKind, TemplateLiteral,
};
use oxc_span::Span;
use rustc_hash::{FxHashMap, FxHashSet};

use super::extract::Reader;
use crate::engine::facts::Base;
use crate::engine::graph::places::{
    GAP, How, Place, SELF, bounded, concat, is_root, join, literal,
};

/// How deep expressions are followed.
const DEPTH: u32 = 10;

/// What is known of the paths of one file.
#[derive(Debug, Default)]
pub(super) struct Openings<'a> {
    /// The places that variables stand for.
    known: FxHashMap<&'a str, Vec<Place>>,
    /// Places above the package that calls pass on, with their lines.
    passed: Vec<(Place, u32)>,
    /// Whether something that only calls know is listed.
    lists_given: bool,
    /// Functions and methods that the file itself writes.
    pub(super) declared: FxHashSet<&'a str>,
    /// What `walk` is called with, and on which lines: of files, or of anything else.
    walked: Vec<(Vec<Place>, u32)>,
}

/// Reads one call.
pub(super) fn read<'a>(reader: &mut Reader<'_, 'a>, call: &CallExpression<'a>) {
    let last = match &call.callee {
        Expression::Identifier(name) => name.name.as_str(),
        // `import.meta.glob` is read elsewhere, and is known.
        Expression::StaticMemberExpression(member)
            if !matches!(member.object, Expression::ImportMeta(_)) =>
        {
            member.property.name.as_str()
        }
        _ => return,
    };
    let receiver = match &call.callee {
        Expression::StaticMemberExpression(member) => match &member.object {
            Expression::Identifier(object) => object.name.as_str(),
            _ => "",
        },
        _ => "",
    };
    let how = match last {
        "readdirSync" | "readdir" | "opendir" | "opendirSync" | "scandir" => {
            if says(call, "recursive") {
                How::Walk
            } else {
                How::List
            }
        }
        "readFileSync" | "readFile" | "createReadStream" | "readJsonSync" | "readJSONSync"
        | "copyFileSync" | "copyFile" | "readJson" | "openSync" => How::File,
        "walk" if is_visitor(call) => return,
        "cpSync" | "cp" | "copySync" | "walkSync" | "walk" | "klaw" | "klawSync" => How::Walk,
        "globSync" | "globbySync" | "globby" | "glob" | "fg" | "fastGlob" | "tinyglobby" => {
            return globs(reader, call);
        }
        "sync" | "async" | "stream" | "globStream"
            if receiver.contains("glob") || matches!(receiver, "g" | "fg") =>
        {
            return globs(reader, call);
        }
        "chdir" => return,
        _ => return pass(reader, call),
    };
    let Some(path) = call.arguments.first().and_then(Argument::as_expression) else {
        return;
    };
    let places = places(reader, path, 0);
    if last == "walk" {
        let line = reader.line(call.span);
        reader.openings.walked.push((places, line));
        return pass(reader, call);
    }
    reader.openings.lists_given |= how != How::File && places.iter().any(is_unknown);
    reader.say(&places, how, &format!("{last}(...)"), call.span);
}

/// A variable gets a value.
pub(super) fn bind<'a>(reader: &mut Reader<'_, 'a>, name: &'a str, value: &Expression<'a>) {
    let places = places(reader, value, 0);
    reader
        .openings
        .known
        .entry(name)
        .or_default()
        .extend(places);
}

/// Whether a walk is one of a syntax tree: what it visits are no names of files.
fn is_visitor(call: &CallExpression<'_>) -> bool {
    let is_function = |argument: &Argument<'_>| {
        matches!(
            argument,
            Argument::ArrowFunctionExpression(_) | Argument::FunctionExpression(_)
        )
    };
    call.arguments.first().is_some_and(is_function)
        || ["enter", "leave", "exit"]
            .iter()
            .any(|name| option(call, name).is_some())
}

/// What the whole file comes to. What a `walk` of the file itself reads stands in its body.
pub(super) fn finish(reader: &mut Reader<'_, '_>) {
    let walked = std::mem::take(&mut reader.openings.walked);
    if !reader.openings.declared.contains("walk") {
        for (places, line) in walked {
            reader.openings.lists_given |= places.iter().any(is_unknown);
            reader.say_at(&places, How::Walk, "walk(...)", line);
        }
    }
    if reader.openings.lists_given {
        for (place, line) in std::mem::take(&mut reader.openings.passed) {
            reader.say_at(&[place], How::Walk, "a directory that is passed on", line);
        }
    }
}

/// Commands of git that list the whole repository.
const LISTING: &[&str] = &["ls-files", "ls-tree", "grep", "archive"];

/// What tells a package manager to work in another package.
const ELSEWHERE: &[&str] = &[
    "-w",
    "--workspace",
    "--workspaces",
    "--filter",
    "-F",
    "--prefix",
    "workspace",
    "workspaces",
    "-C",
    "--cwd",
    "--dir",
];

/// The words of a command, said in the directory of its options.
pub(super) fn words<'a>(reader: &mut Reader<'_, 'a>, call: &CallExpression<'a>, words: &[String]) {
    let cwd = option(call, "cwd").map(|cwd| places(reader, cwd, 0));
    if cwd.as_ref().is_some_and(Vec::is_empty) {
        return;
    }
    let bases = cwd
        .clone()
        .unwrap_or_else(|| vec![Place::new(Base::Working, "")]);
    let program = words.first().map_or("", String::as_str);
    let has = |list: &[&str]| {
        words
            .iter()
            .any(|word| list.contains(&word.split('=').next().unwrap_or_default()))
    };
    let is_manager = matches!(
        program,
        "npm" | "pnpm" | "yarn" | "bun" | "lerna" | "nx" | "turbo"
    );
    if program == "git" && has(LISTING) || is_manager && has(ELSEWHERE) {
        let anywhere = [Place::anywhere()];
        return reader.say(
            &anywhere,
            How::Walk,
            &format!("{program} over the repository"),
            call.span,
        );
    }
    if let Some(cwd) = &cwd {
        let climbs = |place: &&Place| !is_unknown(place) && !place.text.is_empty();
        let climbing: Vec<Place> = cwd.iter().filter(climbs).cloned().collect();
        reader.say(
            &climbing,
            How::Run,
            &format!("{program} in another directory"),
            call.span,
        );
    }
    let is_git = program == "git";
    for word in words.iter().skip(usize::from(!program.contains('/'))) {
        let value = word
            .split_once('=')
            .map_or(word.as_str(), |(_, value)| value);
        let is_plain = |c: char| c.is_alphanumeric() || "./_-*?@".contains(c) || c == GAP;
        let is_path = !value.starts_with('-') && !value.is_empty() && value.chars().all(is_plain);
        if is_path && (!is_git || value.starts_with("..")) {
            told(reader, &bases, (program, value), call.span);
        }
    }
}

/// A program is told to read a path, said in some places.
fn told(reader: &mut Reader<'_, '_>, bases: &[Place], (program, value): (&str, &str), at: Span) {
    let mut found = join(bases, &[Place::new(Base::Working, value)]);
    if value.contains('/') && !value.contains(['*', GAP]) {
        // Node finds a file without its ending.
        let ends = format!("{value}.{{js,cjs,mjs,ts,mts,cts}}");
        found.extend(join(bases, &[Place::new(Base::Working, ends)]));
    }
    let what = format!("{program} {value}").replace(GAP, "*");
    reader.say(&found, How::Told, &what, at);
}

/// What a module is loaded from by a computed path.
pub(super) fn loaded<'a>(reader: &mut Reader<'_, 'a>, source: &Expression<'a>, at: Span) {
    let found = places(reader, source, 0);
    for mut place in found {
        if place.base == Base::Working && place.text.starts_with("..") {
            place.base = Base::Beside;
            let text = format!("{}{GAP}", place.text);
            reader.say(
                &[Place::new(place.base, text)],
                How::File,
                "require(...)",
                at,
            );
        } else if place.base != Base::Working && place.text.contains("..") {
            reader.say(&[place], How::Told, "require(...)", at);
        }
    }
}

fn globs<'a>(reader: &mut Reader<'_, 'a>, call: &CallExpression<'a>) {
    let Some(first) = call.arguments.first().and_then(Argument::as_expression) else {
        return;
    };
    let cwd = option(call, "cwd").map(|cwd| places(reader, cwd, 0));
    let found: Vec<Place> = places(reader, first, 0)
        .into_iter()
        .filter(|place| !place.text.starts_with('!'))
        .collect();
    let found = match cwd {
        Some(cwd) => join(&cwd, &found),
        None => found,
    };
    reader.say(&found, How::File, "glob(...)", call.span);
}

/// A call hands a climbing path to a function of the file.
fn pass<'a>(reader: &mut Reader<'_, 'a>, call: &CallExpression<'a>) {
    if !matches!(call.callee, Expression::Identifier(_)) || call.callee.is_specific_id("require") {
        return;
    }
    for argument in &call.arguments {
        let Some(value) = argument.as_expression() else {
            continue;
        };
        for place in places(reader, value, 0) {
            let climbs =
                place.text.split('/').any(|part| part == "..") || place.base == Base::Anywhere;
            if climbs && reader.openings.passed.len() < 100 {
                let line = reader.line(call.span);
                reader.openings.passed.push((place, line));
            }
        }
    }
}

fn is_unknown(place: &Place) -> bool {
    place.base == Base::Package && place.text.is_empty()
}

/// The value of a property of an object among the arguments.
fn option<'e, 'a>(call: &'e CallExpression<'a>, name: &str) -> Option<&'e Expression<'a>> {
    call.arguments.iter().find_map(|argument| {
        let Argument::ObjectExpression(object) = argument else {
            return None;
        };
        object
            .properties
            .iter()
            .find_map(|property| match property {
                ObjectPropertyKind::ObjectProperty(property)
                    if property.key.is_specific_static_name(name) =>
                {
                    Some(&property.value)
                }
                _ => None,
            })
    })
}

fn says(call: &CallExpression<'_>, name: &str) -> bool {
    option(call, name)
        .is_some_and(|value| !matches!(value, Expression::BooleanLiteral(no) if !no.value))
}

/// The places that a value may be; none for what is made for the run.
fn places<'a>(reader: &Reader<'_, 'a>, value: &Expression<'a>, depth: u32) -> Vec<Place> {
    if depth > DEPTH {
        return vec![Place::unknown()];
    }
    let depth = depth + 1;
    match value.get_inner_expression() {
        Expression::StringLiteral(text) => literal(&text.value),
        Expression::TemplateLiteral(text) => template(reader, text, depth),
        Expression::BinaryExpression(sum) if sum.operator == BinaryOperator::Addition => {
            let left = places(reader, &sum.left, depth);
            concat(&left, &places(reader, &sum.right, depth), &mut false)
        }
        Expression::Identifier(name) => named(reader, &name.name),
        Expression::StaticMemberExpression(member) => {
            match (member.property.name.as_str(), &member.object) {
                ("url" | "filename", Expression::ImportMeta(_)) => {
                    vec![Place::new(Base::Beside, SELF)]
                }
                ("dirname", Expression::ImportMeta(_)) => vec![Place::new(Base::Beside, "")],
                ("href" | "pathname", object) => places(reader, object, depth),
                (name, _) if is_root(name) => vec![Place::anywhere()],
                _ => vec![Place::unknown()],
            }
        }
        Expression::AwaitExpression(inner) => places(reader, &inner.argument, depth),
        Expression::ConditionalExpression(choice) => {
            let mut all = places(reader, &choice.consequent, depth);
            all.extend(places(reader, &choice.alternate, depth));
            bounded(all)
        }
        Expression::LogicalExpression(choice) => {
            let mut all = places(reader, &choice.left, depth);
            all.extend(places(reader, &choice.right, depth));
            bounded(all)
        }
        Expression::ArrayExpression(list) => {
            let items = list.elements.iter().filter_map(|item| item.as_expression());
            bounded(items.flat_map(|item| places(reader, item, depth)).collect())
        }
        Expression::NewExpression(made) if made.callee.is_specific_id("URL") => {
            let first = made.arguments.first().and_then(Argument::as_expression);
            let mut found = first
                .map(|first| places(reader, first, depth))
                .unwrap_or_default();
            for place in &mut found {
                if place.base == Base::Working {
                    place.base = Base::Beside;
                }
            }
            found
        }
        Expression::CallExpression(call) => called(reader, call, depth),
        _ => vec![Place::unknown()],
    }
}

fn template<'a>(reader: &Reader<'_, 'a>, text: &TemplateLiteral<'a>, depth: u32) -> Vec<Place> {
    let mut all = vec![Place::new(Base::Working, "")];
    let mut is_first = true;
    let mut inner = text.expressions.iter();
    for quasi in &text.quasis {
        if !quasi.value.raw.is_empty() {
            all = concat(&all, &literal(&quasi.value.raw), &mut is_first);
        }
        if let Some(expression) = inner.next() {
            let next = places(reader, expression, depth);
            all = concat(&all, &next, &mut is_first);
        }
    }
    all
}

fn named(reader: &Reader<'_, '_>, name: &str) -> Vec<Place> {
    match (name, reader.openings.known.get(name)) {
        (_, Some(known)) => bounded(known.clone()),
        ("__dirname", _) => vec![Place::new(Base::Beside, "")],
        ("__filename", _) => vec![Place::new(Base::Beside, SELF)],
        _ if name.to_ascii_lowercase().starts_with("tmp") => Vec::new(),
        _ if is_root(name) => vec![Place::anywhere()],
        _ => vec![Place::unknown()],
    }
}

fn called<'a>(reader: &Reader<'_, 'a>, call: &CallExpression<'a>, depth: u32) -> Vec<Place> {
    let name = match &call.callee {
        Expression::Identifier(name) => name.name.as_str(),
        Expression::StaticMemberExpression(member) => member.property.name.as_str(),
        _ => return vec![Place::unknown()],
    };
    let arguments: Vec<Vec<Place>> = call
        .arguments
        .iter()
        .map(|it| {
            it.as_expression()
                .map_or_else(|| vec![Place::unknown()], |it| places(reader, it, depth))
        })
        .collect();
    match name {
        "join" | "resolve" if !matches!(call.callee, Expression::StaticMemberExpression(ref member) if matches!(member.object, Expression::ArrayExpression(_))) =>
        {
            let mut all = vec![Place::new(Base::Working, "")];
            for (index, next) in arguments.iter().enumerate() {
                all = if index == 0 {
                    next.clone()
                } else {
                    join(&all, next)
                };
            }
            all
        }
        "dirname" => arguments.iter().flatten().map(Place::parent).collect(),
        "fileURLToPath" | "normalize" | "realpathSync" | "toString" | "normalizePath" | "slash"
        | "pathToFileURL"
            if !arguments.is_empty() =>
        {
            arguments.into_iter().next().unwrap_or_default()
        }
        "cwd" => vec![Place::new(Base::Working, "")],
        "tmpdir" | "mkdtempSync" | "mkdtemp" | "tempy" | "temporaryDirectory" | "homedir" => {
            Vec::new()
        }
        _ if is_root(name) => vec![Place::anywhere()],
        _ => {
            let climbs = |place: &Place| place.blurred().base == Base::Anywhere;
            vec![if arguments.iter().flatten().any(climbs) {
                Place::anywhere()
            } else {
                Place::unknown()
            }]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::extract::extract;
    use crate::engine::graph::sample;

    /// What is opened, as `base pattern`, and what reaches further.
    fn check(source: &str, expected: &str) {
        let facts = extract("a.js", source);
        assert_eq!(sample::opened(&facts), expected, "{source}");
    }

    const PROCESS: &str = "const {exec, execSync, spawn} = require('child_process');";

    fn started(source: &str, expected: &str) {
        check(&format!("{PROCESS}{source}"), expected);
    }

    #[test]
    fn a_command_reads_the_files_among_its_words() {
        started(
            "execSync('node bin/cli.js --x')",
            "Working bin/cli.js, Working bin/cli.js/**, Working bin/cli.js.{js,cjs,mjs,ts,mts,cts}, Working bin/cli.js.{js,cjs,mjs,ts,mts,cts}/**",
        );
        started(
            "execSync('cat ../b/*')",
            "Working ../b/*, Working ../b/*/**",
        );
        started("execSync('git ls-files')", "Repository!");
        started("execSync('make -C ..')", "Working ../**, Package!");
    }

    #[test]
    fn a_command_of_another_package_reaches_everything() {
        started(
            "execSync('npm test -w b', {cwd: '../..'})",
            "Repository!, Package!",
        );
    }

    #[test]
    fn a_module_of_processes_need_not_be_bound() {
        check(
            "require('child_process').execSync('cat ../b/*')",
            "Working ../b/*, Working ../b/*/**",
        );
    }

    #[test]
    fn a_require_that_climbs_reaches_what_it_may_name() {
        check("require('../../' + n)", "Beside ../../**/*, Package!");
    }

    #[test]
    fn a_walk_of_a_syntax_tree_reads_no_files() {
        check("walk(root, {enter(node) {}})", "");
        check("walk(root, {leave: f})", "");
        check("css.walk(node => {})", "");
        check("function f() { walk(root) }\nfunction walk(node) {}", "");
        check("class A { walk(root) { this.walk(root.left) } }", "");
        check("walk(root)", "Repository!");
        check(
            "function walk(d) { fs.readdirSync(d) }\nwalk('../..')",
            "Working ../../**, Package!",
        );
    }

    #[test]
    fn listings_and_globs_reach_what_lies_there() {
        check("fs.readdirSync('.')", "Working *");
        check("fs.readdirSync(path.join(__dirname, '..'))", "Beside ../*");
        check("g.sync('../*/index.js')", "Working ../*/index.js");
        check(
            "fg('**/*.ts', {cwd: path.resolve(__dirname, '../..')})",
            "Beside ../../**/*.ts",
        );
        check("fs.readFileSync(`docs/${n}.md`)", "Working docs/**/*.md");
        check(
            "const here = path.dirname(fileURLToPath(import.meta.url)); fs.readdirSync(path.join(here, 'x'))",
            "Beside x/*",
        );
        check("fs.readdirSync(os.tmpdir())", "");
        check("function f(d) { fs.readdirSync(d) }", "Package!");
        check("walk('docs')", "Working docs/**");
        check(
            "function f(d) { fs.readdirSync(d) }\nf(path.join(__dirname, '..'))",
            "Beside ../**, Package!",
        );
    }
}
