//! `trimtab rewrite`: makes the workflows of a checkout obey a plan.
//!
//! The files of the checkout are read as they lie there, not as they were committed:
//! what is shown is what would be written. Nothing is written without `--write` or
//! `--undo`, and never over a file that changed meanwhile.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::ValueEnum;

use super::checkout::{Room, branch_name, open_repo, read_history};
use super::plan::clean;
use super::{Failure, Terminal};
use crate::config;
use crate::engine::pipeline::rewrite::document::Document;
use crate::engine::pipeline::rewrite::outlook::CheckRow;
use crate::engine::pipeline::rewrite::patch;
use crate::engine::pipeline::rewrite::repository::{FileRewrite, Rewrites, rewrite_all};
use crate::engine::pipeline::rewrite::{Disposition, Done, Refusal, Settings};

/// Arguments of `trimtab rewrite`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(super) struct Args {
    /// The checkout; a directory inside it will do
    #[arg(long, value_name = "DIR", default_value = ".")]
    repo: PathBuf,
    /// Show what would change, which is the default; with --write or --undo, what was changed
    #[arg(long, conflicts_with = "check")]
    diff: bool,
    /// Write the rewritten workflows
    #[arg(long, group = "what")]
    write: bool,
    /// Change nothing; exit with 4 when a rewrite is stale or was edited by hand
    #[arg(long, group = "what")]
    check: bool,
    /// Take every rewrite back, to the byte
    #[arg(long, group = "what")]
    undo: bool,
    /// What is printed
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// The id of the GitHub App whose check carries the plan [default: as the file has it]
    #[arg(long, value_name = "ID")]
    app_id: Option<std::num::NonZeroU64>,
    /// The `PUBLIC_URL` of the server, which the plan job then asks before it looks at the
    /// check; empty for none [default: as the file has it, or none]
    #[arg(long, value_name = "URL", value_parser = server)]
    server: Option<String>,
    /// The label of the runner that asks for the plan; one that is always there
    /// [default: as the file has it, or ubuntu-latest]
    #[arg(long, value_name = "LABEL", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    runner: Option<String>,
    /// A check that the default branch requires; once for each, `''` when none is. Without
    /// it a job whose checks vanish while it is skipped gets no gate [default: as the file
    /// has it]
    #[arg(long, value_name = "CHECK")]
    required: Vec<String>,
    /// A `trimtab.history/1` file: workflows in which a skip saves less than it costs are
    /// then left alone
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
    /// The branch on which skipped jobs run later [default: the default branch]
    #[arg(long, value_name = "NAME")]
    branch: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  trimtab rewrite                  the change as a diff, and why a job is not gated
  trimtab rewrite --required ok --required 'test (3.12)'   keep these checks reporting
  trimtab rewrite --write --app-id 12345   make it
  trimtab rewrite --check          in CI: is the rewrite what it should be?
  trimtab rewrite --undo --diff    take it back, and show what that changed";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A unified diff, and nothing once files were written; reasons go to standard error
    Text,
    /// One object with `workflows`, each with its diff, and `findings`
    Json,
}

pub(super) fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    let room = Room::in_cache(config::cache_dir().as_deref());
    let repo = open_repo(&args.repo, &room)?;
    let Some(root) = repo.work_dir().map(Path::to_owned) else {
        let message =
            "this repository has no files beside its history; run the command in a checkout";
        return Err(Failure::Expected(message.to_owned()));
    };
    let found = repo.default_branch();
    let Some(branch) = args.branch.as_deref().or(found.as_deref().map(branch_name)) else {
        let message = "the default branch is not known here; name it with --branch";
        return Err(Failure::Expected(message.to_owned()));
    };
    let settings = Settings {
        app_id: args.app_id.map(|id| id.to_string()),
        runner: args.runner.clone(),
        server: args.server.clone(),
        required: required(&args.required),
    };
    let history = args.history.as_deref().map(read_history).transpose()?;
    let rewrites = rewrite_all(&read(&root)?, branch, &settings, history.as_ref());
    let files = &rewrites.files;
    if args.check {
        return check(files, terminal);
    }
    let nobody = |file: &FileRewrite| file.rewrite.text.contains("TRIMTAB_APP_ID: \"\"");
    if args.write && files.iter().any(nobody) {
        let message =
            "--app-id is missing: give the id of the GitHub App whose check will carry the plan";
        return Err(Failure::Expected(message.to_owned()));
    }
    if args.write || args.undo {
        write_all(&root, files, args, terminal)?;
    }
    show(&rewrites, args, terminal)?;
    if args.undo {
        return taken_back(files, terminal);
    }
    Ok(())
}

