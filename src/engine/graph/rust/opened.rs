//! What Rust opens, lists, walks and starts.
//!
//! Crates that walk and glob are known by the names of their types. A `Command` starts a
//! program only where the file names a module of processes: parsers of arguments have
//! one as well.

use crate::engine::facts::{Base, Facts};
use crate::engine::graph::computed::{Call, Meaning, Speech, Value, read as read_computed};
use crate::engine::graph::places::{GAP, How, Place, SELF, concat, is_root, join, literal};
use crate::engine::graph::scan::Dialect;

/// Words without which a source opens nothing by a path that it computes.
const SIGNS: &[&str] = &[
    "MANIFEST_DIR",
    "read_dir",
    "Walk",
    "glob",
    "fs::",
    "File::open",
    "process::",
    "current_dir",
    "file!()",
    "cmd!",
    "MetadataCommand",
    "skeptic",
    "compile_protos",
    "cmake",
];

/// Reads what a source opens.
pub(super) fn read(source: &str, facts: &mut Facts) {
    read_code(source, facts);
    if SIGNS.iter().any(|sign| source.contains(sign))
        && let Some(code) = super::examples::code(source)
    {
        read_code(&code, facts);
    }
}

fn read_code(source: &str, facts: &mut Facts) {
    if !SIGNS.iter().any(|sign| source.contains(sign)) {
        return;
    }
    let starts = source.contains("process::") || source.contains("assert_cmd");
    // A method of this name may be the file's own, and do anything.
    let prints = source.contains("Formatter") && !PRINTERS.iter().any(|it| source.contains(it));
    match (starts, prints) {
        (true, true) => read_computed::<Rust<true, true>>(source, facts),
        (true, false) => read_computed::<Rust<true, false>>(source, facts),
        (false, true) => read_computed::<Rust<false, true>>(source, facts),
        (false, false) => read_computed::<Rust<false, false>>(source, facts),
    }
}

/// What a file defines whose formatters are not those of the standard library.
const PRINTERS: &[&str] = &[
    "fn debug_",
    "fn field",
    "fn entry",
    "fn entries",
    "fn key",
    "fn value",
    "fn finish",
];

/// The language; whether a `Command` starts a program, and whether what is built for
/// people by `debug_struct` and the like opens nothing.
struct Rust<const STARTS: bool, const PRINTS: bool>;

impl<const STARTS: bool, const PRINTS: bool> Speech for Rust<STARTS, PRINTS> {
    const DIALECT: Dialect = Dialect::Rust;
    const ANSWERS: bool = true;

    fn is_keyword(word: &str) -> bool {
        matches!(
            word,
            "if" | "else"
                | "match"
                | "while"
                | "loop"
                | "return"
                | "break"
                | "continue"
                | "move"
                | "async"
                | "unsafe"
                | "impl"
                | "trait"
                | "struct"
                | "enum"
                | "type"
                | "use"
                | "mod"
                | "pub"
                | "where"
                | "as"
                | "dyn"
                | "in"
                | "ref"
                | "extern"
                | "let"
                | "for"
                | "fn"
                | "const"
                | "static"
                | "union"
                | "yield"
        )
    }

    fn meaning(call: &Call<'_, '_>) -> Meaning {
        let found = if call.is_macro {
            macros(call)
        } else {
            let printed = call.receiver.filter(|_| PRINTS);
            let printed = printed.and_then(|it| printer(call, it));
            printed
                .map(Meaning::Is)
                .or_else(|| reading(call))
                .or_else(|| path(call))
                .or_else(|| starting(call).filter(|_| STARTS))
                .or_else(|| made_or_written(call))
        };
        found.unwrap_or(Meaning::Unknown)
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every table answers with what it knows or nothing"
)]
fn is(value: Value) -> Option<Meaning> {
    Some(Meaning::Is(value))
}

