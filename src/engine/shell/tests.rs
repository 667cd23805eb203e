//! Scripts and the commands that they come to.

use super::*;

mod state;

const FILES: &[(&str, &str)] = &[
    ("tools/env.sh", "export MODE=fast\ncd tools"),
    ("loop.sh", "source loop.sh"),
];

fn text(path: &str) -> Source<'static> {
    FILES
        .iter()
        .find(|(name, _)| *name == path)
        .map_or(Source::Absent, |(_, text)| Source::Text(text))
}

fn run(script: &str) -> Script {
    let mut variables: BTreeMap<Box<str>, Value> = BTreeMap::new();
    for (name, value) in [
        ("GITHUB_ENV", "/github/env"),
        ("GITHUB_PATH", "/github/path"),
        ("DJANGO", "4.2"),
        ("FLAGS", "-x --lf"),
    ] {
        variables.insert(name.into(), Value::Text(value.into()));
    }
    let place = Place::Inside("".into());
    let start = Start {
        variables: &Rc::new(variables),
        place: &place,
        arguments: None,
        text: &text,
        listed: &|_, _, _| None,
        steps: &Cell::new(STEPS),
    };
    read(script, start)
}

/// One line for each call: its line, its place, its words; unknown ones in `<>`.
fn show(script: &Script) -> String {
    let mut lines = Vec::new();
    for call in &script.calls {
        let words = call.words.iter().map(|word| match word {
            word if word.unknown => format!("<{}>", word.text),
            word if word.text.contains(' ') => format!("'{}'", word.text),
            word => word.text.to_string(),
        });
        let set = call.assignments.iter().map(|(name, value)| match value {
            Value::Text(text) => format!("{name}={text}"),
            _ => format!("{name}=?"),
        });
        let place = match &call.place {
            Place::Inside(dir) => dir.to_string(),
            Place::Outside => "~".to_owned(),
            Place::Unknown => "?".to_owned(),
        };
        let all: Vec<String> = set.chain(words).collect();
        lines.push(format!("{}:{place}: {}", call.line, all.join(" ")));
    }
    for unread in &script.unread {
        lines.push(format!("{}! {}", unread.line, unread.what));
    }
    for (name, value) in &script.exports {
        lines.push(format!("export {name} {value:?}"));
    }
    lines.join("\n")
}

fn check(script: &str, expected: &str) {
    assert_eq!(show(&run(script)), expected, "{script}");
}

#[test]
fn continued_lines_are_one_command_with_the_line_of_its_start() {
    check(
        "# first\npytest \\\n  -x \\\n  tests\nls",
        "2:: pytest -x tests\n5:: ls",
    );
}

#[test]
fn quotes_keep_spaces_and_are_removed() {
    check(
        r#"pytest "a b" 'c d' e\ f "g'h""#,
        "1:: pytest 'a b' 'c d' 'e f' g'h",
    );
}

#[test]
fn a_directory_holds_for_what_follows_and_not_outside_of_parentheses() {
    check("cd sub && pytest\nmake", "1:sub: pytest\n2:sub: make");
    check("(cd sub && pytest)\nmake", "1:sub: pytest\n2:: make");
    check("cd \"$X\"\nmake", "2:?: make");
    check("cd /tmp; make; cd $GITHUB_WORKSPACE", "1:~: make");
    check("pushd a; ls; popd; ls", "1:a: ls\n1:: ls");
    check("cd x || exit 1\nls", "1:x: exit 1\n2:x: ls");
}

#[test]
fn a_directory_that_only_one_branch_enters_is_not_known_afterwards() {
    check("if x; then cd a; fi\nls", "1:: x\n2:?: ls");
    check("x && cd a\nls", "1:: x\n2:?: ls");
    check(
        "if x; then cd a; else exit 1; fi\nls",
        "1:: x\n1:: exit 1\n2:a: ls",
    );
}

#[test]
fn both_sides_of_or_are_run() {
    check("pytest || true", "1:: pytest\n1:: true");
}

#[test]
fn known_variables_are_put_in_and_split() {
    check("pip install django==$DJANGO", "1:: pip install django==4.2");
    check("pytest $FLAGS", "1:: pytest -x --lf");
    check("pytest \"$FLAGS\"", "1:: pytest '-x --lf'");
    check(
        "T=tests/a; pytest $T/b",
        "1:: T=tests/a\n1:: pytest tests/a/b",
    );
    check("A=(x 'y z'); run \"${A[@]}\"", "1:: A=?\n1:: run x 'y z'");
    check("run ${DJANGO:-3} ${DJANGO%.2}", "1:: run 4.2 4");
}

#[test]
fn an_unknown_variable_is_marked_and_not_dropped() {
    check("pytest $WHAT", "1:: pytest <$WHAT>");
    check("$TOOL run", "1:: <$TOOL> run");
}

#[test]
fn a_variable_that_one_branch_changes_has_both_values() {
    check(
        "T=a\nif x; then T=b; fi\npytest $T",
        "1:: T=a\n2:: x\n2:: T=b\n3:: pytest a\n3:: pytest b",
    );
    check(
        "P=\nx && P=venv/bin/\n${P}tox \"$P\"",
        "1:: P=\n2:: x\n2:: P=venv/bin/\n3:: tox \n3:: venv/bin/tox venv/bin/",
    );
}