/// Whether every rewrite could be taken back: what is not certainly ours is left alone.
fn taken_back(files: &[FileRewrite], terminal: &mut Terminal) -> Result<(), Failure> {
    let left = |file: &&FileRewrite| {
        matches!(
            file.rewrite.refused,
            Some(Refusal::Marked | Refusal::Edited)
        )
    };
    let left: Vec<String> = files.iter().filter(left).map(left_alone).collect();
    if !left.is_empty() {
        return Err(Failure::Expected(left.join("\n")));
    }
    match files.iter().filter(|file| file.is_rewritten()).count() {
        0 => terminal.note("no workflow is rewritten, so that there is nothing to take back"),
        1 => terminal.note("1 workflow is again as it was before it was rewritten"),
        many => terminal.note(&format!(
            "{many} workflows are again as they were before they were rewritten"
        )),
    }
    Ok(())
}

/// That a file is left alone, why, and what to do.
fn left_alone(file: &FileRewrite) -> String {
    let why = file.rewrite.refused.as_ref();
    let remedy = why.and_then(Refusal::remedy).unwrap_or_default();
    let why = why.map(|why| clean(&why.to_string())).unwrap_or_default();
    format!("{} is left alone: {why}; {remedy}", clean(&file.path))
}

/// The required checks as they were named; nothing at all means that nobody said.
fn required(named: &[String]) -> Option<Vec<String>> {
    let names = named.iter().map(|name| name.trim());
    let names = names.filter(|name| !name.is_empty());
    (!named.is_empty()).then(|| names.map(str::to_owned).collect())
}

/// An address as audiences are written; it stands in a workflow, so that it is plain.
fn server(text: &str) -> Result<String, String> {
    let text = text.trim_end_matches('/');
    if text.is_empty() {
        return Ok(String::new());
    }
    config::web_address(text)?;
    let odd = |c: char| !(c.is_ascii_alphanumeric() || ".:/-_~[]".contains(c));
    if text.contains(odd) {
        return Err("must be written with letters, digits and `.:/-_~[]` alone".to_owned());
    }
    Ok(text.to_owned())
}

/// What a file becomes.
fn target<'f>(file: &'f FileRewrite, args: &Args) -> &'f str {
    if args.undo {
        &file.rewrite.original
    } else {
        &file.rewrite.text
    }
}

fn write_all(
    root: &Path,
    files: &[FileRewrite],
    args: &Args,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    for file in files {
        let text = target(file, args);
        if text != file.found {
            write(root, file, text)?;
            terminal.note(&format!("wrote {}", clean(&file.path)));
        }
    }
    Ok(())
}

fn show(rewrites: &Rewrites, args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    let files = &rewrites.files;
    let diff = |file: &FileRewrite| diff(&file.path, &file.found, target(file, args));
    match args.format {
        Format::Json => {
            let diffs = files.iter().map(diff).collect();
            let document = Document::of(rewrites, diffs);
            let text =
                serde_json::to_string_pretty(&document).context("write the workflows as JSON")?;
            terminal.answer(&(text + "\n"));
        }
        Format::Text => {
            if args.diff || !(args.write || args.undo) {
                let diffs: Vec<String> = files.iter().map(diff).collect();
                terminal.answer(&diffs.concat());
            }
            if !args.undo {
                reasons(files, terminal);
                backstops(rewrites, terminal);
                outlook(files, terminal);
                findings(rewrites, terminal);
                terminal.note(&summary(files));
            }
        }
    }
    Ok(())
}