fn macros(call: &Call<'_, '_>) -> Option<Meaning> {
    let texts: Vec<&str> = call.arguments.iter().filter_map(Value::text).collect();
    match (call.last(), texts.first().copied()) {
        ("env" | "option_env", Some(name)) => is(variable(name)),
        ("file", _) => is(Value::at(vec![Place::new(Base::Beside, SELF)])),
        ("concat", _) => {
            let (mut all, mut is_first) = (vec![Place::new(Base::Working, "")], true);
            for argument in call.arguments {
                all = concat(&all, &argument.places, &mut is_first);
            }
            is(Value::at(all))
        }
        ("format" | "format_args", _) => is(formatted(call)),
        ("vec" | "array", _) => is(Value::list(call.arguments)),
        ("cmd" | "run_cmd" | "run_fun", _) => Some(Meaning::Says),
        // Of insta: from the file's own directory.
        ("glob", Some(_)) => {
            let mut all = vec![Place::new(Base::Beside, "")];
            for text in texts.iter().take(2) {
                all = join(&all, &literal(text));
            }
            Some(Meaning::Reads(all, How::File))
        }
        (
            "include" | "include_str" | "include_bytes" | "include_dir" | "println" | "eprintln"
            | "print" | "eprint" | "panic" | "write" | "writeln" | "assert" | "assert_eq"
            | "assert_ne" | "debug_assert" | "trace" | "debug" | "info" | "warn" | "error" | "bail"
            | "anyhow" | "unreachable" | "todo",
            _,
        ) => Some(Meaning::Writes),
        _ => None,
    }
}

/// What a variable of cargo or of the runner stands for.
fn variable(name: &str) -> Value {
    match name {
        "CARGO_MANIFEST_DIR" => Value::at(vec![Place::new(Base::Manifest, "")]),
        "GITHUB_WORKSPACE" | "CARGO_WORKSPACE_DIR" => Value::at(vec![Place::anywhere()]),
        "CARGO" => Value::literal("cargo"),
        "OUT_DIR" | "CARGO_TARGET_TMPDIR" | "CARGO_TARGET_DIR" | "HOME" => Value::default(),
        name if name.starts_with("CARGO_BIN_EXE") => Value::default(),
        _ => Value::unknown(),
    }
}

/// Calls that make a path of paths.
fn path(call: &Call<'_, '_>) -> Option<Meaning> {
    let found = call.receiver.and_then(|it| method(call, it));
    found.or_else(|| function(call))
}

fn method(call: &Call<'_, '_>, value: &Value) -> Option<Meaning> {
    let above = || value.places.iter().map(Place::parent).collect::<Vec<_>>();
    match (call.last(), call.arguments.len()) {
        ("join", 1) => is(Value::at(join(&value.places, &call.places(0)))),
        ("parent", 0) => is(Value::at(above())),
        ("pop", 0) => Some(Meaning::Grows(Value::at(above()))),
        ("push", 1) => {
            let places = join(&value.places, &call.places(0));
            Some(Meaning::Grows(Value::at(places)))
        }
        ("with_file_name", 1) => is(Value::at(join(&above(), &call.places(0)))),
        ("with_extension", 1) => {
            let gap = [Place::new(Base::Working, GAP.to_string())];
            is(Value::at(join(&above(), &gap)))
        }
        ("nth", 1) if value.is_ancestors => is(Value::at(risen(value, call))),
        // Of the directories above any may be meant.
        ("find" | "skip" | "find_map" | "take_while" | "last" | "filter", _)
            if value.is_ancestors =>
        {
            let is_known = |place: &Place| place.base != Base::Package;
            let is_far = value.places.iter().any(is_known);
            is_far.then(|| Meaning::Is(Value::at(vec![Place::anywhere()])))
        }
        ("exists" | "is_file" | "is_dir" | "display" | "file_name" | "extension", 0) => {
            Some(Meaning::Writes)
        }
        ("ancestors", 0) => is(value.with_ancestors()),
        // Texts that are looked at.
        (
            "starts_with" | "ends_with" | "contains" | "strip_prefix" | "strip_suffix" | "split"
            | "replace" | "eq" | "ne",
            _,
        ) => is(Value::unknown()),
        (name, _) if is_same(name) => is(value.clone()),
        _ => None,
    }
}

