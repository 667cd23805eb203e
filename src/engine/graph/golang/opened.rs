//! What Go opens, lists, walks and starts.
//!
//! The names of packages are taken for what they mostly are: an import under another
//! name is known by what is called.

use crate::engine::facts::{Base, Facts};
use crate::engine::graph::computed::{Call, Meaning, Speech, Value, read as read_computed};
use crate::engine::graph::places::{GAP, How, Place, SELF, concat, is_root, join, literal};
use crate::engine::graph::scan::Dialect;

/// Words without which a source opens nothing by a path that it computes.
const SIGNS: &[&str] = &[
    "\"os\"",
    "path/filepath\"",
    "os/exec\"",
    "io/ioutil\"",
    "\"runtime\"",
    "go/packages\"",
    "go/parser\"",
    "go/build\"",
    "\"testing\"",
    "template\"",
    "net/http\"",
];

/// Reads what a source opens.
pub(super) fn read(path: &str, source: &str, facts: &mut Facts) {
    if !SIGNS.iter().any(|sign| source.contains(sign)) {
        return;
    }
    if path.ends_with("_test.go") {
        read_computed::<Go<true>>(source, facts);
    } else {
        read_computed::<Go<false>>(source, facts);
    }
}

/// The language; whether the source is a test.
struct Go<const TEST: bool>;

impl<const TEST: bool> Speech for Go<TEST> {
    const DIALECT: Dialect = Dialect::Go;
    const ANSWERS: bool = TEST;

    fn is_keyword(word: &str) -> bool {
        matches!(
            word,
            "func"
                | "if"
                | "else"
                | "for"
                | "range"
                | "return"
                | "go"
                | "defer"
                | "switch"
                | "case"
                | "default"
                | "select"
                | "var"
                | "const"
                | "type"
                | "struct"
                | "interface"
                | "map"
                | "chan"
                | "package"
                | "import"
                | "break"
                | "continue"
                | "goto"
                | "fallthrough"
        )
    }

    fn meaning(call: &Call<'_, '_>) -> Meaning {
        path(call)
            .or_else(|| reading(call))
            .or_else(|| made_or_written(call))
            .unwrap_or(Meaning::Unknown)
    }
}

/// Calls that make a path of paths.
fn path(call: &Call<'_, '_>) -> Option<Meaning> {
    let first = || call.arguments.first().cloned().unwrap_or_default();
    let value = match (call.owner(), call.last()) {
        (_, "Join") if call.owner() != "strings" => {
            let mut all = call.places(0);
            for argument in call.arguments.iter().skip(1) {
                all = join(&all, &argument.places);
            }
            Value::at(all)
        }
        (_, "Dir") if matches!(call.owner(), "filepath" | "path") => {
            Value::at(call.places(0).iter().map(Place::parent).collect())
        }
        (
            _,
            "Abs" | "Clean" | "EvalSymlinks" | "FromSlash" | "ToSlash" | "ExpandEnv" | "string"
            | "TrimSuffix" | "append",
        ) => match call.arguments {
            [_, _, ..] if call.last() == "append" => Value::list(call.arguments),
            _ => first(),
        },
        (_, "Sprintf") => formatted(call),
        ("os", "Getwd") => Value::at(vec![Place::new(Base::Working, "")]),
        ("runtime", "Caller") => Value::at(vec![Place::new(Base::Beside, SELF)]),
        ("os", "Getenv" | "LookupEnv") => match first().text() {
            Some("GITHUB_WORKSPACE") => Value::at(vec![Place::anywhere()]),
            _ => Value::unknown(),
        },
        (_, "TestData") => Value::at(vec![Place::new(Base::Working, "testdata")]),
        (_, name) if call.arguments.is_empty() && is_root(name) => {
            Value::at(vec![Place::anywhere()])
        }
        _ => return None,
    };
    Some(Meaning::Is(value))
}

