//! The measurement itself: clean tree, faults, comparison.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::ensure;

use crate::checkout::Checkout;
use crate::planning::{Planned, Planner};
use crate::report::Outcomes;
use crate::seed::{Fault, Faults, Kind};
use crate::suite::{Ran, Run, Suite};

/// Candidates are planned until both halves are full, but no more than this many a fault.
const CANDIDATES: usize = 12;

/// Everything that stays the same from fault to fault.
pub(crate) struct Measurement<'a> {
    checkout: &'a Checkout,
    suite: &'a Suite<'a>,
    planner: Planner<'a>,
    base: String,
    /// What each command does on the clean tree.
    clean: Vec<Ran>,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    faults: usize,
    under_skip: usize,
    skipped_jobs: usize,
    noticed: usize,
    tests_changed: usize,
    broken_off: usize,
    flaky: usize,
    missed_jobs: usize,
    missed_tests: usize,
    kinds: BTreeMap<(bool, Kind), usize>,
}

impl<'a> Measurement<'a> {
    /// Runs every command twice on the clean tree, and keeps what was the same.
    pub(crate) fn new(
        checkout: &'a Checkout,
        suite: &'a Suite<'a>,
        planner: Planner<'a>,
        base: String,
    ) -> anyhow::Result<Self> {
        suite.prepare()?;
        let mut clean = Vec::new();
        for run in &suite.project.run {
            let (first, second) = (suite.run(run)?, suite.run(run)?);
            ensure!(
                first.passed && second.passed,
                "on the clean tree fails: {}",
                run.command
            );
            let stable = stable(&first, &second);
            let flaky = first.tests.as_ref().map_or(0, Outcomes::len)
                - stable.as_ref().map_or(0, Outcomes::len);
            let known = stable.as_ref().map_or(0, Outcomes::len);
            println!(
                "clean: {} ({known} tests, {flaky} unsteady): {}",
                run.jobs.join(" "),
                run.command
            );
            clean.push(Ran {
                passed: true,
                tests: stable,
            });
        }
        Ok(Self {
            checkout,
            suite,
            planner,
            base,
            clean,
            counts: Counts::default(),
        })
    }

    /// Seeds, plans, runs and compares; whether nothing was missed.
    pub(crate) fn run(&mut self, mut faults: Faults<'_>, count: usize) -> anyhow::Result<bool> {
        let mut tried = 0;
        while self.counts.faults < count && tried < count * CANDIDATES {
            let Some(fault) = faults.next() else { break };
            tried += 1;
            let commit = self.checkout.commit(&self.base, &fault.edits)?;
            let planned = self.planner.plan(&commit)?;
            let skips = self
                .suite
                .project
                .run
                .iter()
                .filter(|run| planned.skips(run))
                .count();
            if self.is_wanted(fault.kind, skips > 0, (tried, count)) {
                self.try_fault(&fault, &commit, &planned)?;
            }
        }
        self.still_clean()?;
        println!("planned {tried} candidates; {:?}", self.counts.kinds);
        self.print_row();
        Ok(self.counts.missed_jobs + self.counts.missed_tests == 0 && self.counts.faults == count)
    }

    /// Half of the faults lie under a skip, and no kind takes more than its share as
    /// long as there may be others.
    fn is_wanted(&self, kind: Kind, skips: bool, (tried, count): (usize, usize)) -> bool {
        let half = if skips { count.div_ceil(2) } else { count / 2 };
        let have: usize = self.of(skips).values().sum();
        let patience = count * CANDIDATES / 2;
        let share = if tried > patience {
            half
        } else {
            half.div_ceil(8)
        };
        have < half && self.of(skips).get(&kind).is_none_or(|have| *have < share)
    }

    fn of(&self, skips: bool) -> BTreeMap<Kind, usize> {
        let kinds = self.counts.kinds.iter();
        kinds
            .filter(|((under, _), _)| *under == skips)
            .map(|((_, kind), count)| (*kind, *count))
            .collect()
    }

    fn try_fault(&mut self, fault: &Fault, commit: &str, planned: &Planned) -> anyhow::Result<()> {
        self.checkout.enter(commit)?;
        self.suite.prepare()?;
        let runs = &self.suite.project.run;
        let skipped = runs.iter().filter(|run| planned.skips(run)).count();
        let mut noticed = Vec::new();
        for (run, clean) in runs.iter().zip(self.clean.clone()) {
            let ran = self.suite.run(run)?;
            if ran.passed != clean.passed {
                noticed.push(run.jobs.first().map_or("", String::as_str));
            }
            self.compare(fault, planned, run, (&clean, &ran))?;
        }
        let counts = &mut self.counts;
        counts.faults += 1;
        counts.under_skip += usize::from(skipped > 0);
        counts.skipped_jobs += skipped;
        counts.noticed += usize::from(!noticed.is_empty());
        *counts.kinds.entry((skipped > 0, fault.kind)).or_default() += 1;
        println!(
            "{} {:?} {}: {skipped} of {} skipped, changed: {}",
            counts.faults,
            fault.kind,
            fault.what,
            runs.len(),
            if noticed.is_empty() {
                "nothing".to_owned()
            } else {
                noticed.join(" ")
            }
        );
        Ok(())
    }