/// What a formatter puts together for people, which opens nothing: `f.debug_struct("A")`
/// and its fields (<https://doc.rust-lang.org/std/fmt/struct.DebugStruct.html>).
fn printer(call: &Call<'_, '_>, value: &Value) -> Option<Value> {
    let begins = matches!(
        (call.last(), call.arguments.len()),
        ("debug_struct" | "debug_tuple", 1) | ("debug_list" | "debug_set" | "debug_map", 0)
    );
    let goes_on = matches!(
        call.last(),
        "field" | "entry" | "entries" | "key" | "value" | "finish" | "finish_non_exhaustive"
    );
    (begins || value.is_printer && goes_on).then(Value::printer)
}

fn function(call: &Call<'_, '_>) -> Option<Meaning> {
    let (last, count) = (call.last(), call.arguments.len());
    let received = || call.receiver.map(|it| it.places.clone());
    match (call.owner(), last, count) {
        ("env", "var" | "var_os", 1) => match call.arguments.first()?.text()? {
            // Cargo sets it for what it starts, which may be somebody else's code.
            "CARGO_MANIFEST_DIR" => is(Value::at(vec![Place::new(Base::Caller, "")])),
            name => is(variable(name)),
        },
        (_, "current_dir", 0) => is(Value::at(vec![Place::new(Base::Working, "")])),
        (owner, "new" | "from" | "from_str", 1)
            if ["Path", "Buf", "Arc", "Rc", "Box", "Cow", "String", "OsStr"]
                .iter()
                .any(|end| owner.ends_with(end)) =>
        {
            is(call.arguments.first().cloned()?)
        }
        (_, "Some" | "Ok" | "canonicalize" | "absolute", 1) => {
            is(call.arguments.first().cloned()?)
        }
        (_, name, 0) if is_root(name) && received().is_none_or(|it| !it.is_empty()) => {
            is(Value::at(vec![Place::anywhere()]))
        }
        _ => None,
    }
}

/// `.ancestors().nth(2)`
fn risen(value: &Value, call: &Call<'_, '_>) -> Vec<Place> {
    let ups = call.arguments.first().and_then(|it| it.number);
    let Some(ups) = ups.filter(|ups| *ups < 30) else {
        return value.places.iter().map(Place::blurred).collect();
    };
    let mut places = value.places.clone();
    for _ in 0..ups {
        places = places.iter().map(Place::parent).collect();
    }
    places
}

/// Methods that give what they are called on, as far as paths go.
fn is_same(name: &str) -> bool {
    matches!(
        name,
        "unwrap"
            | "expect"
            | "unwrap_or"
            | "unwrap_or_default"
            | "unwrap_or_else"
            | "clone"
            | "into"
            | "as_ref"
            | "as_path"
            | "to_path_buf"
            | "to_str"
            | "to_string"
            | "to_owned"
            | "to_string_lossy"
            | "into_owned"
            | "as_os_str"
            | "as_str"
            | "canonicalize"
            | "iter"
            | "into_iter"
            | "collect"
            | "ok"
            | "ok_or"
            | "ok_or_else"
            | "map_err"
            | "borrow"
            | "as_mut"
            | "deref"
            | "into_os_string"
            | "canonicalize_utf8"
            | "components"
            | "path"
            | "context"
            | "with_context"
            | "cloned"
            | "copied"
            | "into_string"
            | "normalize"
            | "absolutize"
            | "trim"
            | "into_boxed_path"
            | "into_path_buf"
            | "as_bytes"
    )
}

