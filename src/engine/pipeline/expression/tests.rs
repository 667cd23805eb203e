//! Truth tables of the language.

use proptest::prelude::*;

use super::*;

fn scope() -> Scope {
    let label = |name| Value::object([("name", Value::text(name)), ("id", Value::UNKNOWN)]);
    let event = Value::open([
        ("action", Value::text("opened")),
        ("labels", Value::Array(vec![label("Bug"), label("e2e")])),
        ("pull_request", Value::Null),
    ]);
    let between = Clue::Between("refs/pull/".into(), "/merge".into());
    Scope::new()
        .with(
            "github",
            Value::open([
                ("event_name", Value::text("pull_request")),
                ("event", event),
                ("ref", Value::Unknown(between)),
                ("head", Value::Unknown(Clue::Not("o/r".into()))),
            ]),
        )
        .with(
            "matrix",
            Value::object([("os", Value::text("ubuntu")), ("n", Value::Number(3.1))]),
        )
}

/// The value, as it would stand in a script; `?` for unknown, with the truth behind it.
fn check(table: &[(&str, &str)]) {
    for (text, expected) in table {
        let shown = match Expression::parse(text) {
            Ok(expression) => {
                let value = expression.evaluate(&scope());
                match &value {
                    Value::Unknown(_) => format!("? {:?}", value.truth()),
                    _ => value.to_string(),
                }
            }
            Err(fault) => fault.to_string(),
        };
        assert_eq!(shown, *expected, "{text}");
    }
}

#[test]
fn operators_coerce_as_github_does() {
    check(&[
        ("1 == '1'", "true"),
        ("'a' == 'A'", "true"),
        ("null == 0", "true"),
        ("null == ''", "true"),
        ("null == 'a'", "false"),
        ("true == 1", "true"),
        ("true == 'true'", "false"),
        ("'0x10' == 16", "true"),
        ("'  12 ' == 12", "true"),
        ("NaN == NaN", "false"),
        ("'b' > 'A'", "true"),
        ("'10' > '9'", "false"),
        ("10 > '9'", "true"),
        ("1 <= 1 && 2 >= 3", "false"),
        ("!'' && 'x'", "x"),
        ("'' || 'b' || 'c'", "b"),
        ("'a' && 0", "0"),
        ("1 == 1 == true", "true"),
        ("(1)", "1"),
        ("-1.50", "-1.5"),
        ("0xff", "255"),
        ("'it''s ''so'''", "it's 'so'"),
    ]);
}

#[test]
fn functions_answer_as_github_does() {
    check(&[
        ("contains('Hello', 'LL')", "true"),
        ("contains(fromJSON('[\"A\", 1]'), 'a')", "true"),
        ("contains(fromJSON('[\"A\", 1]'), '1')", "true"),
        ("contains(fromJSON('[]'), '')", "false"),
        ("contains('push pull', github.event_name)", "false"),
        ("startsWith('Refs/heads', 'refs/')", "true"),
        ("endsWith('a.TXT', '.txt')", "true"),
        ("format('{0}-{1} {{x}}', 'a', 2)", "a-2 {x}"),
        ("join(fromJSON('[1, \"b\", true]'), '/')", "1/b/true"),
        ("join('x')", "x"),
        (
            "toJSON(fromJSON('{\"a\": [1, {}], \"b\": []}'))",
            "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}",
        ),
        ("fromJSON('{\"A\": {\"b\": 1}}').a['B']", "1"),
        ("fromJSON('true') && fromJSON('2.50')", "2.5"),
        ("case(false, 1, true, 2, 3)", "2"),
        ("matrix.os", "ubuntu"),
        ("MATRIX['OS']", "ubuntu"),
        ("matrix.missing", ""),
        ("matrix.os.deep.er", ""),
        ("contains(github.event.labels.*.name, 'bug')", "true"),
        ("contains(github.event.labels.*.name, 'none')", "false"),
        ("contains(github.event.labels[*].name, 'E2E')", "true"),
        ("github.event.labels[1].name", "e2e"),
        ("github.event.labels[7].name", ""),
        ("join(github.event.labels.*.name)", "Bug,e2e"),
        ("always()", "true"),
    ]);
}