#[test]
fn a_variable_that_a_loop_changes_is_not_known_afterwards() {
    check(
        "T=a\nfor x in $Y; do T=b$T; done\npytest $T",
        "1:: T=a\n2:: T=?\n3:: pytest <$T>",
    );
}

#[test]
fn a_variable_of_too_many_values_is_not_known() {
    let branches = "if x; then T=b; fi\nif x; then T=c; fi\nif x; then T=d; fi\n";
    let script = format!("T=a\n{branches}if x; then T=e; fi\npytest $T");
    let variables = BTreeMap::new();
    let start = Start {
        variables: &Rc::new(variables),
        place: &Place::Inside("".into()),
        arguments: None,
        text: &|_| Source::Absent,
        listed: &|_, _, _| None,
        steps: &Cell::new(STEPS),
    };
    let found = read(&script, start);
    let last = found.calls.last().unwrap();
    assert!(last.words[1].unknown, "{:?}", last.words);
}

#[test]
fn commands_in_substitutions_are_commands() {
    check(
        "echo $(make list) `git log`",
        "1:: make list\n1:: git log\n1:: echo <$(…)> <$(…)>",
    );
    check("diff <(sort a) b", "1:: sort a\n1:: diff /dev/fd/63 b");
}

#[test]
fn all_branches_of_conditions_and_cases_are_taken() {
    check(
        "if [ -f a ]; then make a; elif b; then make b; else make c; fi",
        "1:: [ -f a ]\n1:: make a\n1:: b\n1:: make b\n1:: make c",
    );
    check(
        "case \"$X\" in\n a|b) one ;;\n *) two ;;\nesac",
        "1:: [[ <$X>\n2:: one\n3:: two",
    );
}

#[test]
fn a_loop_over_literals_is_unrolled_and_another_is_not() {
    check(
        "for d in a b; do (cd $d && make); done",
        "1:a: make\n1:b: make",
    );
    check("for d in *; do make $d; done", "1:: \n1:: make <$d>");
    check(
        "while read x; do run $x; done < list",
        "1:: run <$x>\n1:: cat",
    );
}

#[test]
fn functions_are_entered_where_they_are_called() {
    check(
        "t() { pytest \"$1\" -x; }\nt tests/a",
        "1:: pytest tests/a -x",
    );
    check(
        "function t { t; }\nt",
        "1! functions that call each other too deep",
    );
}

#[test]
fn a_heredoc_is_input_and_not_commands() {
    let script = run("python - <<'EOF'\nimport os\nEOF\nls");
    assert_eq!(show(&script), "1:: python -\n4:: ls");
    assert_eq!(
        script.calls[0].input.as_ref().unwrap().text.as_ref(),
        "import os\n"
    );
}

#[test]
fn variables_in_front_of_a_command_stay_with_it() {
    check(
        "A=1 B='x y' pytest; echo $A",
        "1:: A=1 B=x y pytest\n1:: echo <$A>",
    );
}

#[test]
fn variables_for_later_steps_are_handed_over() {
    check(
        "echo \"A=1\" >> $GITHUB_ENV",
        "1:: echo A=1\nexport A Text(\"1\")",
    );
    check(
        "echo \"A=$X\" >> \"$GITHUB_ENV\"",
        "1:: echo <A=$X>\nexport A Unknown",
    );
    check("compute >> $GITHUB_ENV", "1:: compute\nexport * Unknown");
    check(
        "echo ./bin >> $GITHUB_PATH",
        "1:: PATH=./bin\n1:: echo ./bin",
    );
}

#[test]
fn eval_of_what_is_not_known_is_unread() {
    check("eval \"$(ssh-agent)\"", "1:: ssh-agent\n1! eval $(…)");
    check("eval 'make x'", "1:: make x");
}

#[test]
fn a_sourced_file_runs_in_the_state_at_hand() {
    check(
        "source tools/env.sh\nrun $MODE",
        "1:: MODE=fast\n1:: source tools/env.sh\n2:tools: run fast",
    );
    check(
        "source nowhere.sh",
        "1:: source nowhere.sh\n1! source nowhere.sh",
    );
    check(". .venv/bin/activate; pytest", "1:: pytest");
    assert!(show(&run("source loop.sh")).contains("too deep"));
}

#[test]
fn a_script_finds_its_own_directory() {
    let arguments = [Word::literal("/github/workspace/ci/run.sh")];
    let variables = BTreeMap::new();
    let place = Place::Inside("x".into());
    let start = Start {
        variables: &Rc::new(variables),
        place: &place,
        arguments: Some(&arguments),
        text: &text,
        listed: &|_, _, _| None,
        steps: &Cell::new(STEPS),
    };
    let script = read("cd \"$(dirname \"$0\")/..\"\nmake", start);
    assert_eq!(show(&script), "2:: make");
}

#[test]
fn what_does_not_parse_is_unread_with_its_line() {
    check("ls\nif x; then", "1:: ls\n2! `fi` is missing");
    check("echo 'open", "1! a quote is not closed");
    let deep = "( ".repeat(10_000);
    assert!(show(&run(&deep)).contains("too deep"));
}
