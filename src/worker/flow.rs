//! The handler of the real tasks, and which of them may be broken off.
//!
//! What only reads and computes is dropped as soon as it is told to stop; what has
//! begun to speak to people is let finish, so that nothing is said twice.

use async_trait::async_trait;

use super::{Handler, Stop};
use crate::flow::run_task::{Ended, Runner};
use crate::store::{Task, TaskKind};

#[async_trait]
impl Handler for Runner {
    async fn handle(&self, task: Task, mut stop: Stop) -> Ended {
        let running = self.run(&task);
        if speaks(&task.task) {
            return running.await;
        }
        tokio::select! {
            biased;
            ended = running => ended,
            () = stop.asked() => Ended::Stopped,
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
