//! The measuring tools, measured: what `benches/` compares is tried here.
//!
//! A bench target has no test runner; its pure parts are taken in by path.

#[path = "../benches/faults/additions.rs"]
mod additions;
#[path = "../benches/soundness/compare.rs"]
mod compare;
#[path = "../benches/faults/edits.rs"]
mod edits;
#[path = "../benches/edges/peers.rs"]
mod peers;
#[path = "../benches/usefulness/pulls.rs"]
mod pulls;
#[path = "../benches/faults/random.rs"]
mod random;
#[path = "../benches/faults/report.rs"]
mod report;
#[path = "../benches/faults/seed.rs"]
mod seed;

#[cfg(test)]
mod edges_of_peers {
    use super::peers::*;

    fn check(format: &str, text: &str, expected: &str) {
        let edges = read(format.parse().unwrap(), text, "/r").unwrap();
        let text: Vec<String> = edges
            .iter()
            .map(|(from, to)| format!("{from}>{to}"))
            .collect();
        assert_eq!(text.join(" "), expected);
    }

    #[test]
    fn lists_are_edges() {
        check(
            "ruff",
            r#"{"a.py": ["b.py", "a.py"], "c.py": []}"#,
            "a.py>b.py",
        );
        check("madge", r#"{"./a.ts": ["/r/lib/b.ts"]}"#, "a.ts>lib/b.ts");
    }

    #[test]
    fn a_cruise_gives_what_was_resolved() {
        let text = r#"{"modules":[{"source":"a.ts","dependencies":[{"resolved":"b.ts","module":"./b"}]},{"source":"b.ts"}],"summary":{}}"#;
        check("dependency-cruiser", text, "a.ts>b.ts");
    }

    #[test]
    fn variants_for_tests_lie_in_the_directory_of_their_go_package() {
        let text = r#"
            {"ImportPath":"m/a","Dir":"/r/a","Imports":["m/b","fmt"]}
            {"ImportPath":"m/b","Dir":"/r/b"}
            {"ImportPath":"m/c","Dir":"/r/c"}
            {"ImportPath":"m/a [m/a.test]","Dir":"/r/a","Imports":["m/c"]}
            {"ImportPath":"m/a.test","Dir":"/r/a","Imports":["m/a [m/a.test]","os"]}"#;
        check("go", text, "a>b a>c");
    }

    #[test]
    fn go_and_cargo_join_directories() {
        let level = |name: &str| name.parse::<Format>().unwrap().level();
        assert_eq!([level("go"), level("cargo")], [Level::Directory; 2]);
        assert_eq!(
            [level("ruff"), level("dependency-cruiser")],
            [Level::File; 2]
        );
    }

    #[test]
    fn crates_are_joined_by_path() {
        let text = r#"{"packages":[{"manifest_path":"/r/x/Cargo.toml","dependencies":[{"path":"/r/y"},{"path":null},{"name":"serde"}]},{"manifest_path":"/r/Cargo.toml","dependencies":[{"path":"/r/x"}]}]}"#;
        check("cargo", text, ">x x>y");
    }

    #[test]
    fn another_tool_is_refused() {
        assert!("make".parse::<Format>().is_err());
        assert!(read(Format::Lists, "[]", "/r").is_err());
    }
}

#[cfg(test)]
mod used_and_inferred {
    use std::collections::BTreeSet;

    use trimtab::engine::trace::Trace;

    use super::compare::*;

    fn set(words: &str) -> BTreeSet<String> {
        words.split_whitespace().map(str::to_owned).collect()
    }

    fn boxed(words: &str) -> BTreeSet<Box<str>> {
        words.split_whitespace().map(Into::into).collect()
    }

    fn repository() -> Repository {
        Repository {
            tracked: set("a.py b.py docs/x.md lib/c.py"),
            ignored: set("lib/c.pyc"),
        }
    }

    #[test]
    fn a_tracked_file_outside_the_inputs_is_a_fault_and_others_are_not() {
        let trace = Trace {
            read: boxed("a.py b.py made.txt"),
            ..Trace::default()
        };
        let report = compare(&trace, &repository(), &set("a.py"), Vec::new());
        assert_eq!(report.read, ["b.py"]);
        assert!(!report.is_sound());
        assert!(compare(&trace, &repository(), &set("a.py b.py"), Vec::new()).is_sound());
    }

