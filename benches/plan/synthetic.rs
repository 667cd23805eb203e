//! A workspace of npm packages of a chosen size, with a history, that `trimtab`, turbo
//! and nx can all read: for sizes that no repository at hand has.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::ensure;

/// Files of one package.
const EACH: usize = 50;
/// Commits after the first: nine of ten edit a file, one adds one.
const COMMITS: usize = 40;

const WORKFLOW: &str = "\
on: [push, pull_request]
jobs:
  lint:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v4
      - run: npm ci
      - run: npx eslint packages
";

/// Writes the workspace and its history into a directory that is empty.
pub(crate) fn write(dir: &Path, files: usize) -> anyhow::Result<()> {
    fs::create_dir_all(dir.join(".github/workflows"))?;
    let packages = files.div_ceil(EACH);
    let mut workflow = WORKFLOW.to_owned();
    for number in 0..packages {
        package(dir, number)?;
        // A job for each of the first packages, as a large workspace would group them.
        if number < 12 {
            let job = format!(
                "  test-{number}:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: actions/checkout@v4\n      - run: npm ci\n      - run: npm test --workspace=@w/p{number}\n"
            );
            workflow.push_str(&job);
        }
    }
    fs::write(dir.join(".github/workflows/ci.yml"), workflow)?;
    fs::write(
        dir.join("package.json"),
        r#"{"name":"w","private":true,"packageManager":"npm@10.0.0","workspaces":["packages/*"]}"#,
    )?;
    fs::write(
        dir.join("package-lock.json"),
        r#"{"name":"w","lockfileVersion":3,"requires":true,"packages":{"":{"name":"w","workspaces":["packages/*"]}}}"#,
    )?;
    let build = r#"{"tasks":{"build":{"dependsOn":["^build"]}}}"#;
    fs::write(dir.join("turbo.json"), build)?;
    fs::write(dir.join("nx.json"), "{}")?;
    fs::write(dir.join(".gitignore"), "node_modules\n.nx\n.turbo\n")?;
    git(dir, &["init", "--quiet", "--initial-branch=main", "."])?;
    commit(dir, "Write the workspace")?;
    for number in 0..COMMITS {
        let package = dir.join(format!("packages/p{}/src", number * 7 % packages));
        let text = format!("export const value{number} = {number};\n");
        if number % 10 == 9 {
            fs::write(package.join(format!("added{number}.ts")), text)?;
        } else {
            let path = package.join(format!("m{}.ts", 1 + number % 20));
            let old = fs::read_to_string(&path)?;
            fs::write(path, old + &text)?;
        }
        commit(dir, "Change a file")?;
    }
    Ok(())
}

/// One package: modules that import the one before and another package's first.
fn package(dir: &Path, number: usize) -> anyhow::Result<()> {
    let package = dir.join(format!("packages/p{number}"));
    fs::create_dir_all(package.join("src"))?;
    fs::create_dir_all(package.join("test"))?;
    let other = number / 2;
    let needs = if other < number {
        format!(r#","dependencies":{{"@w/p{other}":"*"}}"#)
    } else {
        String::new()
    };
    let manifest = format!(
        r#"{{"name":"@w/p{number}","version":"1.0.0","main":"src/m0.ts","scripts":{{"build":"tsc -p .","test":"vitest run"}}{needs}}}"#
    );
    fs::write(package.join("package.json"), manifest)?;
    fs::write(package.join("tsconfig.json"), r#"{"include":["src"]}"#)?;
    for module in 0..EACH - 12 {
        let before = module.saturating_sub(1);
        let import = if module == 0 && other < number {
            format!("import {{ value }} from '@w/p{other}';\n")
        } else {
            format!("import {{ value }} from './m{before}';\n")
        };
        let text = format!("{import}export const value{module} = value;\n");
        fs::write(package.join(format!("src/m{module}.ts")), text)?;
    }
    for test in 0..10 {
        let text = format!("import '../src/m{test}';\ntest('m{test}', () => {{}});\n");
        fs::write(package.join(format!("test/m{test}.test.ts")), text)?;
    }
    Ok(())
}

fn commit(dir: &Path, message: &str) -> anyhow::Result<()> {
    git(dir, &["add", "--all"])?;
    git(dir, &["commit", "--quiet", "--message", message])
}

fn git(dir: &Path, words: &[&str]) -> anyhow::Result<()> {
    let identity = [
        "-c",
        "user.name=bench",
        "-c",
        "user.email=bench@example.org",
        "-c",
        "commit.gpgsign=false",
    ];
    let status = Command::new("git")
        .arg("-C")
        .arg(dir)
        .args(identity)
        .args(words)
        .stdin(Stdio::null())
        .status()?;
    ensure!(status.success(), "git {words:?} failed");
    Ok(())
}