/// The files below `.github` that workflows are made of.
pub(super) fn read(root: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let mut found = BTreeMap::new();
    let mut open = vec![".github".to_owned()];
    while let Some(dir) = open.pop() {
        let entries = match std::fs::read_dir(root.join(&dir)) {
            Err(fault) if fault.kind() == ErrorKind::NotFound && dir == ".github" => continue,
            other => other.with_context(|| format!("list {dir}"))?,
        };
        for entry in entries {
            let entry = entry.with_context(|| format!("list {dir}"))?;
            let path = format!("{dir}/{}", entry.file_name().to_string_lossy());
            let kind = entry
                .file_type()
                .with_context(|| format!("look at {path}"))?;
            if kind.is_dir() && path.matches('/').count() < DEEPEST {
                open.push(path);
            } else if kind.is_file() && (path.ends_with(".yml") || path.ends_with(".yaml")) {
                let bytes =
                    std::fs::read(root.join(&path)).with_context(|| format!("read {path}"))?;
                let text = String::from_utf8(bytes).map_err(|fault| {
                    Failure::Expected(format!(
                        "{} is not UTF-8: {fault}; save it as UTF-8",
                        clean(&path)
                    ))
                })?;
                found.insert(path, text);
            }
        }
    }
    Ok(found)
}

/// Directories inside each other that are looked into.
const DEEPEST: usize = 8;

/// Puts a text in place of a file that is still what was read.
fn write(root: &Path, file: &FileRewrite, text: &str) -> Result<(), Failure> {
    let path = root.join(&file.path);
    let now = std::fs::read(&path).with_context(|| format!("read {}", file.path))?;
    if now != file.found.as_bytes() {
        return Err(Failure::Expected(format!(
            "{} changed while it was rewritten; nothing was written to it, run the command again",
            clean(&file.path)
        )));
    }
    let beside = path.with_extension("yml.trimtab-new");
    let written = std::fs::write(&beside, text).and_then(|()| {
        let mode = std::fs::metadata(&path)?.permissions();
        std::fs::set_permissions(&beside, mode)?;
        std::fs::rename(&beside, &path)
    });
    Ok(written.with_context(|| format!("write {}", file.path))?)
}

fn check(files: &[FileRewrite], terminal: &mut Terminal) -> Result<(), Failure> {
    let stale: Vec<String> = files
        .iter()
        .filter(|file| file.is_stale())
        .map(|file| clean(&file.path))
        .collect();
    if stale.is_empty() {
        let any = files.iter().any(FileRewrite::is_rewritten);
        terminal.answer(if any {
            "every rewrite is what it should be\n"
        } else {
            "no workflow is rewritten\n"
        });
        return Ok(());
    }
    Err(Failure::Found(format!(
        "not what `trimtab rewrite --write` would write: {}; run it, or `trimtab rewrite --undo`",
        stale.join(", ")
    )))
}

fn diff(path: &str, found: &str, target: &str) -> String {
    // A path that holds nothing odd is written as it is: the diff can be applied.
    patch::unified(&clean(path), found, target)
}

/// How much is gated, and when that has an effect.
fn summary(files: &[FileRewrite]) -> String {
    let gated = |file: &&FileRewrite| {
        let jobs = file.rewrite.jobs.iter();
        jobs.filter(|job| job.what == Done::Gated).count()
    };
    let jobs: usize = files.iter().map(|file| gated(&file)).sum();
    let workflows = files.iter().filter(|file| gated(file) > 0).count();
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    if files.is_empty() {
        return "there is no workflow in .github/workflows".to_owned();
    }
    if jobs == 0 {
        return "no job can be gated here; the notes above say why, and what would help".to_owned();
    }
    format!(
        "{jobs} job{} of {workflows} workflow{} gated (of {} in all); they are skipped only in the mode `enforce`, once the operator of the server has allowed it",
        plural(jobs),
        plural(workflows),
        files.len()
    )
}