#[test]
fn the_unknown_spreads_only_where_it_matters() {
    check(&[
        ("needs.a.result", "? Unknown"),
        ("needs.a.result == 'success'", "? Unknown"),
        ("false && needs.a.outputs.x", "false"),
        ("needs.a.outputs.x && false", "? No"),
        ("needs.a.outputs.x || 'yes'", "? Yes"),
        ("!(needs.a.outputs.x && false)", "true"),
        ("success()", "? Unknown"),
        ("failure() && github.event_name == 'push'", "? No"),
        ("github.event.title == 'x'", "? Unknown"),
        ("github.event.pull_request.draft == false", "true"),
        ("github.event.pull_request.draft", ""),
        ("contains(github.event.labels.*.id, 1)", "? Unknown"),
        ("contains(needs.*.result, 'failure')", "? Unknown"),
        ("hashFiles('a')", "? Unknown"),
        ("format('{0}', needs.a.result)", "? Unknown"),
        ("format('{0} && x', needs.a.result)", "? Yes"),
        ("toJSON(github)", "? Unknown"),
        ("fromJSON('nonsense')", "? Unknown"),
        ("format('{1}', 1)", "? Unknown"),
        ("unheard(1)", "? Unknown"),
        ("matrix == github", "false"),
        ("github.event.labels == github.event.labels", "? Unknown"),
    ]);
}

#[test]
fn clues_decide_what_they_can() {
    check(&[
        ("github.ref == 'refs/heads/main'", "false"),
        ("github.ref != 'refs/heads/main'", "true"),
        ("github.ref == 'refs/pull/1/merge'", "? Unknown"),
        ("github.ref == ''", "false"),
        ("startsWith(github.ref, 'refs/tags/')", "false"),
        ("startsWith(github.ref, 'refs/')", "true"),
        ("startsWith(github.ref, 'refs/pull/7')", "? Unknown"),
        ("endsWith(github.ref, '/merge')", "true"),
        ("endsWith(github.ref, '-rc')", "false"),
        ("contains(github.ref, 'x')", "? Unknown"),
        ("github.head == 'O/R'", "false"),
        ("github.head == 'fork/r'", "? Unknown"),
        ("github.ref && true", "true"),
    ]);
}

#[test]
fn what_is_no_expression_is_said_with_its_place() {
    check(&[
        (
            "",
            "the expression ends too early at position 1 of the expression",
        ),
        (
            "a.b ==",
            "the expression ends too early at position 5 of the expression",
        ),
        (
            "a b",
            "something unexpected at position 3 of the expression",
        ),
        (
            "\"x\"",
            "unexpected `\"x\"` at position 1 of the expression",
        ),
        ("a = b", "unexpected `=` at position 3 of the expression"),
        (
            "'x",
            "a text without its closing quote at position 1 of the expression",
        ),
        (
            "a.'b'",
            "something unexpected at position 3 of the expression",
        ),
        ("'a'.b", "unexpected `.b` at position 4 of the expression"),
        (
            "f(1",
            "the expression ends too early at position 3 of the expression",
        ),
        ("1x", "unexpected `1x` at position 1 of the expression"),
    ]);
    assert!(
        Expression::parse("contains('a')").is_err() && Expression::parse("success(1)").is_err()
    );
    let deep = "(".repeat(60) + "1" + &")".repeat(60);
    assert!(
        Expression::parse(&deep)
            .unwrap_err()
            .what
            .contains("levels")
    );
    assert!(Expression::parse(&vec!["1"; 500].join("==")).is_err());
    assert!(Expression::parse(&"!".repeat(30_000)).is_err());
}

#[test]
fn names_of_a_context_are_found_wherever_they_stand() {
    let names = |text: &str| {
        Expression::parse(text)
            .unwrap()
            .properties_of("secrets")
            .join(" ")
    };
    assert_eq!(names("secrets.A == '' || f(Secrets['b'])"), "a b");
    assert_eq!(names("toJSON(secrets)"), "*");
    assert_eq!(names("secrets[format('x')]"), "*");
    assert_eq!(names("github.secrets.x"), "");
}