    #[test]
    fn a_listed_directory_is_covered_by_an_input_in_it() {
        let trace = Trace {
            listed: boxed("lib docs build"),
            ..Trace::default()
        };
        let report = compare(&trace, &repository(), &set("lib/c.py"), Vec::new());
        assert_eq!(report.listed, ["docs"]);
    }

    #[test]
    fn only_names_that_a_commit_can_bring_are_judged() {
        let trace = Trace {
            missing: boxed("conftest.py lib lib/c.pyc lib/c.py/x new new/y .git/x"),
            ..Trace::default()
        };
        assert_eq!(addable(&trace, &repository()), set("conftest.py new/y"));
    }

    #[test]
    fn a_missing_name_counts_unless_it_is_looked_at_and_not_opened_when_it_is_there() {
        let first = Trace {
            read: boxed("a.py"),
            ..Trace::default()
        };
        let again = Trace {
            read: boxed("x.toml"),
            seen: boxed("idle"),
            missing: boxed("bin examples"),
            ..Trace::default()
        };
        let names = ["bin", "examples", "idle", "unmet", "x.toml"].map(str::to_owned);
        let mut report = compare(&first, &repository(), &set("a.py"), names.to_vec());
        let wanted = report.settle(&again);
        let asked = newcomers(&first, &wanted);
        assert!(asked.contains(&"examples/test_new.py".to_owned()));
        assert_eq!(unwatched(wanted, &asked, &asked[..4]), ["bin"]);
        assert_eq!(report.opened, ["x.toml"]);
        assert_eq!(report.unopened, ["idle"]);
        assert_eq!(report.missing, ["unmet"]);
    }

    #[test]
    fn a_log_with_unread_lines_proves_nothing() {
        let trace = Trace {
            unread: vec!["?".into()],
            ..Trace::default()
        };
        assert!(!compare(&trace, &repository(), &set("a.py"), Vec::new()).is_sound());
    }
}

#[cfg(test)]
mod pulls_of_the_past {
    use super::pulls::*;

    #[test]
    fn a_project_that_merges_has_second_parents() {
        let heads = |log, last| {
            let found = pulls(log, last).into_iter();
            found
                .map(|pull| format!("{}>{}", pull.base, pull.head))
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(heads("d c x\nc b\nb a y\na", 4), "c>x a>y");
        assert_eq!(heads("d c\nc b\nb a y\na", 4), "c>d b>c a>y");
        assert_eq!(heads("d c\nc b", 1), "c>d");
    }

    #[test]
    fn requirements_are_no_prose() {
        let yes = ["README.md", "docs/a/b.png", "LICENSE-MIT", "src/notes.txt"];
        assert!(yes.iter().all(|path| is_prose(path)));
        let no = [
            "requirements-dev.txt",
            "docs/conf.py",
            "CMakeLists.txt",
            "a.png",
        ];
        assert!(!no.iter().any(|path| is_prose(path)));
    }
}

#[cfg(test)]
mod faults {
    use std::collections::BTreeSet;

    use super::edits::{self, Dialect};
    use super::random::Random;
    use super::report::{Format, read};
    use super::seed::{Faults, Files, Kind};

    fn report(format: Format, text: &str, expected: &str) {
        let outcomes = read(format, text, "/r").unwrap();
        let lines = outcomes
            .iter()
            .map(|((place, name), outcome)| format!("{place} {name} {outcome:?}"));
        assert_eq!(lines.collect::<Vec<_>>().join("; "), expected);
    }

    #[test]
    fn every_runner_says_what_became_of_a_test() {
        report(Format::None, "anything", "");
        report(
            Format::Junit,
            r#"<testsuites><testsuite><testcase classname="t" name="a" file="t.py"/><testcase classname="t" name="b" file="t.py"><failure/></testcase><testcase classname="t" name="c" file="t.py"><skipped/></testcase></testsuite></testsuites>"#,
            "t.py t::a Passed; t.py t::b Failed; t.py t::c Skipped",
        );
        report(
            Format::Mocha,
            r#"{"tests":[{"fullTitle":"a","file":"/r/t.js"},{"fullTitle":"b","file":"/r/t.js"}],"pending":[],"failures":[{"fullTitle":"b","file":"/r/t.js"}]}"#,
            "t.js a Passed; t.js b Failed",
        );
        report(
            Format::Vitest,
            r#"{"testResults":[{"name":"/r/t.ts","status":"failed","assertionResults":[{"fullName":"a","status":"passed"},{"fullName":"b","status":"failed"},{"fullName":"c","status":"todo"}]},{"name":"/r/u.ts","status":"failed","assertionResults":[]}]}"#,
            "t.ts (load) Passed; t.ts a Passed; t.ts b Failed; t.ts c Skipped; u.ts (load) Failed",
        );
        report(
            Format::Go,
            "{\"Action\":\"pass\",\"Package\":\"m/a\",\"Test\":\"TestA\"}\n# m/b\n{\"Action\":\"fail\",\"Package\":\"m/b\"}\n{\"Action\":\"skip\",\"Package\":\"m/a\",\"Test\":\"TestB\"}\n",
            "m/a TestA Passed; m/a TestB Skipped",
        );
        report(
            Format::Cargo,
            "     Running unittests src/lib.rs (target/debug/deps/a-1)\ntest a ... ok\ntest b ... FAILED\n     Running tests/it.rs (target/debug/deps/it-2)\ntest a ... ignored, slow\n",
            "tests/it.rs a Skipped; unittests src/lib.rs a Passed; unittests src/lib.rs b Failed",
        );
    }

