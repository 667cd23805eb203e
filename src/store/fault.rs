//! Planned faults: the seam for tests that kill a store between its steps.
//!
//! A server runs with [`NoFaults`]. A crash test hands in its own [`Faults`] that
//! stops at a named point, copies the files as they lie there, and opens the copy:
//! that is what a killed process leaves behind.
//!
//! A fault never decides anything; it only stops.

/// Where one operation of a store stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// It is worked out, and nothing is written.
    Prepared,
    /// It is written, and the disk was not asked to keep it.
    Applied,
    /// It is durable, and the caller does not know yet.
    Flushed,
}

impl Point {
    /// Every point, in the order in which an operation reaches them.
    pub const ALL: [Self; 3] = [Self::Prepared, Self::Applied, Self::Flushed];
}

/// The operation stops here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("planned fault in {operation} at {point:?}")]
pub struct PlannedFault {
    /// The operation.
    pub operation: &'static str,
    /// Where it stood.
    pub point: Point,
}

/// Decides where operations stop.
pub trait Faults: Send + Sync {
    /// Called at every point of every writing operation.
    fn reached(&self, operation: &'static str, point: Point) -> Result<(), PlannedFault>;
}

/// Nothing stops.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFaults;

impl Faults for NoFaults {
    fn reached(&self, _operation: &'static str, _point: Point) -> Result<(), PlannedFault> {
        Ok(())
    }
}
