//! `trimtab doctor`: what is well, what is not, and what it says where it cannot look.

use std::process::Output;

use secrecy::ExposeSecret as _;
use serde_json::Value;
use tokio::process::Command;
use trimtab::engine::ids::RepoKey;

use super::super::support::github::key;
use super::super::support::github::model::{APP, Level};
use super::super::support::github::runs::Ran;
use super::super::support::place::{Place, answer};
use super::super::support::process::{PROGRAM, Stage, stop};
use super::super::support::repo::Edit;
use super::{SHOP, WORKFLOW};

const CI: &str = ".github/workflows/ci.yml";

/// What the program said: exit code, standard output, standard error.
fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(!text(&output.stderr).contains("panicked"), "{output:?}");
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

/// The findings alone, without the sum and what is not verified.
fn findings(text: &str) -> String {
    let (found, rest) = text.split_once("\n\n").unwrap();
    assert!(rest.contains("verified on a live forge"), "{rest}");
    let lines = found.lines().skip(1).map(str::trim_end);
    lines.collect::<Vec<_>>().join("\n")
}

/// A checkout with a workflow, and the program in it, away from any server.
struct Checkout(Place);

impl Checkout {
    fn new() -> Self {
        let place = Place::with(&[(CI, WORKFLOW)], &[("README.md", "# Shop\n")]);
        place.git(&["reset", "--quiet", "--hard"]);
        Self(place)
    }

    fn run(&self, args: &[&str]) -> (Option<i32>, String, String) {
        let mut command = self.0.trimtab(args);
        command.env("DATA_DIR", self.0.cache.join("no-server"));
        command.env("GITHUB_API_URL", "http://127.0.0.1:9");
        said(&command.output().unwrap())
    }

    fn rewrite(&self) {
        let args = ["rewrite", "--write", "--app-id", "4711", "--required", ""];
        answer(&self.0.trimtab(&args).output().unwrap());
    }
}

#[test]
fn a_checkout_is_examined_without_an_account() {
    let checkout = Checkout::new();
    let (code, text, _) = checkout.run(&["doctor"]);
    assert_eq!(code, Some(0), "{text}");
    let data = checkout.0.cache.join("no-server").display().to_string();
    insta::assert_snapshot!(findings(&text).replace(&data, "DATA_DIR"), @"
    ok       settings      there is no .trimtab.yml, so that the defaults hold
    ok       rewrite       no workflow is rewritten, so that every job runs
    ok       runner        the plan job would ask for `ubuntu-latest`, and other jobs here run on GitHub's runners too
    ok       backstop      every job of a pull runs somewhere else too
    ok       store         no server has kept anything in DATA_DIR of this machine
    ");
    checkout.rewrite();
    let (code, text, _) = checkout.run(&["doctor", "--repo", "."]);
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("1 workflow is rewritten, as a rewrite would do it today"),
        "{text}"
    );
}

#[test]
fn a_rewrite_that_was_edited_is_a_fault() {
    let checkout = Checkout::new();
    checkout.rewrite();
    let path = checkout.0.dir.join(CI);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(
        &path,
        text.replacen("timeout-minutes: 3", "timeout-minutes: 99", 1),
    )
    .unwrap();
    let (code, text, error) = checkout.run(&["doctor"]);
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("  fault    rewrite"), "{text}");
    assert!(
        text.contains("does not hold the rewrite that it would get today"),
        "{text}"
    );
    assert!(
        text.contains("remedy: `trimtab rewrite --diff` shows"),
        "{text}"
    );
    assert_eq!(
        error,
        "trimtab: there is a fault; its remedy stands above\n"
    );
    let (code, json, _) = checkout.run(&["doctor", "--format", "json"]);
    assert_eq!(code, Some(4));
    let read: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(read["schema"], "trimtab.doctor/1");
    assert_eq!(read["faults"], 1);
    assert_eq!(read["findings"][0]["check"], "settings");
    assert_eq!(read["findings"][1]["check"], "rewrite");
    assert_eq!(read["findings"][1]["state"], "fault");
    assert!(read["unverified"].as_array().unwrap().len() > 10);
}

