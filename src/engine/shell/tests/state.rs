//! What becomes of variables, directories and functions while a script runs.

use super::*;

/// The last line of what a script comes to.
fn check_last(script: &str, expected: &str) {
    let all = show(&run(script));
    assert_eq!(
        all.lines().last().unwrap_or_default(),
        expected,
        "{script}\n{all}"
    );
}

#[test]
fn a_variable_of_a_function_is_gone_after_it() {
    check_last("x=b; f() { local x=a; }; f; cat $x", "1:: cat b");
    check_last("x=b; f() { declare x=a; }; f; cat $x", "1:: cat b");
    check_last("x=b; f() { declare -g x=a; }; f; cat $x", "1:: cat a");
    check_last(
        "x=b; f() { if y; then local x=a; fi; }; f; cat $x",
        "1:: cat <$x>",
    );
    check_last("f() { local x; cat $x; }; x=a; f", "1:: cat <$x>");
}

#[test]
fn what_a_return_leaves_holds_after_the_function() {
    check_last(
        "f() { if y; then x=b; return; fi; x=a; }; f; cat $x",
        "1:: cat b",
    );
    check_last("f() { x=b; y || return 1; x=a; }; f; cat $x", "1:: cat b");
    check_last("f() { x=a; return 0; }; f; cat $x", "1:: cat a");
    check_last(
        "f() { if y; then x=b; exit; fi; x=a; }; f; cat $x",
        "1:: cat a",
    );
    check_last(
        "die() { y; }; x=a; if z; then x=b; die; fi; cat $x",
        "1:: cat b",
    );
}

#[test]
fn what_a_break_leaves_holds_after_the_loop() {
    let script = "for f in b a; do if y; then break; fi; done; cat $f";
    assert!(show(&run(script)).contains("1:: cat b"));
    let script = "for f in b a; do x=$f; if y; then continue; fi; x=c; done; cat $x";
    assert!(show(&run(script)).contains("1:: cat b"));
    check_last("while y; do x=b; break; x=a; done; cat $x", "1:: cat <$x>");
    check_last("for f in b a; do y; done; cat $f", "1:: cat a");
}

#[test]
fn a_variable_in_front_of_a_function_is_set_in_it() {
    check_last("x=a; f() { cat $x; }; x=b f", "1:: cat b");
    check_last("x=a; x=b eval 'cat $x'", "1:: cat b");
    check_last("x=a; f() { y; }; x=b f; cat $x", "1:: cat a");
}

#[test]
fn every_way_to_set_a_variable_makes_its_old_value_unknown() {
    for set in [
        "printf -v x %s b",
        "printf -vx b",
        "(( x = 3 ))",
        "(( x++ ))",
        "y=$(( x += 1 ))",
        "for ((x=0; x<3; x++)); do y; done",
        "let x=3",
        "read x < b",
        "x[1]=b",
        "declare -i x=1+1",
        "export \"$y\"",
        "export x=${Y}",
        "readonly x=$Y",
    ] {
        check_last(&format!("x=a; {set}; cat $x"), "1:: cat <$x>");
    }
    check_last("x=; : \"${x:=b}\"; cat $x", "1:: cat b");
    check_last("x=a; declare -n r=x; r=b", "1! declare -n");
}

#[test]
fn set_with_words_gives_other_arguments() {
    check_last("set a; set -e -- b; cat $1", "1:: cat b");
    check_last("set -eo pipefail b; cat $1", "1:: cat b");
    check_last("set -- a; set -e; cat $1", "1:: cat a");
    check_last("set -- a; set $Y; cat $1", "1:: cat <$1>");
}

#[test]
fn commands_in_arithmetic_and_heredocs_are_commands() {
    check("x=$(( $(cat b) + 1 ))", "1:: cat b\n1:: x=?");
    check("(( $(wc b) > `wc c` )) && y", "1:: wc b\n1:: wc c\n1:: y");
    check_last("for ((i=0; i < $(wc b); i++)); do y; done", "1:: y");
    let script = "cat <<EOF\n$(wc b) `wc c` \\$(wc d)\nEOF\n";
    check(script, "2:: wc b\n2:: wc c\n1:: cat");
    check("cat <<'EOF'\n$(wc b)\nEOF\n", "1:: cat");
    let known = run("cat <<EOF\nx $DJANGO \\$y\nEOF\n");
    assert_eq!(&*known.calls[0].input.as_ref().unwrap().text, "x 4.2 $y\n");
    check_last("y=1; ((cat b); (cat c))", "1! unexpected `((`");
    check("local x=($(cat b))", "1:: cat b\n1:: x=?");
    check(
        "case y in $(cat b)) z;; esac",
        "1:: cat b\n1:: [[ y <$(…)>\n1:: z",
    );
    check_last("a[$(cat b)]=1", "1! a command inside of a subscript");
}

#[test]
fn words_that_the_shell_makes_of_a_pattern_are_not_known() {
    for word in ["part{1..3}", "@(b|c)", "!(a)", "$'b\\x2e'", "{a..c}x"] {
        let script = run(&format!("cat {word}"));
        assert!(script.calls[0].words[1].unknown, "{word}");
    }
    for word in ["{a,b}", "{\"a\",b}", "a{,b}"] {
        let script = run(&format!("cat {word}"));
        assert!(script.calls[0].words[1].glob, "{word}");
    }
    check("cat $'a\\tb'", "1:: cat a\tb");
    check_last("IFS=,; x=a,b; cat $x", "1:: cat <$x>");
}

