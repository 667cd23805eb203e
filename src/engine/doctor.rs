//! What keeps Trimtab from working on a repository, judged from what was seen of it.
//!
//! Each finding is one sentence with a state, and with a remedy unless all is well. A
//! *fault* means that something does not work, or will stop a pull; a *warning*, that
//! something works worse than it could, or that nobody could look. What was seen is
//! handed in as plain values: [`grants`] judges what the app may do and hear, [`workflows`]
//! what lies in the repository, [`allowed`] which rules are in the way, and [`machine`] what
//! surrounds the server.
//!
//! Nothing here looks at anything by itself, and no finding holds a secret, because none
//! is ever handed in.

pub mod allowed;
pub mod grants;
pub mod machine;
pub mod unverified;
pub mod workflows;

/// How things stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// As it should be.
    Ok,
    /// It works, but worse than it could, or it could not be looked at.
    Warning,
    /// Something does not work, or a pull will be stopped by it.
    Fault,
}

impl State {
    /// The word for it: `ok`, `warning` or `fault`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Fault => "fault",
        }
    }
}

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// Whether the forge answers and takes the app's signature.
    App,
    /// Whether the app is installed on the repository, and not suspended.
    Installation,
    /// What the installation may do.
    Permissions,
    /// What the app is told of.
    Events,
    /// Whether this machine and the forge agree on the time.
    Clock,
    /// Whether the configuration can be read.
    Configuration,
    /// Whether rewritten workflows are what a rewrite would write.
    Rewrite,
    /// Whether the plan job finds a runner.
    Runner,
    /// Whether required checks report.
    Required,
    /// Whether jobs run somewhere else than on pulls.
    Backstop,
    /// Whether a rule keeps the bot's pulls from being opened or tested.
    AllowList,
    /// What else is to be said of a workflow.
    Workflow,
    /// Whether the store opens.
    Store,
    /// Whether there is room for mirrors.
    Mirrors,
}

impl Check {
    /// Every check, in the order in which findings are shown.
    pub const ALL: &[Self] = &[
        Self::App,
        Self::Installation,
        Self::Permissions,
        Self::Events,
        Self::Clock,
        Self::Configuration,
        Self::Rewrite,
        Self::Runner,
        Self::Required,
        Self::Backstop,
        Self::AllowList,
        Self::Workflow,
        Self::Store,
        Self::Mirrors,
    ];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Installation => "installation",
            Self::Permissions => "permissions",
            Self::Events => "events",
            Self::Clock => "clock",
            Self::Configuration => "settings",
            Self::Rewrite => "rewrite",
            Self::Runner => "runner",
            Self::Required => "required",
            Self::Backstop => "backstop",
            Self::AllowList => "allow-list",
            Self::Workflow => "workflow",
            Self::Store => "store",
            Self::Mirrors => "mirrors",
        }
    }
}

/// One thing that was looked at. Its sentences hold foreign text: escape them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// What was looked at.
    pub check: Check,
    /// How it stands.
    pub state: State,
    /// What is so: one sentence, without a full stop.
    pub says: String,
    /// What would mend it; `None` exactly when all is well.
    pub remedy: Option<String>,
}

impl Finding {
    /// All is well.
    pub fn ok(check: Check, says: impl Into<String>) -> Self {
        Self {
            check,
            state: State::Ok,
            says: says.into(),
            remedy: None,
        }
    }

    /// Something could be better.
    pub fn warning(check: Check, says: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            check,
            state: State::Warning,
            says: says.into(),
            remedy: Some(remedy.into()),
        }
    }

    /// Something does not work.
    pub fn fault(check: Check, says: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            check,
            state: State::Fault,
            says: says.into(),
            remedy: Some(remedy.into()),
        }
    }
}

/// Everything that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examination {
    /// What was examined, for people: a repository or a directory.
    pub subject: String,
    /// The findings, sorted by check; within one, the worst first.
    pub findings: Vec<Finding>,
}

impl Examination {
    /// Puts findings in order.
    pub fn of(subject: String, mut findings: Vec<Finding>) -> Self {
        findings.sort_by(|a, b| (a.check, b.state, &a.says).cmp(&(b.check, a.state, &b.says)));
        findings.dedup();
        Self { subject, findings }
    }

    /// How many findings are in a state.
    pub fn count(&self, state: State) -> usize {
        let of_it = self.findings.iter().filter(|it| it.state == state);
        of_it.count()
    }
}

/// A list for a sentence: the first few, and how many more there are.
fn some(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = names.iter().take(SHOWN).map(|name| format!("`{name}`"));
    let shown = shown.collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// `1 job`, `2 jobs`.
fn count(number: usize, one: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {one}{plural}")
}

/// A word of a command that a person may copy into a shell: foreign text stays one word.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// Findings as lines, for tests.
#[cfg(test)]
fn lines(findings: &[Finding]) -> String {
    let line = |it: &Finding| {
        let remedy = it
            .remedy
            .as_deref()
            .map_or_else(String::new, |remedy| format!("\n  -> {remedy}"));
        format!(
            "{} {}: {}{remedy}",
            it.state.as_str(),
            it.check.as_str(),
            it.says
        )
    };
    findings.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_stand_in_the_order_of_checks_with_the_worst_first() {
        let found = Examination::of(
            "acme/shop".to_owned(),
            vec![
                Finding::ok(Check::Store, "opens"),
                Finding::ok(Check::Events, "b"),
                Finding::ok(Check::Events, "a"),
                Finding::fault(Check::Events, "z", "mend it"),
                Finding::warning(Check::Events, "y", "mend it"),
                Finding::ok(Check::Events, "a"),
            ],
        );
        insta::assert_snapshot!(lines(&found.findings), @"
        fault events: z
          -> mend it
        warning events: y
          -> mend it
        ok events: a
        ok events: b
        ok store: opens
        ");
        assert_eq!(found.count(State::Ok), 3);
        assert_eq!(found.count(State::Fault), 1);
    }

    #[test]
    fn checks_are_all_listed_once_and_in_order() {
        let words: Vec<&str> = Check::ALL.iter().map(|check| check.as_str()).collect();
        assert!(Check::ALL.is_sorted());
        let page = include_str!("../../docs/api.md");
        let section = page.split("### Checks of `trimtab doctor`").nth(1).unwrap();
        let section = section.split("\n#").next().unwrap();
        let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
        let listed: Vec<&str> = rows.filter_map(|row| row.split('`').next()).collect();
        assert_eq!(listed, words);
    }

    #[test]
    fn a_name_in_a_command_stays_one_word() {
        assert_eq!(quoted("ubuntu-24.04"), "ubuntu-24.04");
        assert_eq!(quoted("test (3.12)"), "'test (3.12)'");
        assert_eq!(quoted("a'; rm -rf ~ #"), r"'a'\''; rm -rf ~ #'");
        assert_eq!(quoted("$(x)"), "'$(x)'");
    }

    #[test]
    fn long_lists_are_cut() {
        let names: Vec<String> = (1..=7).map(|at| at.to_string()).collect();
        assert_eq!(some(&names), "`1`, `2`, `3`, `4`, `5` and 2 more");
        assert_eq!(some(&names[..2]), "`1`, `2`");
    }
}