/// Calls that read what lies at a path.
fn reading(call: &Call<'_, '_>) -> Option<Meaning> {
    let reads = |index, how| Some(Meaning::Reads(call.places(index), how));
    let received = |how| Some(Meaning::Reads(call.receiver?.places.clone(), how));
    match (call.owner(), call.last(), call.arguments.len()) {
        (_, "read_dir" | "read_dir_utf8", 0) => received(How::List),
        (_, "read_dir" | "markdown_files_of_directory", 1) => reads(0, How::List),
        ("WalkDir" | "Walk" | "WalkBuilder" | "WalkDirGeneric" | "GlobWalkerBuilder", _, 1..)
        | ("cmake", "build", 1)
        | (_, "copy_dir_all" | "copy_dir" | "copy_recursively", 1..) => reads(0, How::Walk),
        (_, "compile_protos", 2..) => reads(1, How::Walk),
        (_, "set_current_dir", 1) => {
            let is_away = |place: &Place| place.text.contains("..") || place.base == Base::Anywhere;
            let away = call.places(0).into_iter().filter(is_away).collect();
            Some(Meaning::Reads(away, How::Walk))
        }
        (_, "glob" | "glob_with", 1..) if call.receiver.is_none() => reads(0, How::File),
        ("fs", "read" | "read_to_string" | "copy" | "metadata" | "read_link", 1..)
        | ("File", "open", 1)
        | ("", "read_to_string", 1) => reads(0, How::File),
        ("MetadataCommand", "new", 0) => Some(Meaning::Anywhere("Cargo.toml")),
        _ => None,
    }
}

/// Calls that start programs.
fn starting(call: &Call<'_, '_>) -> Option<Meaning> {
    match (call.owner(), call.last(), call.arguments.len()) {
        ("Command" | "StdCommand", "new", 1) => Some(Meaning::Starts(0)),
        ("Command", "cargo_bin", 1) => Some(Meaning::Starts(1)),
        (_, "arg" | "args", 1) if call.receiver.is_some() => Some(Meaning::Word),
        (_, "current_dir", 1) if call.receiver.is_some() => Some(Meaning::Runs),
        (_, "env" | "envs" | "env_remove" | "env_clear" | "stdin" | "stdout" | "stderr", _) => {
            is(call.receiver?.clone())
        }
        _ => None,
    }
}

/// Calls that make something for the run, and calls that write.
fn made_or_written(call: &Call<'_, '_>) -> Option<Meaning> {
    match (call.owner(), call.last()) {
        ("TempDir" | "NamedTempFile" | "TestDir", _)
        | (
            _,
            "tempdir" | "tempdir_in" | "temp_dir" | "tempfile" | "home_dir" | "current_exe"
            | "cargo_bin",
        ) => is(Value::default()),
        (
            "fs",
            "write" | "create_dir" | "create_dir_all" | "remove_file" | "remove_dir_all" | "rename",
        )
        | ("File", "create") => Some(Meaning::Writes),
        _ => None,
    }
}

