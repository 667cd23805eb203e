//! What a finished process took: time, processor and memory.
//!
//! Everything is read from `/proc`, so that no program stands between the clock and
//! the process; the processor time of children that it waited for is counted, their
//! memory is not.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// What one run took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cost {
    /// Seconds on the clock.
    pub(crate) wall: f64,
    /// Seconds of all processors, children included.
    pub(crate) cpu: f64,
    /// The most memory that the process itself held, in MiB.
    pub(crate) peak: f64,
}

/// How often a running process is looked at.
const LOOK: Duration = Duration::from_millis(2);

/// Ticks of a second in `/proc`: the same on every Linux that matters.
const TICKS: f64 = 100.0;

/// Runs a command to its end with its output in a file.
///
/// # Errors
/// It does not start, or does not end well.
pub(crate) fn run(
    command: &mut Command,
    input: Option<&Path>,
    output: &Path,
) -> anyhow::Result<Cost> {
    let shown = format!("{command:?}");
    let input = match input {
        Some(path) => Stdio::from(File::open(path)?),
        None => Stdio::null(),
    };
    let errors = output.with_extension("err");
    command
        .stdin(input)
        .stdout(File::create(output)?)
        .stderr(File::create(&errors)?);
    let begun = Instant::now();
    let mut child = command.spawn().with_context(|| shown.clone())?;
    let place = format!("/proc/{}", child.id());
    let mut cost = Cost::default();
    loop {
        let status = fs::read_to_string(format!("{place}/status"))?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next().map(str::to_owned)
        };
        if let Some(peak) = field("VmHWM:").and_then(|peak| peak.parse::<f64>().ok()) {
            cost.peak = peak / 1024.0;
        }
        if field("State:").as_deref() == Some("Z") {
            break;
        }
        std::thread::sleep(LOOK);
    }
    cost.wall = begun.elapsed().as_secs_f64();
    cost.cpu = processor(&fs::read_to_string(format!("{place}/stat"))?).context("read its time")?;
    if !child.wait()?.success() {
        bail!("{shown} failed: {}", fs::read_to_string(&errors)?);
    }
    Ok(cost)
}

/// User and system time of a process and of its children.
fn processor(stat: &str) -> Option<f64> {
    // The name in brackets may hold anything; the state behind it is the third field.
    let (_, rest) = stat.rsplit_once(") ")?;
    let ticks: Option<Vec<f64>> = rest
        .split(' ')
        .skip(11)
        .take(4)
        .map(|field| field.parse().ok())
        .collect();
    Some(ticks?.iter().sum::<f64>() / TICKS)
}