/// Why what is not gated is not.
fn reasons(files: &[FileRewrite], terminal: &mut Terminal) {
    for file in files {
        let path = clean(&file.path);
        if let Some(why) = &file.rewrite.refused {
            let why = clean(&why.to_string());
            terminal.note(&format!("{path} is left alone: {why}"));
        }
        for (what, why, jobs) in by_reason(&file.rewrite.jobs) {
            let are = if jobs.len() == 1 { "is" } else { "are" };
            let what = match what {
                Done::Restated => "not gated, only restated",
                Done::Gated | Done::Left => what.as_str(),
            };
            terminal.note(&format!("{path}: {} {are} {what}: {why}", jobs.join(", ")));
        }
    }
    let mut jobs = files.iter().flat_map(|file| &file.rewrite.jobs);
    if jobs.any(|job| job.what == Done::Restated) {
        terminal.note(
            "of a job that is restated the condition names what it needs, so that a plan job that is lost cannot skip it",
        );
    }
}

/// What was done and why, said once for all jobs of which it holds, in their order.
fn by_reason(jobs: &[Disposition]) -> Vec<(Done, String, Vec<String>)> {
    let mut found: Vec<(Done, String, Vec<String>)> = Vec::new();
    for job in jobs {
        let Some(why) = &job.why else { continue };
        let remedy = why.remedy();
        let remedy = remedy.map_or_else(String::new, |remedy| format!("; {remedy}"));
        let why = format!("{}{remedy}", clean(&why.to_string()));
        let known = found
            .iter_mut()
            .find(|(what, other, _)| (*what, other) == (job.what, &why));
        match known {
            Some((_, _, jobs)) => jobs.push(clean(&job.job)),
            None => found.push((job.what, why, vec![clean(&job.job)])),
        }
    }
    found
}

/// What would give a backstop to jobs that have none; nothing of it is written.
fn backstops(rewrites: &Rewrites, terminal: &mut Terminal) {
    for patch in &rewrites.backstops {
        let jobs: Vec<String> = patch.jobs.iter().map(|job| clean(job)).collect();
        let lines: Vec<String> = patch.diff.lines().map(clean).collect();
        terminal.note(&format!(
            "{}: this patch, which is yours to apply, gives a backstop to {}\n{}",
            clean(&patch.path),
            jobs.join(", "),
            lines.join("\n")
        ));
    }
}

/// How checks report on a pull, before and after: those that are required, and those that
/// a plan can keep from reporting. The JSON has them all.
fn outlook(files: &[FileRewrite], terminal: &mut Terminal) {
    for file in files {
        let rows = file.checks.iter();
        let shown: Vec<&CheckRow> = rows.filter(|row| row.required || row.vanishes()).collect();
        if shown.is_empty() {
            continue;
        }
        terminal.note(&format!(
            "{}: checks on a pull, before | when nothing is skipped | when all is that may be",
            clean(&file.path)
        ));
        for row in shown {
            let mark = if row.required { " (required)" } else { "" };
            terminal.note(&format!(
                "  {}{mark}: {} | {} | {}",
                clean(&row.name),
                row.before.as_str(),
                row.all_run.as_str(),
                row.all_skipped.as_str()
            ));
        }
    }
}

/// Faults beside the rewrite.
fn findings(rewrites: &Rewrites, terminal: &mut Terminal) {
    for finding in &rewrites.findings {
        let place = match (finding.path.as_str(), finding.line) {
            ("", _) => String::new(),
            (path, 0) => format!("{}: ", clean(path)),
            (path, line) => format!("{}:{line}: ", clean(path)),
        };
        terminal.note(&format!(
            "{place}{}; {}",
            clean(&finding.message),
            clean(&finding.remedy)
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::diff;

    #[test]
    fn a_diff_names_its_file_without_escapes() {
        let said = diff("ci/\u{1b}[2J\u{200b}x.yml", "a\n", "b\n");
        insta::assert_snapshot!(said, @r"
        --- a/ci/[2Jx.yml
        +++ b/ci/[2Jx.yml
        @@ -1 +1 @@
        -a
        +b
        ");
    }
}