    const PROGRAM: &str = "import os\n\ndef f(x):\n    if x == 10:\n        return 'a'\n    return x\n\nprint(f(1))\n";

    fn edited(change: impl Fn(&mut Random) -> edits::Edited, expected: &str) {
        let text = (0..64)
            .filter_map(|seed| change(&mut Random::new(seed)))
            .map(|(text, _)| text)
            .find(|text| text.contains(expected));
        assert!(text.is_some(), "no seed gives {expected:?}");
    }

    #[test]
    fn an_edit_lands_in_code() {
        edited(|random| edits::comparison(PROGRAM, random), "if x != 10:");
        edited(|random| edits::number(PROGRAM, random), "x == 20:");
        edited(|random| edits::string(PROGRAM, random), "return 'aFault'");
        edited(|random| edits::syntax(PROGRAM, random), "import os )({\n");
        edited(|random| edits::line(PROGRAM, random), "Fault");
        edited(
            |random| edits::without_line(PROGRAM, random),
            "\n\ndef f(x):\n    if",
        );
        let python = Dialect::Python;
        edited(
            |random| edits::failure(PROGRAM, python, random),
            "def f(x):\n    raise RuntimeError('fault')\n    if x",
        );
        edited(
            |random| edits::without_function(PROGRAM, python, random),
            "import os\n\nprint(f(1))\n",
        );
        assert_eq!(
            edits::failure("x\n", Dialect::Other, &mut Random::new(1)),
            None
        );
    }

    fn tree() -> Files {
        let texts = [
            ("pkg/__init__.py", ""),
            ("pkg/a.py", PROGRAM),
            (
                "tests/test_a.py",
                "from pkg import a\n\ndef test_a():\n    assert a.f(1) == 1\n",
            ),
            ("README.md", "# A\n"),
            ("pyproject.toml", "[project]\nname = 'a'\n"),
            ("uv.lock", "version = 1\n"),
            (".github/workflows/ci.yml", "on: push\n"),
        ];
        let files = texts.map(|(path, text)| (path.to_owned(), Some(text.to_owned())));
        files.into_iter().collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_faults_of_every_kind() {
        let files = tree();
        let take = |seed| {
            let mut faults = Faults::new(&files, seed);
            (0..200).filter_map(|_| faults.next()).collect::<Vec<_>>()
        };
        let show = |seed| {
            let faults = take(seed);
            let lines = faults
                .iter()
                .map(|fault| format!("{} {:?}", fault.what, fault.edits));
            lines.collect::<Vec<_>>()
        };
        assert_eq!(show(1), show(1));
        assert_ne!(show(1), show(2));
        let kinds: BTreeSet<Kind> = take(1).iter().map(|fault| fault.kind).collect();
        assert_eq!(kinds.len(), Kind::ALL.len());
    }

    #[test]
    fn a_fault_is_a_change_that_git_can_hold() {
        let files = tree();
        let mut faults = Faults::new(&files, 7);
        for fault in (0..500).filter_map(|_| faults.next()) {
            assert!(!fault.edits.is_empty());
            for (path, new) in &fault.edits {
                let old = files.get(path).cloned().flatten();
                assert_ne!(old.map(String::into_bytes), *new, "{}", fault.what);
                let below = format!("{path}/");
                let is_dir = files.keys().any(|other| other.starts_with(&below));
                assert!(new.is_none() || !is_dir, "{}", fault.what);
            }
        }
    }
}
