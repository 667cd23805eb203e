//! What people may say to the bot: the first line of a comment.
//!
//! A command is the whole first line: `/trimtab VERB ARGUMENTS`, or on GitLab
//! `@bot VERB ARGUMENTS`, where a leading `/` belongs to quick actions. Text in a
//! quote or in code is never a command, because such a line begins otherwise.
//!
//! Nothing here knows who is speaking: whether they may is asked of the forge.

/// A command that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// What there is to say.
    Help,
    /// Where the pull stands.
    Status,
    /// Compute the plan again.
    Plan,
    /// Explain a job, a test or a file.
    Why(String),
    /// Everything runs, on this head or for the rest of the pull.
    RunAll(Span),
    /// These jobs run on this head: ids or globs.
    Run(Vec<String>),
    /// This job does not run on this head.
    Skip {
        /// Its id in the file.
        job: String,
        /// Why; foreign text.
        reason: String,
    },
    /// Propose the rewrite of the default branch's workflows.
    Rewrite,
    /// Fold the comment to one line.
    Quiet,
    /// Stop planning.
    Pause(Scope),
    /// Plan again.
    Resume(Scope),
}

/// How long a request holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// Until the next push.
    Head,
    /// For the rest of the pull.
    Pull,
}

/// What a pause is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// This pull.
    Pull,
    /// The whole repository.
    Repository,
}

/// A line that was meant for the bot and is no command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotUnderstood {
    /// What was read as the verb or the argument; foreign text.
    pub word: String,
    /// What is wrong with it, in our words.
    pub problem: &'static str,
    /// The closest thing that exists.
    pub meant: Option<&'static str>,
}

/// The verbs with what follows them and what they do, in the order of `help`.
pub const VERBS: &[(&str, &str, &str)] = &[
    ("help", "", "this list"),
    ("status", "", "where the pull stands"),
    ("plan", "", "compute the plan again"),
    (
        "why",
        "JOB|TEST|FILE",
        "the chain of reasons, and what would change it",
    ),
    (
        "run",
        "all [always]",
        "everything runs, on this head or for the rest of the pull",
    ),
    ("run", "JOB[,GLOB]", "these jobs run on this head"),
    (
        "skip",
        "JOB reason=\"...\"",
        "this job is skipped on this head; for maintainers",
    ),
    (
        "rewrite",
        "",
        "a pull that lets plans skip jobs, or its patch; for maintainers",
    ),
    ("quiet", "", "fold the comment to one line"),
    (
        "pause",
        "[repo]",
        "stop planning for the pull, or for the repository",
    ),
    ("resume", "[repo]", "plan again"),
];

/// The longest line that is read as a command, in characters.
const LONGEST: usize = 300;

/// The part of a comment that can be a command, bounded: what the bot remembers of it,
/// to see whether it was changed before it was carried out.
pub fn first_line(body: &str) -> String {
    let line = body.lines().next().unwrap_or_default();
    line.chars().take(LONGEST + 100).collect()
}

/// Reads a comment. `None` when its first line does not speak to the bot;
/// `mention` is the bot's login where it is spoken to by name.
pub fn parse(body: &str, mention: Option<&str>) -> Option<Result<Command, NotUnderstood>> {
    let line = body.lines().next()?.trim_end();
    let (address, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let named = address
        .strip_prefix('@')
        .zip(mention)
        .is_some_and(|(name, bot)| name.eq_ignore_ascii_case(bot));
    if !named && !address.eq_ignore_ascii_case("/trimtab") {
        return None;
    }
    if line.chars().count() > LONGEST {
        return Some(Err(not_understood(
            "",
            "the line is longer than 300 characters",
            None,
        )));
    }
    Some(command(rest.trim()))
}

fn command(text: &str) -> Result<Command, NotUnderstood> {
    let (verb, argument) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let argument = argument.trim();
    let alone = |command: Command| {
        if argument.is_empty() {
            Ok(command)
        } else {
            Err(not_understood(argument, "takes no argument", None))
        }
    };
    match verb.to_ascii_lowercase().as_str() {
        "" | "help" => alone(Command::Help),
        "status" => alone(Command::Status),
        "plan" => alone(Command::Plan),
        "quiet" => alone(Command::Quiet),
        "rewrite" => alone(Command::Rewrite),
        "why" if argument.is_empty() => Err(not_understood(
            verb,
            "needs a job, a test or a file",
            Some("why JOB"),
        )),
        "why" => Ok(Command::Why(argument.trim_matches('`').to_owned())),
        "run" => run(argument),
        "skip" => skip(argument),
        "pause" => scope(argument).map(Command::Pause),
        "resume" => scope(argument).map(Command::Resume),
        other => Err(not_understood(verb, "is no command", closest(other))),
    }
}

fn run(argument: &str) -> Result<Command, NotUnderstood> {
    let words: Vec<String> = argument
        .split_whitespace()
        .map(str::to_ascii_lowercase)
        .collect();
    match words
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        [] => Err(not_understood(
            "run",
            "needs `all`, a job or a glob",
            Some("run all"),
        )),
        ["all"] => Ok(Command::RunAll(Span::Head)),
        ["all", "always"] => Ok(Command::RunAll(Span::Pull)),
        ["all", ..] => Err(not_understood(
            argument,
            "is no way to run all jobs",
            Some("run all always"),
        )),
        _ => {
            let jobs = argument
                .split([',', ' '])
                .map(|job| job.trim_matches('`').to_owned());
            Ok(Command::Run(jobs.filter(|job| !job.is_empty()).collect()))
        }
    }
}