/// Calls that read what lies at a path.
fn reading(call: &Call<'_, '_>) -> Option<Meaning> {
    let reads = |index, how| Some(Meaning::Reads(call.places(index), how));
    let all = |how| {
        let places = call.arguments.iter().flat_map(|it| it.places.clone());
        Some(Meaning::Reads(places.collect(), how))
    };
    match (call.owner(), call.last()) {
        ("os" | "ioutil", "ReadDir") | ("build", "ImportDir") => reads(0, How::List),
        ("filepath" | "godirwalk" | "fastwalk" | "symwalk", "Walk" | "WalkDir")
        | ("os", "DirFS" | "OpenRoot")
        | ("http", "Dir") => reads(0, How::Walk),
        // A system of files that was opened is walked already.
        ("fs", "WalkDir" | "ReadDir" | "ReadFile" | "Glob") => Some(Meaning::Writes),
        (
            "filepath" | "doublestar" | "zglob" | "template",
            "Glob" | "ParseGlob" | "FilepathGlob",
        )
        | ("os" | "ioutil", "Open" | "ReadFile" | "OpenFile" | "Stat" | "Lstat") => {
            reads(0, How::File)
        }
        ("template", "ParseFiles") => all(How::File),
        ("parser", "ParseDir") => reads(1, How::List),
        ("parser", "ParseFile") => reads(1, How::File),
        (_, "Chdir") => {
            let is_away = |place: &Place| place.text.contains("..") || place.base == Base::Anywhere;
            let away = call.places(0).into_iter().filter(is_away).collect();
            Some(Meaning::Reads(away, How::Walk))
        }
        ("packages", "Load") | ("build", "Import") => Some(Meaning::Loads),
        ("exec", "Command") => Some(Meaning::Starts(0)),
        ("exec", "CommandContext") => Some(Meaning::Starts(1)),
        _ => None,
    }
}

/// Calls that make something for the run, and calls that write.
fn made_or_written(call: &Call<'_, '_>) -> Option<Meaning> {
    match (call.owner(), call.last()) {
        (
            _,
            "TempDir" | "MkdirTemp" | "CreateTemp" | "TempFile" | "UserHomeDir" | "UserCacheDir"
            | "Executable" | "LookPath",
        ) => Some(Meaning::Is(Value::default())),
        (
            "os" | "ioutil",
            "WriteFile" | "Create" | "Mkdir" | "MkdirAll" | "Remove" | "RemoveAll" | "Rename"
            | "Chmod" | "Setenv" | "Truncate",
        )
        | ("errors" | "fmt" | "log", _) => Some(Meaning::Writes),
        // Texts that are looked at.
        ("strings" | "bytes", _) => Some(Meaning::Is(Value::unknown())),
        _ => None,
    }
}

/// A text with what is filled in at its verbs.
fn formatted(call: &Call<'_, '_>) -> Value {
    let text = call.arguments.first().and_then(Value::text);
    let mut given = call.arguments.iter().skip(1);
    let Some(text) = text else {
        return Value::unknown();
    };
    let (mut all, mut is_first) = (vec![Place::new(Base::Working, "")], true);
    let mut pieces = text.split('%');
    let before = pieces.next().unwrap_or_default();
    if !before.is_empty() {
        all = concat(&all, &literal(before), &mut is_first);
    }
    for piece in pieces {
        let verb = piece.find(|c: char| c.is_ascii_alphabetic());
        let after = verb.and_then(|at| piece.get(at + 1..)).unwrap_or_default();
        let filled = given.next().map(|it| it.places.clone());
        let filled = filled.unwrap_or_else(|| vec![Place::unknown()]);
        all = concat(&all, &filled, &mut is_first);
        if !after.is_empty() {
            all = concat(&all, &literal(after), &mut is_first);
        }
    }
    if all.is_empty() {
        return Value::default();
    }
    let is_gap = |place: &Place| place.text.chars().all(|c| c == GAP);
    if all.iter().all(is_gap) {
        return Value::unknown();
    }
    Value::at(all)
}

#[cfg(test)]
mod tests {
    use crate::engine::graph::golang::extract;
    use crate::engine::graph::sample;

    /// What is opened, as `base pattern`, and what reaches further.
    fn check(source: &str, expected: &str) {
        let head = "package a\nimport (\"os\"; \"path/filepath\")\n";
        let facts = extract("a_test.go", &format!("{head}{source}"));
        assert_eq!(sample::opened(&facts), expected, "{source}");
    }

    fn inside(source: &str, expected: &str) {
        check(
            &format!("func TestA(t *testing.T) {{\n{source}\n}}"),
            expected,
        );
    }

    #[test]
    fn a_walk_over_the_directory_above_reads_it() {
        inside(
            "filepath.WalkDir(\"..\", func(p string, d fs.DirEntry, err error) error { return nil })",
            "Working ../**",
        );
        inside(
            "root := \"..\"\nfilepath.Walk(root, visit)",
            "Working ../**",
        );
        inside(
            "root, _ := filepath.Abs(filepath.Join(\"..\", \"b\"))\nos.ReadDir(root)",
            "Working ../b/*",
        );
        inside(
            "fs.WalkDir(os.DirFS(\"..\"), \".\", visit)",
            "Working ../**",
        );
    }

