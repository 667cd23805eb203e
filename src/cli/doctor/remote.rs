//! A repository on the forge, asked about as the app.
//!
//! Each answer is judged on its own. Where one is missing that others rest on, it is said,
//! and what rests on it is left out.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;

use super::super::{Failure, Terminal, admin, plan};
use crate::clock::{Clock, SystemClock};
use crate::config::AppAccess;
use crate::engine::backstop::is_apart;
use crate::engine::doctor::allowed::{self, Actions, Rules};
use crate::engine::doctor::grants::{self, Granted};
use crate::engine::doctor::workflows::{self, RequiredCheck};
use crate::engine::doctor::{Check, Finding, machine};
use crate::engine::history::History;
use crate::engine::history::run::{Attempt, JobRun};
use crate::engine::ids::RepoKey;
use crate::forge::github::{Client, Endpoint, GitHub};
use crate::forge::runs::{PastRuns as _, Window};
use crate::forge::{ForgeError, Repository};
use crate::signer::Signer;

pub(super) fn examine(
    path: &str,
    history: Option<&History>,
    terminal: &mut Terminal,
) -> Result<Vec<Finding>, Failure> {
    if !admin::is_path(path) {
        let shown = plan::clean(path);
        return Err(Failure::Expected(format!("`{shown}` is not OWNER/NAME")));
    }
    let access = AppAccess::from_env().map_err(|fault| {
        let faults = fault.0.join("; ");
        Failure::Expected(format!(
            "a repository on the forge is asked about as the app, and its settings cannot be used: {faults}; docs/operations.md has them, and `trimtab doctor --repo DIR` needs none"
        ))
    })?;
    let app = access.app_id;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("start the runtime")?;
    runtime.block_on(async {
        let forge = forge(access)?;
        let about = About { app, path, history };
        Ok(about.ask(&forge, terminal).await)
    })
}

fn forge(access: AppAccess) -> Result<GitHub, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let endpoint = Endpoint {
        api: access.api_url,
        web: access.web_url,
    };
    let client = Client::new(&endpoint, Arc::clone(&clock)).context("set up GitHub's client")?;
    let issuer = access.app_id.to_string();
    let signer = Signer::new(issuer, &access.private_key, client.clone(), clock);
    let signer = signer.map_err(|error| Failure::Expected(format!("PRIVATE_KEY: {error}")))?;
    Ok(GitHub::new(
        endpoint,
        access.app_id,
        client,
        Arc::new(signer),
    ))
}

/// What is asked about.
struct About<'a> {
    app: u64,
    path: &'a str,
    history: Option<&'a History>,
}

impl About<'_> {
    async fn ask(&self, forge: &GitHub, terminal: &mut Terminal) -> Vec<Finding> {
        terminal.progress("asking who the app is");
        let asked = SystemClock.timestamp();
        let greeting = forge.greeting().await;
        let mut found = Vec::new();
        if greeting.date.is_some() || greeting.app.is_ok() {
            let between = (asked, SystemClock.timestamp());
            found.push(machine::clock(between, greeting.date));
        }
        let app = match greeting.app {
            Ok(app) => app,
            Err(fault) => {
                found.push(no_app(&fault));
                return found;
            }
        };
        found.push(Finding::ok(
            Check::App,
            format!("GitHub knows the app {} by its key", self.app),
        ));
        terminal.progress("asking what was granted");
        let installed = match forge.installed(self.path).await {
            Ok(installed) => installed,
            Err(fault) => {
                found.push(self.not_installed(&fault));
                return found;
            }
        };
        let granted = &installed.granted;
        found.extend(grants::permissions(&app, granted));
        found.extend(grants::events(&app, granted));
        if installed.suspended {
            found.push(Finding::fault(
                Check::Installation,
                format!("the installation on {} is suspended", self.path),
                "an owner of the account lifts it on the page of the installation",
            ));
            return found;
        }
        match forge.repository(installed.id, self.path).await {
            Err(fault) => found.push(silent(Check::Installation, "the repository", &fault)),
            Ok(repository) => {
                found.push(self.reached(&repository));
                found.extend(
                    self.of_repository((forge, terminal), &repository, granted)
                        .await,
                );
            }
        }
        found
    }

    fn not_installed(&self, fault: &ForgeError) -> Finding {
        let path = self.path;
        match fault {
            ForgeError::Missing { .. } => Finding::fault(
                Check::Installation,
                format!("the app is not installed on {path}, or there is no such repository"),
                "install it: the app's page, Install App, and choose the repository",
            ),
            fault => silent(Check::Installation, "the installation", fault),
        }
    }

    fn reached(&self, repository: &Repository) -> Finding {
        let check = Check::Installation;
        let path = &repository.path;
        if repository.archived {
            return Finding::warning(
                check,
                format!("{path} is archived: it takes no checks and no comments"),
                "unarchive it, or take it out of the installation",
            );
        }
        if *path != self.path {
            return Finding::warning(
                check,
                format!("{} is called {path} now", self.path),
                "use the new name; the bot goes by the number and needs nothing",
            );
        }
        Finding::ok(check, format!("the app is installed on {path}"))
    }

    /// What the rules and the files of a repository tell.
    async fn of_repository(
        &self,
        (forge, terminal): (&GitHub, &mut Terminal),
        repository: &Repository,
        granted: &Granted,
    ) -> Vec<Finding> {
        let (key, branch) = (repository.key, &repository.default_branch);
        let mut found = Vec::new();
        if !granted.may("contents", "read") {
            // Both the rules and the files are read with it, and its lack is a fault already.
            return found;
        }
        terminal.progress("asking for rules");
        let required = match forge.required(key, branch).await {
            Ok(required) => Some(required),
            Err(fault) => {
                found.push(silent(Check::Required, "which checks are required", &fault));
                None
            }
        };
        found.extend(allow_lists(forge, key, granted).await);
        terminal.progress("reading the configuration and the workflows");
        match forge.configuration(key, branch).await {
            Err(fault) => found.push(silent(Check::Configuration, "the configuration", &fault)),
            Ok(text) => found.extend(workflows::configuration(text.as_deref())),
        }
        let files = match forge.workflow_files(key, branch).await {
            Ok(files) => files,
            Err(fault) => {
                found.push(silent(Check::Rewrite, "the workflows", &fault));
                return found;
            }
        };
        terminal.progress("reading the last runs");
        let runs = match last_runs(forge, (key, branch), files.keys(), granted).await {
            Ok(runs) => runs,
            Err(fault) => {
                found.push(silent(Check::Backstop, "the last runs", &fault));
                None
            }
        };
        found.extend(workflows::judge(&workflows::Repository {
            files: &files,
            branch,
            app: Some(self.app),
            required: required.as_deref().map(|it: &[RequiredCheck]| it),
            history: self.history,
            runs: runs.as_deref(),
        }));
        found
    }
}

