//! What the reader makes of documents, friendly and hostile.

use proptest::prelude::*;

use super::*;

/// A document on one line: `{key@line:column=value}`.
fn show(node: &Node) -> String {
    let place = format!("@{}:{}", node.line, node.column);
    match &node.value {
        Value::Scalar(scalar) => format!("{:?}{place}", scalar.text),
        Value::Sequence(items) => {
            let items: Vec<String> = items.iter().map(show).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Mapping(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|entry| format!("{}={}", entry.key, show(&entry.value)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

fn check(text: &str, expected: &str) {
    let shown = match parse("f.yml", text) {
        Ok(node) => show(&node),
        Err(faults) => faults
            .iter()
            .map(|fault| format!("{}:{} {}", fault.line, fault.column, fault.message))
            .collect::<Vec<_>>()
            .join("; "),
    };
    assert_eq!(shown, expected, "{text}");
}

#[test]
fn every_value_knows_its_line_and_column() {
    check(
        "a: 1\nb:\n  - x\n  - {c: 'y'}\n",
        r#"{a="1"@1:4, b=["x"@3:5, {c="y"@4:9}]}"#,
    );
    check("ä: ü\n", r#"{ä="ü"@1:4}"#);
    check("\u{feff}a: 1", r#"{a="1"@1:4}"#);
    check("a: 1\r\nb: 2\r\n", r#"{a="1"@1:4, b="2"@2:4}"#);
}

#[test]
fn an_empty_file_is_a_null() {
    for text in ["", "# nothing\n", "---\n", "~"] {
        assert!(parse("f.yml", text).unwrap().is_null(), "{text:?}");
    }
}

#[test]
fn aliases_and_merge_keys_are_resolved() {
    check(
        "a: &x {k: 1}\nb: *x\nc:\n  <<: *x\n  l: 2\n",
        r#"{a={k="1"@1:11}, b={k="1"@1:11}, c={l="2"@5:6, k="1"@1:11}}"#,
    );
    check(
        "x: &x {k: 1, m: 1}\ny: &y {k: 2, n: 2}\nz: {<<: [*y, *x], n: 3}\n",
        r#"{x={k="1"@1:11, m="1"@1:17}, y={k="2"@2:11, n="2"@2:17}, z={n="3"@3:22, k="2"@2:11, m="1"@1:17}}"#,
    );
    check("a: {'<<': 1}", r#"{a={<<="1"@1:11}}"#);
}

#[test]
fn a_block_scalar_begins_on_the_line_after_its_header() {
    let check = |text: &str, expected: &str, line: u32| {
        let root = parse("f.yml", text).unwrap();
        let run = root.get("run").unwrap();
        assert_eq!(
            (run.as_str().unwrap(), run.line),
            (expected, line),
            "{text}"
        );
    };
    check("run: |\n  a\n  b\n", "a\nb\n", 2);
    check("run: |\n\n\n  a\n", "\n\na\n", 2);
    check("run: |\n\n    # b\n    a\n", "\n# b\na\n", 2);
    check("x: 1\nrun: >-  # why\n  a\n  b\n", "a b", 3);
    check("run: >\n\n  a\n\n  b\n", "\na\nb\n", 2);
    check("run: &a |2\n    a\n", "  a\n", 2);
    check("run: &a\n  |\n  a\n", "a\n", 3);
    check("run: |\r\n  a\r\n  b\r\n", "a\nb\n", 2);
    check("run:\n  make x\n", "make x", 2);
}

#[test]
fn a_closing_bracket_may_stand_under_its_key() {
    let text = "m:\n  n: [\n    a,\n  ]\n  o: {\n    b: c\n  }\np: |\n  ]\n";
    check(text, r#"{m={n=["a"@3:5], o={b="c"@6:8}}, p="]\n"@9:3}"#);
    assert!(parse("f.yml", "a:\n    b: 1\n  ]\n").is_err());
}

#[test]
fn duplicate_keys_are_reported_all_at_once() {
    check(
        "a: 1\nb: {c: 1, c: 2}\na: 2\n",
        "2:11 the key `c` stands twice; the first is in line 2; 3:1 the key `a` stands twice; the first is in line 1",
    );
}

#[test]
fn faults_of_grammar_have_a_place() {
    check(
        "a: [1\n",
        "2:1 this is not YAML: while parsing a flow sequence, expected ',' or ']'",
    );
    check(
        "a: *x\n",
        "1:4 this is not YAML: while parsing node, found unknown anchor",
    );
    check(
        "a: &x [*x]\n",
        "1:8 this alias stands inside its own anchor",
    );
    check(
        "? [a]\n: 1\n",
        "1:3 a key must be a word, not a list or a mapping",
    );
    check(
        "a: 1\n---\nb: 1\n",
        "3:1 a second document starts here; this file must hold one",
    );
    check("<<: 1\n", "1:5 `<<` takes a mapping or a list of mappings");
}

#[test]
fn a_bomb_of_aliases_is_refused() {
    let level = |level: usize| {
        let item = if level == 0 {
            "x".to_owned()
        } else {
            format!("*a{}", level - 1)
        };
        format!("a{level}: &a{level} [{}]\n", vec![item; 9].join(", "))
    };
    let text: String = (0..12).map(level).collect();
    let faults = parse("f.yml", &text).unwrap_err();
    assert!(faults[0].message.contains("after its aliases are resolved"));
}

#[test]
fn depth_and_size_are_bounded() {
    let deep = "[".repeat(300) + &"]".repeat(300);
    assert!(parse("f.yml", &deep).is_err());
    let block: String = (0..300).map(|level| " ".repeat(level) + "a:\n").collect();
    let faults = parse("f.yml", &block).unwrap_err();
    assert_eq!(faults[0].message, "more than 100 levels inside each other");
    let limits = Limits {
        bytes: 3,
        ..Limits::default()
    };
    assert!(parse_all("f.yml", "a: 1", limits).is_err());
}

#[test]
fn plain_words_mean_what_the_core_schema_says() {
    let kind = |text: &str| {
        let root = parse("f.yml", &format!("[{text}]")).unwrap();
        format!("{:?}", root.items().unwrap()[0].scalar().unwrap().kind())
    };
    for (text, expected) in [
        ("on", "Text"),
        ("yes", "Text"),
        ("No", "Text"),
        ("true", "Bool(true)"),
        ("FALSE", "Bool(false)"),
        ("tRue", "Text"),
        ("~", "Null"),
        ("NULL", "Null"),
        ("3.10", "Float(3.1)"),
        ("12", "Integer(12)"),
        ("-7", "Integer(-7)"),
        ("+7", "Integer(7)"),
        ("0o17", "Integer(15)"),
        ("0x1F", "Integer(31)"),
        ("017", "Integer(17)"),
        ("1e3", "Float(1000.0)"),
        (".5", "Float(0.5)"),
        ("-.inf", "Float(-inf)"),
        ("1.2.3", "Text"),
        ("1-2", "Text"),
        ("v1", "Text"),
        ("'true'", "Text"),
        ("!!str 12", "Text"),
        ("99999999999999999999", "Float(1e20)"),
    ] {
        assert_eq!(kind(text), expected, "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[ \\n\\t:&*\\-\\[\\]{}|>'\"#,!?%@a-c0-9~<\u{feff}ü]{0,60}") {
        let first = parse("f.yml", &text);
        prop_assert_eq!(first.is_ok(), parse("f.yml", &text).is_ok());
    }
}