/// The longest reason, in characters.
const REASON: usize = 200;

fn skip(argument: &str) -> Result<Command, NotUnderstood> {
    let meant = Some("skip JOB reason=\"...\"");
    let unclear = |problem| Err(not_understood(argument, problem, meant));
    let (job, rest) = argument
        .split_once(char::is_whitespace)
        .unwrap_or((argument, ""));
    let job = job.trim_matches('`');
    let reason = rest.trim().strip_prefix("reason=\"");
    let reason = reason.and_then(|it| it.strip_suffix('"')).map(str::trim);
    match reason {
        _ if job.is_empty() || job.contains(['*', '?', ',', '[', '=']) => unclear("needs one job"),
        None | Some("") => unclear("needs a reason in quotes"),
        Some(reason) if reason.contains('"') || reason.chars().count() > REASON => {
            unclear("needs a reason of at most 200 characters, without quotes in it")
        }
        Some(reason) => Ok(Command::Skip {
            job: job.to_owned(),
            reason: reason.to_owned(),
        }),
    }
}

fn scope(argument: &str) -> Result<Scope, NotUnderstood> {
    match argument.to_ascii_lowercase().as_str() {
        "" | "pull" => Ok(Scope::Pull),
        "repo" | "repository" => Ok(Scope::Repository),
        _ => Err(not_understood(
            argument,
            "is neither empty nor `repo`",
            Some("pause repo"),
        )),
    }
}

fn not_understood(word: &str, problem: &'static str, meant: Option<&'static str>) -> NotUnderstood {
    NotUnderstood {
        word: word.chars().take(60).collect(),
        problem,
        meant,
    }
}

/// The verb that is at most two edits away.
fn closest(word: &str) -> Option<&'static str> {
    let distances = VERBS
        .iter()
        .map(|(verb, _, _)| (distance(word, verb), *verb));
    distances
        .min()
        .filter(|(distance, _)| *distance <= 2)
        .map(|(_, verb)| verb)
}

/// Levenshtein's edit distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().take(30).enumerate() {
        let mut diagonal = i;
        let mut previous = i + 1;
        for (slot, right) in row.iter_mut().skip(1).zip(&b) {
            let cost = diagonal + usize::from(left != *right);
            diagonal = *slot;
            previous = cost.min(*slot + 1).min(previous + 1);
            *slot = previous;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, expected: &str) {
        let answer = match parse(body, Some("trimtab-bot")) {
            None => "not for us".to_owned(),
            Some(Ok(command)) => format!("{command:?}"),
            Some(Err(fault)) => format!(
                "{:?} {}, meant {:?}",
                fault.word, fault.problem, fault.meant
            ),
        };
        assert_eq!(answer, expected, "{body:?}");
    }

    #[test]
    fn every_verb_is_read_in_any_case() {
        check("/trimtab help", "Help");
        check("/TrimTab STATUS", "Status");
        check("/trimtab", "Help");
        check("/trimtab plan\r\nthanks", "Plan");
        check("/trimtab why `e2e-web`", "Why(\"e2e-web\")");
        check("/trimtab run all", "RunAll(Head)");
        check("/trimtab run ALL always", "RunAll(Pull)");
        check("/trimtab run e2e-*,Unit", "Run([\"e2e-*\", \"Unit\"])");
        check("/trimtab pause repo", "Pause(Repository)");
        check("/trimtab resume", "Resume(Pull)");
        check("@trimtab-bot quiet", "Quiet");
        check("/trimtab rewrite", "Rewrite");
        check(
            "/trimtab skip `e2e` reason=\"only words changed\"",
            "Skip { job: \"e2e\", reason: \"only words changed\" }",
        );
    }

    #[test]
    fn a_skip_needs_one_job_and_a_reason() {
        for line in [
            "skip",
            "skip e2e",
            "skip e2e because",
            "skip e2e reason=",
            "skip e2e reason=\"\"",
            "skip e2e reason=\" \"",
            "skip e2e reason=\"a\"b\"",
            "skip e2e-* reason=\"a\"",
            "skip a,b reason=\"a\"",
            "skip reason=\"a\"",
        ] {
            let parsed = parse(&format!("/trimtab {line}"), None);
            assert!(matches!(parsed, Some(Err(_))), "{line}: {parsed:?}");
        }
    }

    #[test]
    fn quotes_code_and_other_bots_are_not_for_us() {
        for body in [
            "",
            "> /trimtab run all",
            "    /trimtab run all",
            "`/trimtab run all`",
            "please /trimtab run all",
            "/trimtabs run all",
            "@other run all",
            "\n/trimtab run all",
            "```\n/trimtab run all",
        ] {
            check(body, "not for us");
        }
    }

    #[test]
    fn a_slip_of_the_pen_is_answered_with_what_was_meant() {
        check(
            "/trimtab statsu",
            "\"statsu\" is no command, meant Some(\"status\")",
        );
        check("/trimtab merge", "\"merge\" is no command, meant None");
        check(
            "/trimtab run",
            "\"run\" needs `all`, a job or a glob, meant Some(\"run all\")",
        );
        check(
            "/trimtab why",
            "\"why\" needs a job, a test or a file, meant Some(\"why JOB\")",
        );
        check("/trimtab plan now", "\"now\" takes no argument, meant None");
    }

    #[test]
    fn the_distance_counts_edits() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "plan"), 4);
        assert_eq!(distance("plan", "plan"), 0);
    }
}
