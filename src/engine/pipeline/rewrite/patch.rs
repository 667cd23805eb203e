//! What changes in a file, as a unified diff: for people, and for `git apply`.
//!
//! The texts stand in it as they are; whoever shows it escapes it.

use similar::TextDiff;

/// The diff that leads from one text of a file to another; empty when they are equal.
pub fn unified(path: &str, before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    TextDiff::from_lines(before, after)
        .unified_diff()
        .header(&format!("a/{path}"), &format!("b/{path}"))
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_have_no_diff() {
        assert_eq!(unified("a.yml", "x\n", "x\n"), "");
        insta::assert_snapshot!(unified("a.yml", "x\ny\n", "x\nz\n"), @r"
        --- a/a.yml
        +++ b/a.yml
        @@ -1,2 +1,2 @@
         x
        -y
        +z
        ");
    }
}