/// A text with what is filled in at its braces.
fn formatted(call: &Call<'_, '_>) -> Value {
    let Some(text) = call.arguments.first().and_then(Value::text) else {
        return Value::unknown();
    };
    let mut given = call.arguments.iter().skip(1);
    let (mut all, mut is_first) = (vec![Place::new(Base::Working, "")], true);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        if !before.is_empty() {
            all = concat(&all, &literal(before), &mut is_first);
        }
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        let name = name.split(':').next().unwrap_or_default();
        let filled = match given.next() {
            Some(value) if name.is_empty() => value.places.clone(),
            _ => vec![Place::unknown()],
        };
        all = concat(&all, &filled, &mut is_first);
        rest = after;
    }
    if !rest.is_empty() {
        all = concat(&all, &literal(rest), &mut is_first);
    }
    let is_gap = |place: &Place| place.text.chars().all(|c| c == GAP);
    match all.is_empty() {
        true => Value::default(),
        false if all.iter().all(is_gap) => Value::unknown(),
        false => Value::at(all),
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::graph::rust::extract;
    use crate::engine::graph::sample;

    /// What is opened, as `base pattern`, and what reaches further.
    fn check(source: &str, expected: &str) {
        let facts = extract("src/a.rs", source);
        assert_eq!(sample::opened(&facts), expected, "{source}");
    }

    fn inside(source: &str, expected: &str) {
        check(&format!("#[test]\nfn t() {{\n{source}\n}}"), expected);
    }

    fn printed(source: &str, expected: &str) {
        inside(
            &format!("let f: &mut fmt::Formatter = f; {source}"),
            expected,
        );
    }

    const PROCESS: &str = "use process::Command;\n";

    fn started(source: &str, expected: &str) {
        check(&format!("{PROCESS}fn t() {{ {source} }}"), expected);
    }

    #[test]
    fn a_walk_over_the_directory_above_reads_it() {
        inside(
            "for e in WalkDir::new(\"..\") { e.unwrap(); }",
            "Working ../**",
        );
        inside(
            "let root = Path::new(\"..\"); WalkDir::new(&root).into_iter();",
            "Working ../**",
        );
        inside("fs::read_dir(\"..\").unwrap();", "Working ../*");
        inside(
            "ignore::WalkBuilder::new(\"../b\").build();",
            "Working ../b/**",
        );
    }

    #[test]
    fn the_directory_of_the_package_is_listed() {
        inside(
            "fs::read_dir(env!(\"CARGO_MANIFEST_DIR\")).unwrap();",
            "Manifest *",
        );
        inside(
            "let dir = Path::new(env!(\"CARGO_MANIFEST_DIR\")).join(\"docs\"); for e in dir.read_dir().unwrap() {}",
            "Manifest docs/*",
        );
        inside(
            "let mut dir = PathBuf::from(env!(\"CARGO_MANIFEST_DIR\")); dir.pop(); dir.push(\"b\"); WalkDir::new(dir);",
            "Manifest ../b/**",
        );
        inside(
            "let mut dir = PathBuf::from(env!(\"CARGO_MANIFEST_DIR\")); while !f(&dir) { dir.pop(); } WalkDir::new(&dir);",
            "Repository!",
        );
        inside(
            "let mut dir = PathBuf::from(env!(\"CARGO_MANIFEST_DIR\")); if f() { dir.push(\"b\"); } WalkDir::new(&dir);",
            "Manifest **, Manifest b/**",
        );
        inside(
            "let dir = env::var(\"CARGO_MANIFEST_DIR\").unwrap(); WalkDir::new(Path::new(&dir).ancestors().nth(2).unwrap());",
            "Caller ../../**",
        );
        inside("fs::read_dir(\"docs\")?;", "Working docs/*");
        inside("glob(\"docs/*.md\").unwrap();", "Working docs/*.md");
        inside(
            "fs::read_to_string(format!(\"docs/{n}.md\"))",
            "Working docs/**/*.md",
        );
    }

    #[test]
    fn a_computed_path_that_climbs_counts_where_it_stands() {
        check(
            "fn root() -> PathBuf { Path::new(env!(\"CARGO_MANIFEST_DIR\")).parent().unwrap().to_path_buf() }",
            "Manifest ../**",
        );
        inside(
            "load(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/../data/a.json\"));",
            "Manifest ../data/a.json, Manifest ../data/a.json/**",
        );
        inside(
            "let root = Path::new(env!(\"CARGO_MANIFEST_DIR\")).parent().unwrap(); File::open(root.join(\"b\").join(\"x.rs\"));",
            "Manifest ../b/x.rs",
        );
    }

    #[test]
    fn a_function_walks_what_its_calls_give_it() {
        check(
            "fn walk(dir: &Path) { for e in fs::read_dir(dir).unwrap() { walk(&e.path()); } }\nfn t() { walk(Path::new(\"..\")); }",
            "Working ../**, Package!",
        );
    }

    #[test]
    fn an_example_in_documentation_opens_what_it_says() {
        let example = |info: &str| {
            format!("/// ```{info}\n/// for e in fs::read_dir(\"docs\") {{}}\n/// ```\nfn f() {{}}")
        };
        check(&example(""), "Working docs/*");
        check(&example("no_run"), "");
    }

    #[test]
    fn what_is_made_for_the_run_is_nobodys() {
        inside(
            "let dir = tempfile::tempdir().unwrap(); fs::read_dir(dir.path().join(\"x\"));",
            "",
        );
        inside("fs::read_dir(\"/proc/self/fd\");", "");
        inside("fs::write(Path::new(\"..\").join(n), \"\");", "");
    }

    #[test]
    fn a_program_reads_where_it_runs_and_what_it_is_told() {
        started(
            "Command::new(\"cargo\").args([\"build\", \"-p\", \"b\"]).status();",
            "Repository!",
        );
        started(
            "Command::new(env!(\"CARGO\")).arg(\"build\").status();",
            "Package!",
        );
        started(
            "let mut c = Command::new(\"cargo\"); c.arg(\"test\"); c.current_dir(\"..\");",
            "Working ../**, Package!",
        );
        started(
            "Command::new(\"cargo\").arg(\"build\").current_dir(&tmp).status();",
            "",
        );
        started(
            "Command::new(\"cargo\").args([\"metadata\"]).output();",
            "Anywhere **/Cargo.toml",
        );
        started(
            "Command::new(\"sh\").args([\"-c\", \"cat ../b/*\"]);",
            "Working cat, Working cat/**, Working ../b/*, Working ../b/*/**",
        );
        started(
            "Command::new(\"git\").arg(\"ls-files\").output();",
            "Repository!",
        );
        started("Command::new(\"echo\").arg(\"docs\");", "");
        inside("MetadataCommand::new().exec();", "Anywhere **/Cargo.toml");
    }

    #[test]
    fn an_argument_by_its_number_is_no_directory_above() {
        inside(
            "let p = env::args().nth(2).unwrap(); WalkDir::new(p);",
            "Package!",
        );
        inside("assert_eq!(path.starts_with(\"..\"), fs::x());", "");
    }

    #[test]
    fn what_is_printed_for_people_is_no_path() {
        printed(
            "f.debug_struct(\"A\").field(\"a\", &\"..\").finish(); fs::x();",
            "",
        );
        printed("f.debug_tuple(\"A\").field(&\"..\").finish(); fs::x();", "");
        printed("f.debug_list().entries([\"..\"]).finish(); fs::x();", "");
    }

    #[test]
    fn a_formatter_of_the_files_own_may_do_anything() {
        let own = "impl L { fn debug_struct(&self, p: &str) { for e in WalkDir::new(p) {} } }\nfn x(f: &mut Formatter) {} #[test]\nfn t() { l.debug_struct(\"..\"); }";
        check(own, "Working ../**, Package!");
        // Where no file of the language's own formatter is at hand, names say nothing.
        inside("l.debug_struct(\"..\"); fs::x();", "Working ../**");
    }

    #[test]
    fn what_stands_beside_a_formatter_is_a_path_all_the_same() {
        inside("walk(\"..\"); fs::x();", "Working ../**");
        printed(
            "form.field(\"dir\", \"..\").send(); fs::x();",
            "Working ../**",
        );
        printed(
            "f.debug_struct(\"A\").opens(\"..\"); fs::x();",
            "Working ../**",
        );
        printed(
            "f.debug_struct(\"A\").field(\"n\", &fs::read_dir(\"..\").unwrap().count());",
            "Working ../*",
        );
        printed(
            "f.debug_struct(\"A\").field(\"n\", &walk(\"..\")); fs::x();",
            "Working ../**",
        );
        printed("f.debug_struct(walk(\"..\")); fs::x();", "Working ../**");
    }

    #[test]
    fn a_directory_that_a_method_gets_is_walked_where_the_method_lists() {
        let of = |call: &str| {
            format!(
                "impl L {{ fn deb(&self, p: &str) {{ for e in fs::read_dir(p).unwrap() {{ fs::read(e); }} }} }}\n#[test]\nfn t() {{ {call} }}"
            )
        };
        for call in [
            "L::deb(\"../docs\")",
            "l.deb(\"../docs\")",
            "l.x.deb(\"../docs\")",
        ] {
            check(&of(call), "Working ../docs/**, Package!");
        }
        check(&of("l.other(\"../docs\")"), "Package!");
    }

    #[test]
    fn a_parser_of_arguments_starts_nothing() {
        inside("Command::new(\"cargo\").arg(Arg::new(\"x\")); fs::x();", "");
    }
}