    fn compare(
        &mut self,
        fault: &Fault,
        planned: &Planned,
        run: &Run,
        (clean, ran): (&Ran, &Ran),
    ) -> anyhow::Result<()> {
        let skips = planned.skips(run);
        let moved = changed_tests(clean, ran);
        self.counts.tests_changed += moved.len();
        self.counts.broken_off += usize::from(clean.tests.is_some() && ran.tests.is_none());
        let outside = self.outside(planned, run, (clean, &moved));
        let is_missed = skips && ran.passed != clean.passed;
        if !is_missed && outside.is_empty() {
            return Ok(());
        }
        // Once more: what is unsteady is no evidence.
        let again = self.suite.run(run)?;
        let still = changed_tests(clean, &again);
        let outside: BTreeSet<_> = outside.intersection(&still).cloned().collect();
        if is_missed && again.passed != clean.passed {
            self.counts.missed_jobs += 1;
            println!(
                "MISSED job {}: {:?} {}",
                run.jobs.join(" "),
                fault.kind,
                fault.what
            );
        } else if is_missed {
            self.counts.flaky += 1;
        }
        for (place, name) in &outside {
            self.counts.missed_tests += 1;
            println!(
                "MISSED test {place} {name}: {:?} {}",
                fault.kind, fault.what
            );
        }
        Ok(())
    }

    /// The tests among these that the fault should not reach.
    fn outside(
        &self,
        planned: &Planned,
        run: &Run,
        (clean, moved): (&Ran, &BTreeSet<(String, String)>),
    ) -> BTreeSet<(String, String)> {
        if moved.is_empty() {
            return BTreeSet::new();
        }
        let tests = clean.tests.iter().flat_map(Outcomes::keys);
        let places: BTreeSet<&str> = tests.map(|(place, _)| place.as_str()).collect();
        match self.planner.reach(planned, run, places.into_iter()) {
            None => BTreeSet::new(),
            Some(reached) => moved
                .iter()
                .filter(|(place, _)| !reached.contains(place))
                .cloned()
                .collect(),
        }
    }

    /// The machine did not change under the measurement. As with a fault, a result that
    /// differs is taken a second time.
    fn still_clean(&self) -> anyhow::Result<()> {
        self.checkout.enter(&self.base)?;
        self.suite.prepare()?;
        for (run, clean) in self.suite.project.run.iter().zip(&self.clean) {
            let mut ran = self.suite.run(run)?;
            if !ran.passed || !changed_tests(clean, &ran).is_empty() {
                ran = self.suite.run(run)?;
            }
            let moved = changed_tests(clean, &ran);
            ensure!(
                ran.passed && moved.is_empty(),
                "the clean tree is clean no more: {} {moved:?}",
                run.command
            );
        }
        Ok(())
    }

    fn print_row(&self) {
        let counts = &self.counts;
        println!(
            "| {} | {} | {} ({} jobs) | {} ({} tests, {} runs broken off, {} unsteady) | {} jobs, {} tests |",
            self.suite.project.name,
            counts.faults,
            counts.under_skip,
            counts.skipped_jobs,
            counts.noticed,
            counts.tests_changed,
            counts.broken_off,
            counts.flaky,
            counts.missed_jobs,
            counts.missed_tests
        );
    }
}

/// What both runs say alike; `None` when one of them says nothing.
fn stable(first: &Ran, second: &Ran) -> Option<Outcomes> {
    let (first, second) = (first.tests.as_ref()?, second.tests.as_ref()?);
    let same = first
        .iter()
        .filter(|(test, outcome)| second.get(test) == Some(outcome));
    Some(
        same.map(|(test, outcome)| (test.clone(), *outcome))
            .collect(),
    )
}

/// The tests of the clean tree that have another outcome, or none; nothing when the
/// run broke off and said nothing of any test.
fn changed_tests(clean: &Ran, ran: &Ran) -> BTreeSet<(String, String)> {
    let (Some(clean), Some(ran)) = (&clean.tests, &ran.tests) else {
        return BTreeSet::new();
    };
    let changed = clean
        .iter()
        .filter(|(test, outcome)| ran.get(test) != Some(outcome));
    changed.map(|(test, _)| test.clone()).collect()
}
