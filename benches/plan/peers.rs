//! What other tools take for a comparable answer on the same checkout, warm.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::ensure;

use super::{Options, show};

/// How often a peer is run; once more before, to warm its caches.
const TIMES: usize = 7;

/// Times each peer that was asked for.
pub(crate) fn measure(options: &Options) -> anyhow::Result<()> {
    if let Some(turbo) = &options.turbo {
        let mut command = Command::new(turbo);
        command.args(["run", "build", "--dry=json"]);
        command.env("TURBO_TELEMETRY_DISABLED", "1");
        time("turbo run build --dry=json", command, &options.repo)?;
    }
    if let Some(nx) = &options.nx {
        let mut command = Command::new(nx);
        command.args(["show", "projects", "--affected", "--base=HEAD~1"]);
        // A daemon would stay behind.
        command.env("NX_DAEMON", "false");
        time("nx show projects --affected", command, &options.repo)?;
    }
    if let Some(python) = &options.grimp {
        let text = format!(
            "import grimp; print(len(grimp.build_graph('{}').modules))",
            options.package
        );
        let mut command = Command::new(python);
        command.args(["-c", &text]);
        time("grimp", command, &options.repo)?;
    }
    Ok(())
}

fn time(what: &str, mut command: Command, dir: &Path) -> anyhow::Result<()> {
    command.current_dir(dir).stdin(Stdio::null());
    let mut times = Vec::new();
    for round in 0..=TIMES {
        let begun = Instant::now();
        let output = command.output()?;
        let seconds = begun.elapsed().as_secs_f64();
        ensure!(
            output.status.success(),
            "{what} failed: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        if round > 0 {
            times.push(seconds);
        }
    }
    show(what, &times);
    Ok(())
}
