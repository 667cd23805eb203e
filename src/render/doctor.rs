//! What an examination found, for a terminal and as `trimtab.doctor/1`.
//!
//! On a terminal every finding is one line, with its remedy below. Foreign text is
//! cleaned of what would move a cursor or turn the writing; JSON escapes by itself.

use serde::Serialize;

use super::escape;
use crate::engine::doctor::unverified::{Assumption, assumptions};
use crate::engine::doctor::{Check, Examination, Finding, State};

/// The name of the format.
const SCHEMA: &str = "trimtab.doctor/1";

/// The most letters of one sentence: a check's or a branch's name can be of any length.
const LONGEST: usize = 600;

/// The examination as lines, the last one a sum; then what nobody has verified yet.
pub fn text(found: &Examination) -> String {
    let unverified: String = assumptions().iter().map(assumption).collect();
    format!(
        "{}\n\nNot yet verified on a live forge (docs/unverified.md):\n{unverified}",
        lines(found)
    )
}

/// The same of a checkout, where the forge matters less: what is not verified is counted.
pub fn text_of_checkout(found: &Examination) -> String {
    let open = assumptions().len();
    format!(
        "{}\n{open} assumptions were not yet verified on a live forge: docs/unverified.md, or --format json\n",
        lines(found)
    )
}

fn lines(found: &Examination) -> String {
    let width = Check::ALL.iter().map(|check| check.as_str().len()).max();
    let width = width.unwrap_or(0);
    let line = |it: &Finding| {
        let (state, check) = (it.state.as_str(), it.check.as_str());
        let remedy = it.remedy.as_deref().map_or_else(String::new, |remedy| {
            format!(
                "{:indent$}remedy: {}\n",
                "",
                clean(remedy),
                indent = width + 13
            )
        });
        format!("  {state:7}  {check:width$}  {}\n{remedy}", clean(&it.says))
    };
    let lines: String = found.findings.iter().map(line).collect();
    format!("{}\n{lines}\n{}", clean(&found.subject), sum(found))
}

/// The examination as one JSON object.
///
/// # Errors
/// Never: every field is text or a number.
pub fn json(found: &Examination) -> serde_json::Result<String> {
    let document = Document {
        schema: SCHEMA,
        subject: &found.subject,
        faults: found.count(State::Fault),
        warnings: found.count(State::Warning),
        findings: found.findings.iter().map(row).collect(),
        unverified: assumptions().iter().map(open).collect(),
    };
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

/// `1 fault, 2 warnings, 9 ok`.
pub fn sum(found: &Examination) -> String {
    let many = |state, one: &str| {
        let count = found.count(state);
        let plural = if count == 1 { "" } else { "s" };
        format!("{count} {one}{plural}")
    };
    format!(
        "{}, {}, {} ok",
        many(State::Fault, "fault"),
        many(State::Warning, "warning"),
        found.count(State::Ok)
    )
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    subject: &'a str,
    faults: usize,
    warnings: usize,
    findings: Vec<Row<'a>>,
    unverified: Vec<Open>,
}

#[derive(Serialize)]
struct Row<'a> {
    check: &'static str,
    state: &'static str,
    says: &'a str,
    remedy: Option<&'a str>,
}

#[derive(Serialize)]
struct Open {
    part: &'static str,
    assumed: &'static str,
    otherwise: &'static str,
}

fn row(of: &Finding) -> Row<'_> {
    Row {
        check: of.check.as_str(),
        state: of.state.as_str(),
        says: &of.says,
        remedy: of.remedy.as_deref(),
    }
}

fn open(of: &Assumption) -> Open {
    Open {
        part: of.part,
        assumed: of.assumed,
        otherwise: of.otherwise,
    }
}

fn assumption(of: &Assumption) -> String {
    format!("  {}: {}; if not: {}\n", of.part, of.assumed, of.otherwise)
}

fn clean(text: &str) -> String {
    let printable = |c: &char| !c.is_control() && !escape::is_invisible(*c);
    text.chars().filter(printable).take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found() -> Examination {
        let findings = vec![
            Finding::fault(
                Check::Required,
                "the check `\u{1b}[2J\u{202e}x\ny`",
                "mend\rit",
            ),
            Finding::ok(Check::Clock, "the clocks agree"),
        ];
        Examination::of("acme/shop\n".to_owned(), findings)
    }

    #[test]
    fn lines_are_what_they_say_and_nothing_of_a_name_acts_on_a_terminal() {
        let text = text(&found());
        let (lines, unverified) = text.split_once("\n\nNot yet").unwrap();
        insta::assert_snapshot!(lines, @"
        acme/shop
          ok       clock         the clocks agree
          fault    required      the check `[2Jxy`
                                 remedy: mendit

        1 fault, 0 warnings, 1 ok
        ");
        assert!(unverified.contains("\n  GitHub: Nothing of Trimtab has run as an installed"));
        assert!(!text.contains(['\u{1b}', '\r', '\u{202e}']));
    }

    #[test]
    fn json_has_every_finding_and_its_schema() {
        let text = json(&found()).unwrap();
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["schema"], "trimtab.doctor/1");
        assert_eq!(read["faults"], 1);
        assert_eq!(read["warnings"], 0);
        assert_eq!(read["findings"][0]["check"], "clock");
        assert_eq!(read["findings"][0]["remedy"], serde_json::Value::Null);
        assert_eq!(read["findings"][1]["state"], "fault");
        assert_eq!(read["unverified"][0]["part"], "GitHub");
        assert!(!text.contains('\u{1b}'));
    }
}
