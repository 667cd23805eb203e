//! Code in documentation, which `cargo test` runs.
//!
//! The lines of such code stand where they stood, so that what is found there has its
//! line. Only what opens files by calls that are known counts: most names in examples name
//! nothing (<https://doc.rust-lang.org/rustdoc/write-documentation/documentation-tests.html>).

/// What may follow the fence of code that runs.
const RUNS: &[&str] = &[
    "",
    "rust",
    "should_panic",
    "standalone_crate",
    "test_harness",
];

/// The code that runs of the documentation in a source; `None` where there is none.
pub(super) fn code(source: &str) -> Option<String> {
    let mut code = String::new();
    let (mut is_open, mut runs) = (false, false);
    for line in source.lines() {
        let line = line.trim_start();
        let text = ["///", "//!"]
            .iter()
            .find_map(|mark| line.strip_prefix(mark));
        if let Some(text) = text.map(str::trim_start) {
            if let Some(info) = text.strip_prefix("```") {
                is_open = !is_open;
                runs = is_open && info.trim().split([',', ' ']).all(is_run);
            } else if runs {
                // A line that is hidden from readers.
                code.push_str(text.strip_prefix("# ").unwrap_or(text));
            }
        } else {
            (is_open, runs) = (false, false);
        }
        code.push('\n');
    }
    (!code.trim().is_empty()).then_some(code)
}

fn is_run(word: &str) -> bool {
    RUNS.contains(&word) || word.starts_with("edition")
}

#[cfg(test)]
mod tests {
    use super::code;

    fn check(source: &str, expected: &str) {
        assert_eq!(code(source).unwrap_or_default().trim_end(), expected);
    }

    #[test]
    fn only_code_that_runs_is_kept_on_its_line() {
        check("/// ```\n/// # a();\n/// ```\nfn f() {}", "\na();");
        check("//! ```rust,should_panic\n//! a();\n//! ```", "\na();");
        for info in ["no_run", "ignore", "text", "toml", "rust,no_run"] {
            check(&format!("/// ```{info}\n/// a();\n/// ```"), "");
        }
        check("// ```\n// a();\n// ```\n/// a();", "");
    }
}