    #[test]
    fn what_lies_in_the_package_is_narrow() {
        inside("os.ReadDir(\"docs\")", "Working docs/*");
        inside(
            "filepath.Glob(filepath.Join(\"docs\", \"*.md\"))",
            "Working docs/*.md",
        );
        inside(
            "os.ReadFile(fmt.Sprintf(\"docs/%s.md\", n))",
            "Working docs/**/*.md",
        );
        inside(
            "os.ReadFile(filepath.Join(\"docs\", \"a.md\"))",
            "Working docs/a.md",
        );
    }

    #[test]
    fn the_directory_of_the_source_is_where_it_lies() {
        let file = "_, file, _, _ := runtime.Caller(0)\n";
        inside(&format!("{file}os.ReadDir(filepath.Dir(file))"), "Beside *");
        inside(
            &format!("{file}os.ReadDir(filepath.Dir(filepath.Dir(file)))"),
            "Beside ../*",
        );
        inside(
            "wd, err := os.Getwd()\nfilepath.Walk(filepath.Dir(wd), visit)",
            "Working ../**",
        );
    }

    #[test]
    fn a_computed_path_that_climbs_counts_where_it_stands() {
        check(
            "var config = filepath.Join(\"..\", \"..\", \"docs\", \"a.yml\")",
            "Working ../../docs/a.yml, Working ../../docs/a.yml/**",
        );
        inside(
            "load(filepath.Join(\"..\", \"b\", n))",
            "Working ../b/**/*, Working ../b/**/*/**",
        );
        inside(
            "x := filepath.Join(\"..\", \"b\")\nos.ReadFile(filepath.Join(x, \"c.go\"))",
            "Working ../b/c.go",
        );
        inside("os.WriteFile(filepath.Join(\"..\", n), nil, 0)", "");
    }

    #[test]
    fn a_function_walks_what_its_calls_give_it() {
        check(
            "func walk(dir string) { filepath.WalkDir(dir, visit) }\nfunc TestA(t *testing.T) { walk(\"..\"); walk(\"docs\") }",
            "Working ../**, Working docs/**, Package!",
        );
    }

    #[test]
    fn a_directory_above_is_read_by_whom_it_is_handed_to() {
        inside("other.Walk(\"..\")", "Working ../**");
        inside("strings.HasPrefix(p, \"..\")", "");
        inside("other.Walk(\"\")", "");
    }

    #[test]
    fn code_that_lists_what_its_callers_give_it_leaves_the_answer_to_them() {
        let source = "package a\nimport \"os\"\nfunc f(dir string) { os.ReadDir(dir) }\n";
        assert_eq!(extract("a.go", source).dynamic, []);
        assert_eq!(extract("a_test.go", source).dynamic.len(), 1);
    }

    #[test]
    fn what_is_made_for_the_run_is_nobodys() {
        inside("dir := t.TempDir()\nfilepath.WalkDir(dir, visit)", "");
        inside(
            "dir, err := os.MkdirTemp(\"\", \"x\")\nos.ReadDir(filepath.Join(dir, \"y\"))",
            "",
        );
    }

    #[test]
    fn a_program_reads_where_it_runs_and_what_it_is_told() {
        inside(
            "cmd := exec.Command(\"go\", \"vet\", \"./...\")\ncmd.Dir = \"..\"\ncmd.Run()",
            "Working ../**, Working ../**, Package!",
        );
        inside(
            "cmd := exec.Command(\"go\", \"build\", \".\")\ncmd.Dir = t.TempDir()",
            "",
        );
        inside(
            "exec.Command(\"go\", \"vet\", \"ex.com/m/b\")",
            "Anywhere **/*.go, Working ex.com/m/b, Working ex.com/m/b/**, Package!",
        );
        inside(
            "exec.Command(\"sh\", \"-c\", \"cat ../b/*\")",
            "Working cat, Working cat/**, Working ../b/*, Working ../b/*/**",
        );
        inside(
            "exec.Command(\"make\", \"-C\", \"..\")",
            "Working ../**, Package!",
        );
        inside("exec.Command(\"git\", \"ls-files\")", "Repository!");
        inside("exec.Command(\"echo\", \"docs\")", "");
    }

    #[test]
    fn packages_that_are_loaded_are_read() {
        inside(
            "packages.Load(nil, \"ex.com/m/...\")",
            "Anywhere **/*.go, Package!",
        );
        inside(
            "packages.Load(&packages.Config{Dir: \"..\"}, \"./...\")",
            "Working ../**, Package!",
        );
        inside(
            "packages.Load(cfg, \"../b\")",
            "Working ../b, Working ../b/**, Package!",
        );
    }
}