#[test]
fn patterns_that_no_program_gets_are_read() {
    for script in [
        "files=(d/*.dat)",
        "for f in d/*.sql; do y; done",
        "set -- d/*.sql",
        "f() { y; }; f d/*.sql",
        "local x=(d/*.sql)",
    ] {
        let calls = run(script).calls;
        let reads = calls.iter().flat_map(|call| &call.reads);
        assert_eq!(
            reads.filter(|word| word.text.starts_with("d/")).count(),
            1,
            "{script}"
        );
    }
}

#[test]
fn directories_that_the_shell_remembers_are_not_known() {
    check_last("pushd a; pushd; ls", "1:?: ls");
    check_last("pushd a; pushd +1; ls", "1:?: ls");
    check_last("cd ..; ls", "1:?: ls");
    check_last("cd a/..; ls", "1:: ls");
    for path in [
        "~+/b",
        "~-/b",
        "/home/runner/work/shop/shop/b",
        "/Users/runner/work/x/x/b",
        "/__w/shop/shop/b",
        "/proc/self/cwd/b",
        "D:\\a\\shop\\b",
        "../shop/b",
    ] {
        let found = locate(&Place::Inside("".into()), path);
        assert_eq!(found, Located::Unknown, "{path}");
    }
    for path in ["/etc/x", "~/.cargo/bin", "/proc/cpuinfo", "/home/runner/x"] {
        let found = locate(&Place::Inside("".into()), path);
        assert_eq!(found, Located::Outside, "{path}");
    }
}

#[test]
fn a_file_of_the_repository_is_no_environment_of_python() {
    let files = |path: &str| match path {
        "ci/activate" => Source::Text("make x"),
        _ => Source::Absent,
    };
    let start = Start {
        variables: &Rc::default(),
        place: &Place::Inside("".into()),
        arguments: None,
        text: &files,
        listed: &|_, _, _| None,
        steps: &Cell::new(STEPS),
    };
    let found = read(". ci/activate; . venv/bin/activate", start);
    assert_eq!(show(&found), "1:: make x\n1:: . ci/activate");
}

#[test]
fn other_names_for_programs_are_unread() {
    check("alias cat='rm x'", "1! alias");
    check("hash -p ./b.sh cat", "1! hash");
    check("hash -r; enable -f x y", "1! enable");
    check(
        "unset -f f; f() { y; }; unset -f f",
        "1! unset of a function",
    );
    check_last("cat() { y; }; command cat b", "1:: cat b");
}

#[test]
fn an_export_of_one_branch_is_not_known_in_later_steps() {
    check_last("if y; then echo A=1 >> $GITHUB_ENV; fi", "export A Unknown");
    check_last(
        "if y; then echo A=1; else echo A=2; fi >> $GITHUB_ENV",
        "export A OneOf([\"1\", \"2\"])",
    );
    check_last("(echo A=1 >> $GITHUB_ENV)", "export A Text(\"1\")");
    for script in [
        "echo -e 'G=1\\nA=2' >> $GITHUB_ENV",
        "cp b $GITHUB_ENV",
        "y | sudo tee -a $GITHUB_ENV",
        "y >& $GITHUB_ENV",
        "exec >> $GITHUB_ENV",
        "y --to=$GITHUB_ENV",
    ] {
        check_last(script, "export * Unknown");
    }
}

#[test]
fn a_value_that_doubles_ends_as_unknown() {
    let doubled = (0..40).map(|i| {
        let next = i + 1;
        format!("a{next}=$a{i}$a{i}\nl{next}=(\"${{l{i}[@]}}\" \"${{l{i}[@]}}\")\n")
    });
    let text = format!(
        "a0=xxxxxxxx; l0=(x y)\n{}",
        doubled.collect::<Vec<_>>().concat()
    );
    let found = run(&format!("{text}cat $a40\ncat ${{l40[@]}}"));
    let length = |call: &Call| call.words.iter().map(|word| word.text.len()).sum::<usize>();
    assert!(found.calls.iter().all(|call| length(call) < 100_000));
    assert!(found.unread.is_empty(), "{:?}", found.unread);
    assert!(found.calls[found.calls.len() - 2].words[1].unknown);
}

#[test]
fn a_script_of_too_many_steps_says_so_once_and_ends() {
    let words = "a ".repeat(60);
    let nested = format!(
        "for x in {words}; do for y in {words}; do for z in {words}; do cd x; done; done; done"
    );
    let branches = (0..20_000)
        .map(|i| format!("if a; then v{i}=1; else v{i}=2; fi\n"))
        .collect::<Vec<_>>()
        .concat();
    let elif = "elif a; then x=1\n".repeat(50_000);
    for script in [nested, branches, format!("if a; then b\n{elif}fi")] {
        let found = run(&script);
        assert_eq!(found.unread.len(), 1, "{:?}", found.unread.first());
    }
    let chain = "a && ".repeat(50_000) + "b";
    assert_eq!(show(&run(&chain)), "1! a chain of too many commands");
}

proptest::proptest! {
    #[test]
    fn no_script_makes_the_reader_fail(text in "[a-z $(){}\\[\\]'\"`;&|<>\\\\\n#=*!-]{0,80}") {
        let script = run(&text);
        proptest::prop_assert!(script.calls.len() <= 4001);
    }
}