#[test]
fn names_in_files_do_not_act_on_a_terminal() {
    let checkout = Checkout::new();
    let odd =
        "on: pull_request\njobs:\n  a:\n    runs-on: \"x\\e[2J\\u202e\"\n    steps: [{run: a}]\n";
    std::fs::write(
        checkout.0.dir.join(".github/workflows/odd\u{1b}[2J.yml"),
        odd,
    )
    .unwrap();
    let (code, text, _) = checkout.run(&["doctor"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("odd[2J.yml"), "{text}");
    assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
}

#[test]
fn what_cannot_be_looked_at_is_one_sentence() {
    let checkout = Checkout::new();
    let nowhere = tempfile::tempdir().unwrap();
    let nowhere = nowhere.path().to_str().unwrap();
    let cases: [(&[&str], &str); 5] = [
        (
            &["doctor", "--repo", nowhere],
            "is not inside a git repository",
        ),
        (&["doctor", "acme"], "`acme` is not OWNER/NAME"),
        (&["doctor", "acme/shop"], "APP_ID must be set"),
        (&["doctor", "acme/shop"], "PRIVATE_KEY must be set"),
        (
            &["doctor", "--history", "none.json"],
            "cannot read the history",
        ),
    ];
    for (args, expected) in cases {
        let (code, text, error) = checkout.run(args);
        assert_eq!(code, Some(3), "{args:?}: {error}");
        assert!(error.contains(expected), "{args:?}: {error}");
        assert_eq!(error.lines().count(), 1, "{args:?}: {error}");
        assert_eq!(text, "");
    }
    let both = ["doctor", "acme/shop", "--repo", "."];
    assert_eq!(checkout.run(&both).0, Some(2));
}

/// A forge with a shop, and nobody who serves.
async fn stage() -> (Stage, RepoKey) {
    let stage = Stage::set().await;
    let repo = stage.github.add_repo("acme/shop", SHOP);
    (stage, repo)
}

async fn ask_with(stage: &Stage, args: &[&str], secret: &str) -> (Option<i32>, String, String) {
    let endpoint = stage.github.endpoint();
    let mut command = Command::new(PROGRAM);
    command
        .arg("doctor")
        .args(args)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("XDG_CACHE_HOME", stage.data.path().join("cache"))
        .env("DATA_DIR", stage.data.path())
        .env("GITHUB_URL", endpoint.web.as_str())
        .env("GITHUB_API_URL", endpoint.api.as_str())
        .env("APP_ID", APP.to_string())
        .env("PRIVATE_KEY", secret)
        .kill_on_drop(true);
    let told = said(&command.output().await.unwrap());
    for secret in ["ghs_", "eyJ", "BEGIN", "Bearer"] {
        assert!(
            !told.1.contains(secret) && !told.2.contains(secret),
            "{told:?}"
        );
    }
    told
}

/// Exit code and findings about the shop, without what depends on this machine's disk.
async fn ask(stage: &Stage) -> (Option<i32>, String) {
    let key = key::private();
    let (code, text, error) = ask_with(stage, &["acme/shop"], key.expose_secret()).await;
    assert!(!text.is_empty(), "{error}");
    let data = stage.data.path().display().to_string();
    let found = findings(&text).replace(&data, "DATA_DIR");
    let is_of_disk = |line: &&str| line.contains(" mirrors ") || line.contains("the volume more");
    let lines = found.lines().filter(|line| !is_of_disk(line));
    (code, lines.collect::<Vec<_>>().join("\n"))
}

/// How the fake forge tells what nobody may have done to it.
fn only_read(stage: &Stage) {
    let wrote = stage
        .github
        .requests()
        .into_iter()
        .filter(|line| !line.starts_with("GET ") && !line.contains("/access_tokens"));
    assert_eq!(wrote.collect::<Vec<_>>(), Vec::<String>::new());
}

#[tokio::test]
async fn an_installation_that_is_well_has_no_fault_and_nothing_is_written() {
    let (stage, repo) = stage().await;
    {
        let mut state = stage.github.state();
        let of = state.repos.get_mut(&repo.repo.0).unwrap();
        of.required = [vec!["test".to_owned()], vec!["docs".to_owned()]];
    }
    push_run(&stage, repo, ["success", "success"]);
    let (code, found) = ask(&stage).await;
    assert_eq!(code, Some(0), "{found}");
    insta::assert_snapshot!(found, @"
    ok       app           GitHub knows the app 4711 by its key
    ok       installation  the app is installed on acme/shop
    ok       permissions   everything that Trimtab needs is granted
    ok       permissions   the bot may not push, and gives a rewrite as a patch; with `contents: write` and `workflows: write` it could open a pull
    ok       events        everything that Trimtab reads is sent
    ok       clock         the clock of this machine and GitHub's agree
    ok       settings      .trimtab.yml can be read
    ok       rewrite       no workflow is rewritten, so that every job runs
    ok       runner        the plan job would ask for `ubuntu-latest`, and other jobs here run on GitHub's runners too
    ok       required      2 checks that main requires can report, whatever a plan says: `docs`, `test`
    ok       backstop      every job of a pull runs somewhere else too, and was seen to
    ok       allow-list    an app cannot see who may start workflows, nor without `administration: read` which actions are allowed; the jobs that a rewrite adds use none
    ok       allow-list    the bot opens no pulls here, so that no rule can block them
    ok       store         no server has kept anything in DATA_DIR of this machine
    ");
    only_read(&stage);
    stage.github.finish();
}

/// A run of a push to main, in which `test` and `docs` ended so.
fn push_run(stage: &Stage, repo: RepoKey, [test, docs]: [&str; 2]) {
    let run = stage.github.start_push_run(repo, CI, "main");
    let jobs = [Ran("test", test, 90), Ran("docs", docs, 30)];
    stage.github.end_run(repo, run, &jobs);
}

#[tokio::test]
async fn a_backstop_that_never_comes_is_told() {
    let (stage, repo) = stage().await;
    push_run(&stage, repo, ["success", "skipped"]);
    push_run(&stage, repo, ["failure", "skipped"]);
    let (code, found) = ask(&stage).await;
    assert_eq!(code, Some(0), "{found}");
    let words = "1 job of .github/workflows/ci.yml ended in none of its last 2 runs apart from pulls: `docs`";
    assert!(found.contains(words), "{found}");
    only_read(&stage);
    stage.github.finish();
}

#[tokio::test]
async fn what_is_not_granted_or_sent_is_a_fault_with_the_place_to_mend_it() {
    let (stage, repo) = stage().await;
    {
        let mut state = stage.github.state();
        let of = state.installations.get_mut(&repo.installation.0).unwrap();
        of.permissions.remove("checks");
        of.permissions.insert("issues".to_owned(), Level::Write);
        of.permissions
            .insert("administration".to_owned(), Level::Read);
        of.unheard = ["push", "check_run"].into();
        state.repos.get_mut(&repo.repo.0).unwrap().actions_enabled = false;
    }
    let (code, found) = ask(&stage).await;
    assert_eq!(code, Some(4), "{found}");
    for expected in [
        "fault    permissions   `checks: write` is not granted; it is needed to write the checks",
        "remedy: the app asks for it: an owner of the account approves `checks: write`",
        "warning  permissions   granted and never used: `issues: write`",
        "fault    events        `push` is not sent",
        "warning  events        `check_run` is not sent",
        "fault    allow-list    GitHub Actions is switched off",
    ] {
        assert!(found.contains(expected), "{expected}\n{found}");
    }
    stage.github.finish();
}

#[tokio::test]
async fn a_required_check_that_never_comes_and_rules_in_the_way_are_told() {
    let (stage, repo) = stage().await;
    {
        let mut state = stage.github.state();
        let of = state.repos.get_mut(&repo.repo.0).unwrap();
        of.required = [vec!["tset\u{1b}[2J".to_owned()], vec!["DCO".to_owned()]];
        of.rules = vec!["creation"];
        let of = state.installations.get_mut(&repo.installation.0).unwrap();
        of.permissions.insert("contents".to_owned(), Level::Write);
        of.permissions.insert("workflows".to_owned(), Level::Write);
    }
    let (code, found) = ask(&stage).await;
    assert_eq!(code, Some(4), "{found}");
    for expected in [
        "fault    required      the check `tset[2J` is required of GitHub Actions, and no workflow here reports it",
        "warning  required      the check `DCO` is required, and no workflow here reports it",
        "warning  allow-list    rules say who may create branches, that checks pass first, and may",
        "ok       permissions   the bot may propose a rewrite as a pull",
    ] {
        assert!(found.contains(expected), "{expected}\n{found}");
    }
    stage.github.finish();
}

#[tokio::test]
async fn a_rewrite_on_the_default_branch_is_held_against_what_is_required_now() {
    let checkout = Checkout::new();
    checkout.rewrite();
    let gated = std::fs::read_to_string(checkout.0.dir.join(CI)).unwrap();
    let (stage, repo) = stage().await;
    let push = async |text: &str| {
        let edits = [Edit::Write(CI, text)];
        stage.github.connect(None);
        stage
            .github
            .push_branch(repo, ("ann", "main"), &edits)
            .await;
        ask(&stage).await
    };
    let (code, found) = push(&gated).await;
    assert_eq!(code, Some(0), "{found}");
    assert!(
        found.contains("1 workflow is rewritten, as a rewrite would do it today"),
        "{found}"
    );
    let other = gated.replace("TRIMTAB_APP_ID: \"4711\"", "TRIMTAB_APP_ID: \"12\"");
    let (code, found) = push(&other).await;
    assert_eq!(code, Some(4), "{found}");
    assert!(
        found.contains("looks for plans of the app `12`, and this is 4711"),
        "{found}"
    );
    let sum = "trimtab ok / CI".to_owned();
    {
        let mut state = stage.github.state();
        state.repos.get_mut(&repo.repo.0).unwrap().required[0] = vec![sum];
    }
    let (code, found) = push(&gated).await;
    assert_eq!(code, Some(4), "{found}");
    assert!(
        found.contains("no workflow has the job that reports it"),
        "{found}"
    );
    stage.github.finish();
}

#[tokio::test]
async fn faults_of_the_configuration_on_the_default_branch_are_told() {
    let (stage, repo) = stage().await;
    stage.github.connect(None);
    let push = async |edit: Edit<'_>| {
        let edits = [edit];
        stage
            .github
            .push_branch(repo, ("ann", "main"), &edits)
            .await;
        ask(&stage).await
    };
    let (code, found) = push(Edit::Write(".trimtab.yml", "mode: advise\nholdout: 300\n")).await;
    assert_eq!(code, Some(4), "{found}");
    let fault = "fault    settings      .trimtab.yml:2: `300`: this must be a whole number from 0 to 100; until that is mended everything runs";
    assert!(found.contains(fault), "{found}");
    let (code, found) = push(Edit::Remove(".trimtab.yml")).await;
    assert_eq!(code, Some(0), "{found}");
    let none = "ok       settings      there is no .trimtab.yml, so that the defaults hold";
    assert!(found.contains(none), "{found}");
    stage.github.finish();
}

#[tokio::test]
async fn a_clock_that_is_off_is_told_even_when_nothing_else_can_be() {
    let (stage, _) = stage().await;
    stage.github.state().ahead = 300;
    let (code, found) = ask(&stage).await;
    assert_eq!(code, Some(4), "{found}");
    assert!(
        found.contains("fault    clock         the clock of this machine is "),
        "{found}"
    );
    assert!(found.contains("s behind GitHub's"), "{found}");
    assert!(found.contains("ok       permissions"), "{found}");
    stage.github.state().ahead = -300;
    let (code, found) = ask(&stage).await;
    assert_eq!(code, Some(4), "{found}");
    assert!(found.contains("s ahead of GitHub's"), "{found}");
    assert!(
        found.contains("fault    app           GitHub does not accept what the app signs"),
        "{found}"
    );
    assert!(!found.contains("permissions"), "{found}");
    stage.github.finish();
}

#[tokio::test]
async fn an_installation_that_is_not_there_or_suspended_is_said() {
    let (stage, repo) = stage().await;
    let secret = key::private();
    let (code, text, _) = ask_with(&stage, &["acme/other"], secret.expose_secret()).await;
    assert_eq!(code, Some(4), "{text}");
    assert!(
        text.contains("the app is not installed on acme/other"),
        "{text}"
    );
    let (code, text, error) = ask_with(&stage, &["acme/shop"], "no key").await;
    assert_eq!((code, text), (Some(3), String::new()), "{error}");
    assert!(error.contains("PRIVATE_KEY must be the text"), "{error}");
    {
        let mut state = stage.github.state();
        state
            .installations
            .get_mut(&repo.installation.0)
            .unwrap()
            .suspended = true;
    }
    let (code, found) = ask(&stage).await;
    assert_eq!(code, Some(4), "{found}");
    assert!(
        found.contains("the installation on acme/shop is suspended"),
        "{found}"
    );
    stage.github.finish();
}

#[tokio::test]
async fn a_forge_that_fails_half_way_hides_nothing_else() {
    use super::super::support::github::model::FaultKind;
    let (stage, _) = stage().await;
    stage
        .github
        .fail_next("/rules/branches", FaultKind::Answer(500, Vec::new()));
    let (code, found) = ask(&stage).await;
    assert_eq!(code, Some(4), "{found}");
    assert!(
        found.contains("which checks are required cannot be read: the forge did not answer"),
        "{found}"
    );
    assert!(
        found.contains("backstop      .github/workflows/ci.yml should run apart from pulls"),
        "{found}"
    );
    stage.github.finish();
}

#[tokio::test]
async fn the_store_is_looked_at_and_a_running_server_is_asked() {
    let (stage, _) = stage().await;
    let server = stage.serve().await;
    let (_, found) = ask(&stage).await;
    assert!(
        found.contains("a running server holds the store in DATA_DIR, and answers"),
        "{found}"
    );
    stop(server).await;
    let (_, found) = ask(&stage).await;
    assert!(
        found.contains("the store in DATA_DIR opens and has "),
        "{found}"
    );
    // Every row lies in files of which one is cut off.
    let newest = stage.data.path().join("store/trimtab-store");
    assert!(newest.exists());
    let store = stage.data.path().join("store");
    std::fs::write(store.join("db"), b"").unwrap();
    let before = std::fs::read_dir(stage.data.path()).unwrap().count();
    let (code, found) = ask(&stage).await;
    assert_eq!(code, Some(4), "{found}");
    assert!(
        found.contains("fault    store         the store in DATA_DIR is damaged"),
        "{found}"
    );
    let after = std::fs::read_dir(stage.data.path()).unwrap().count();
    assert_eq!(before, after, "nothing was set aside");
    stage.github.finish();
}
