//! Seeded faults: does a skip hide anything?
//!
//! `cargo bench --bench faults -- --repo DIR --project FILE.toml [--count N] [--seed N]
//! [--scratch DIR]` seeds one fault at a time into a scratch clone of DIR, plans it as
//! the product does, and runs every command of the project on the tree with the fault,
//! whatever the plan says. Half of the faults are taken from those for which the plan
//! skips a job. A skipped job whose result differs from the clean tree's, twice, is a
//! miss; so is a test outside the computed impact whose outcome differs, twice. One
//! line a fault, one line a miss, and the row of the table in docs/soundness.md.
//!
//! DIR itself is only read: faults are commits in a clone that shares its objects.

#![expect(clippy::print_stdout, reason = "a measurement prints what it measured")]

#[path = "faults/additions.rs"]
mod additions;
#[path = "faults/checkout.rs"]
mod checkout;
#[path = "faults/edits.rs"]
mod edits;
#[path = "faults/measure.rs"]
mod measure;
#[path = "faults/planning.rs"]
mod planning;
#[path = "faults/random.rs"]
mod random;
#[path = "faults/report.rs"]
mod report;
#[path = "faults/seed.rs"]
mod seed;
#[path = "faults/suite.rs"]
mod suite;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use checkout::Checkout;
use measure::Measurement;
use planning::Planner;
use seed::{Edits, Faults};
use suite::{Project, Suite};

const USAGE: &str = "usage: cargo bench --bench faults -- --repo DIR --project FILE.toml [--count N] [--seed N] [--scratch DIR]";

struct Options {
    repo: PathBuf,
    project: PathBuf,
    count: usize,
    seed: u64,
    scratch: PathBuf,
}

fn options() -> anyhow::Result<Options> {
    let (mut repo, mut project, mut scratch) = (None, None, None);
    let (mut count, mut seed) = (200, 1);
    // Cargo adds `--bench` to what it hands over.
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    while let Some(word) = words.next() {
        let mut next = || words.next().context(USAGE);
        match word.as_str() {
            "--repo" => repo = Some(PathBuf::from(next()?)),
            "--project" => project = Some(PathBuf::from(next()?)),
            "--scratch" => scratch = Some(PathBuf::from(next()?)),
            "--count" => count = next()?.parse().context("read --count")?,
            "--seed" => seed = next()?.parse().context("read --seed")?,
            other => bail!("{other} is not known\n{USAGE}"),
        }
    }
    Ok(Options {
        repo: repo.context(USAGE)?,
        project: project.context(USAGE)?,
        count,
        seed,
        scratch: scratch.unwrap_or_else(|| std::env::temp_dir().join("trimtab-faults")),
    })
}

fn main() -> anyhow::Result<ExitCode> {
    let options = options()?;
    let text = std::fs::read_to_string(&options.project).context("read the project")?;
    let project: Project = toml::from_str(&text).context("read the project")?;
    let room = options.scratch.join(project.name.replace('/', "+"));
    std::fs::create_dir_all(&room).context("create the scratch directory")?;
    let checkout = Checkout::open(&options.repo, &room.join("checkout"), &project.keep)?;
    let base = base(&checkout, &project)?;
    checkout.enter(&base)?;
    let files = checkout.files(&base)?;
    let repo = planning::open(&checkout.dir, &room.join("objects"))?;
    let planner = Planner::new(&repo, &base, &project)?;
    let suite = Suite {
        project: &project,
        checkout: &checkout.dir,
        scratch: room,
    };
    println!("{} at {base}, seed {}", project.name, options.seed);
    let mut measurement = Measurement::new(&checkout, &suite, planner, base)?;
    let good = measurement.run(Faults::new(&files, options.seed), options.count)?;
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What faults are seeded into: the revision, with the added pipeline if there is one.
fn base(checkout: &Checkout, project: &Project) -> anyhow::Result<String> {
    let revision = checkout.commit_of(&project.revision)?;
    let Some(pipeline) = &project.pipeline else {
        return Ok(revision);
    };
    let path = ".github/workflows/faults.yml".to_owned();
    checkout.commit(
        &revision,
        &Edits::from([(path, Some(pipeline.clone().into_bytes()))]),
    )
}