#[test]
fn a_status_function_is_seen_in_any_spelling_but_not_in_text() {
    let asks = |text: &str| Expression::parse(text).unwrap().asks_status();
    assert!(asks("!Cancelled()") && asks("a && (b || ALWAYS())"));
    assert!(!asks("'always()' == github.x"));
}

#[test]
fn text_is_cut_at_expressions_and_not_inside_their_quotes() {
    use Piece::{Expression as E, Text as T};
    assert_eq!(pieces("a ${{ b }} c"), [T("a "), E("b"), T(" c")]);
    assert_eq!(pieces("${{ '}}' }}x"), [E("'}}'"), T("x")]);
    assert_eq!(pieces("$${{x}}"), [T("$"), E("x")]);
    assert_eq!(pieces("${{ open"), [T("${{ open")]);
    assert_eq!(pieces(""), []);
}

#[test]
fn known_references_are_put_in_and_constants_folded() {
    let lookup = |context: &str, name: &str| match (context, name) {
        ("inputs", "dir") => Some(Reference::Value(Value::text("a'b"))),
        ("inputs", "on") => Some(Reference::Value(Value::Bool(true))),
        ("inputs", "os") => Some(Reference::Expression("matrix.os".into())),
        ("inputs", "slow") => Some(Reference::text_of("matrix.slow")),
        ("inputs", "event") => Some(Reference::text_of("github.event_name")),
        _ => None,
    };
    let check = |text: &str, expected: &str| assert_eq!(fold(text, &lookup), expected);
    check("cd ${{ inputs.dir }} && x", "cd a'b && x");
    check("${{ inputs.on && 'yes' || 'no' }}", "yes");
    check(
        "${{ Inputs['dir'] }}${{ inputs.other }}",
        "a'b${{ inputs.other }}",
    );
    check("${{ inputs.os }}", "${{ matrix.os }}");
    check(
        "${{ github.event.inputs.dir }}",
        "${{ github.event.inputs.dir }}",
    );
    check("${{ hashFiles('x') }}", "${{ hashFiles('x') }}");
    check("${{ not an expression }}", "${{ not an expression }}");
    assert_eq!(
        substitute("inputs.on == true && x.y", &lookup),
        "true == true && x.y"
    );
    assert_eq!(
        substitute("inputs.dir == inputs.os", &lookup),
        "'a''b' == matrix.os"
    );
    // What hands on text alone says so, except where everything becomes text.
    check("${{ inputs.slow }}", "${{ matrix.slow }}");
    check(
        "${{ inputs.slow && 'x' }}",
        "${{ format('{0}', matrix.slow) && 'x' }}",
    );
    check(
        "${{ inputs.event == 'x' }}",
        "${{ github.event_name == 'x' }}",
    );
}

proptest! {
    #[test]
    fn any_text_is_an_expression_or_a_fault(text in "[a-c.()'\\[\\]*!=<>&| 0-9x-]{0,40}") {
        if let Ok(expression) = Expression::parse(&text) {
            expression.evaluate(&scope());
        }
        fold(&format!("${{{{{text}}}}}"), &|_, _| Some(Reference::Value(Value::text("x"))));
    }

    /// Telling more never contradicts what was said before.
    #[test]
    fn a_known_answer_stays_when_more_is_known(
        a in "(true|false|0|'x'|needs\\.a|needs\\.b)",
        b in "(true|false|''|needs\\.a|!needs\\.b)",
        op in "(&&|\\|\\||==|!=|<|>=)",
        first in "(x|)",
        second in any::<bool>(),
    ) {
        let text = format!("({a} {op} {b}) && !({b} || {a}) || contains({a}, {b})");
        let known = Scope::new().with("needs", Value::object([
            ("a", Value::text(&first)),
            ("b", Value::Bool(second)),
        ]));
        let before = condition(&text, &Scope::new());
        prop_assert!(before == Truth::Unknown || before == condition(&text, &known), "{}", text);
    }
}
