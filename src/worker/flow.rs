//! The handler of the real tasks: what a use case came to, in the worker's words.
//!
//! What only reads and computes is dropped as soon as it is told to stop; what has
//! begun to speak to people is let finish, so that nothing is said twice.

use async_trait::async_trait;

use super::{Handler, Outcome, Stop};
use crate::flow::run_task::{Ended, Runner};
use crate::store::{Task, TaskKind};

#[async_trait]
impl Handler for Runner {
    async fn handle(&self, task: Task, mut stop: Stop) -> Outcome {
        let running = self.run(&task);
        let ended = if speaks(&task.task) {
            running.await
        } else {
            tokio::select! {
                biased;
                ended = running => ended,
                () = stop.asked() => return Outcome::Stopped,
            }
        };
        match ended {
            Ended::Done(then) => Outcome::Done(then),
            Ended::Failed { error, wait } => Outcome::Failed { error, wait },
            Ended::Hopeless(error) => Outcome::Hopeless(error),
            Ended::Postponed(moment) => Outcome::Postponed(moment),
        }
    }
}

fn speaks(kind: &TaskKind) -> bool {
    matches!(
        kind,
        TaskKind::AnswerCommand { .. }
            | TaskKind::ReportPull { .. }
            | TaskKind::ProposeRewrite { .. }
    )
}
