//! What nobody has seen on a live forge yet, as the page of the documents has it.
//!
//! The page itself is in the program, so that the two cannot differ.

/// The page.
const PAGE: &str = include_str!("../../../docs/unverified.md");

/// Something that is assumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assumption {
    /// The part of the page: a forge, or `Deployment`.
    pub part: &'static str,
    /// What is assumed.
    pub assumed: &'static str,
    /// What happens if it is wrong.
    pub otherwise: &'static str,
}

/// Everything that is assumed, in the order of the page.
pub fn assumptions() -> Vec<Assumption> {
    let mut part = "";
    let mut found = Vec::new();
    for line in PAGE.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            part = heading.trim();
        } else if let Some(row) = row(line) {
            found.push(Assumption {
                part,
                assumed: row.0,
                otherwise: row.1,
            });
        }
    }
    found
}

/// The two cells of a row of a table; `None` for its head and for anything else.
fn row(line: &'static str) -> Option<(&'static str, &'static str)> {
    let cells = line.strip_prefix("| ")?.strip_suffix(" |")?;
    let (assumed, otherwise) = cells.split_once(" | ")?;
    (assumed != "what is assumed").then_some((assumed.trim(), otherwise.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_page_is_told() {
        let told = assumptions();
        let rows = PAGE.lines().filter(|line| line.starts_with("| "));
        let heads = PAGE.matches("| what is assumed |").count();
        assert_eq!(told.len(), rows.count() - heads);
        assert!(told.len() >= 10);
        let first = &told[0];
        assert_eq!(first.part, "GitHub");
        assert!(first.assumed.starts_with("Nothing of Trimtab has run"));
        assert!(
            told.iter()
                .all(|it| !it.part.is_empty() && !it.otherwise.is_empty())
        );
    }
}