/// How far back runs are looked for.
const RUNS_BACK: Duration = Duration::from_hours(30 * 24);

/// The most pages of runs, of a hundred each, and of each workflow the most runs whose jobs
/// are asked for.
const RUN_PAGES: usize = 3;

/// See [`RUN_PAGES`].
const RUNS_EACH: usize = 3;

/// The newest runs of each workflow that no pull asked for, with their jobs; `None` where
/// the app may not see runs, which is a finding of its own.
async fn last_runs(
    forge: &GitHub,
    (repo, branch): (RepoKey, &str),
    paths: impl Iterator<Item = &String>,
    granted: &Granted,
) -> Result<Option<Vec<(Attempt, Vec<JobRun>)>>, ForgeError> {
    if !granted.may("actions", "read") {
        return Ok(None);
    }
    let to = SystemClock.timestamp();
    let from = to.before(RUNS_BACK);
    let mut listed = Vec::new();
    for page in 1..=RUN_PAGES {
        let window = Window { from, to };
        let found = forge.ended_runs(repo, window, page).await?;
        listed.extend(found.runs);
        if !found.more {
            break;
        }
    }
    listed.sort_by_key(|attempt| std::cmp::Reverse(attempt.updated));
    let mut runs = Vec::new();
    for path in paths {
        let apart = listed.iter().filter(|it| is_apart(it, path, branch));
        for attempt in apart.take(RUNS_EACH) {
            let jobs = forge.jobs(repo, attempt.run, attempt.attempt).await?;
            runs.push((attempt.clone(), jobs));
        }
    }
    Ok(Some(runs))
}

async fn allow_lists(forge: &GitHub, repo: RepoKey, granted: &Granted) -> Vec<Finding> {
    let mut found = Vec::new();
    let may_push = granted.may("contents", "write") && granted.may("workflows", "write");
    let rules = if may_push {
        match forge.rules(repo, allowed::BRANCH).await {
            Ok(kinds) => Rules::Known(kinds),
            Err(fault) => {
                found.push(silent(
                    Check::AllowList,
                    "which rules hold for its branches",
                    &fault,
                ));
                Rules::NotHeard
            }
        }
    } else {
        Rules::NotAsked
    };
    let actions = if granted.may("administration", "read") {
        match forge.actions_rules(repo).await {
            Ok(rules) => Actions::Known {
                enabled: rules.enabled,
                all: rules.all,
            },
            Err(fault) => {
                found.push(silent(
                    Check::AllowList,
                    "which actions may be used",
                    &fault,
                ));
                Actions::NotSeen
            }
        }
    } else {
        Actions::NotSeen
    };
    found.extend(allowed::judge(&rules, actions));
    found
}

fn no_app(fault: &ForgeError) -> Finding {
    let check = Check::App;
    match fault {
        ForgeError::Denied { .. } | ForgeError::Missing { .. } => Finding::fault(
            check,
            "GitHub does not accept what the app signs: the clock is off, or APP_ID and PRIVATE_KEY do not belong together",
            "look at the clock first; the app's page has its id, and makes new keys",
        ),
        fault => silent(check, "the app", fault),
    }
}

/// An answer that did not come.
fn silent(check: Check, what: &str, fault: &ForgeError) -> Finding {
    let remedy = match fault {
        ForgeError::Denied { .. } => "grant what is missing above; if nothing is, run this again",
        ForgeError::Missing { .. } => "look whether it still exists, and run this again",
        ForgeError::Refused { .. } => {
            "look at it on the forge; if nothing is wrong there, report this"
        }
        ForgeError::Throttled { .. } => "run this again later",
        ForgeError::Unavailable { .. } => {
            "look whether GITHUB_URL is right and reachable from this machine, and run this again"
        }
    };
    Finding::fault(check, format!("{what} cannot be read: {fault}"), remedy)
}
