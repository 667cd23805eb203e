//! The fake GitHub announces what happened: signed, recorded, and sent once.

use std::sync::Arc;

use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use trimtab::engine::ids::{ObjectId, PullNumber, RepoKey};
use trimtab::forge::github::payload::{DELIVERY_HEADER, EVENT_HEADER, TARGET_HEADER};
use trimtab::forge::github::signature::{SIGNATURE_HEADER, sign};

use super::json as shapes;
use super::model::{APP, Delivery};
use super::{FakeGithub, Shared};

impl FakeGithub {
    /// Announces a pull with the webhook's word for what happened to it.
    pub(crate) async fn announce_pull(
        &self,
        repo: RepoKey,
        pull: PullNumber,
        login: &str,
        action: &str,
    ) {
        let payload = {
            let mut model = self.state();
            let sender = model.user(login);
            let of = &model.repos[&repo.repo.0];
            let it = &of.pulls[&pull.0];
            let mut payload = shapes::envelope(&model, of.id, sender);
            payload["action"] = action.into();
            payload["number"] = pull.0.into();
            payload["pull_request"] = shapes::pull(&model, of, it);
            payload["label"] = match (action, it.labels.last()) {
                ("labeled" | "unlabeled", Some(name)) => shapes::label(name),
                _ => json!(null),
            };
            payload["changes"] = match action {
                "edited" => json!({"base": {"ref": {"from": "before"}}}),
                _ => json!(null),
            };
            payload
        };
        self.deliver("pull_request", payload).await;
    }

    /// Announces that a branch moved.
    pub(crate) async fn announce_push(
        &self,
        repo: RepoKey,
        login: &str,
        branch: &str,
        (before, after): (ObjectId, ObjectId),
    ) {
        let payload = {
            let mut model = self.state();
            let sender = model.user(login);
            let mut payload = shapes::envelope(&model, repo.repo.0, sender);
            payload["ref"] = format!("refs/heads/{branch}").into();
            payload["before"] = before.to_string().into();
            payload["after"] = after.to_string().into();
            payload
        };
        self.deliver("push", payload).await;
    }

    /// Announces that an installation is new.
    pub(crate) async fn announce_installation(&self, repo: RepoKey, action: &str) {
        let payload = {
            let model = self.state();
            let it = &model.installations[&repo.installation.0];
            let repos = it
                .repos
                .iter()
                .map(|id| shapes::listed_repo(&model, &model.repos[id]));
            json!({
                "action": action,
                "installation": {
                    "id": it.id,
                    "app_id": APP,
                    "account": shapes::user(&model.users[&it.account]),
                    "permissions": shapes::permissions(&it.permissions),
                },
                "repositories": repos.collect::<Vec<_>>(),
                "sender": shapes::user(&model.users[&it.account]),
            })
        };
        self.deliver("installation", payload).await;
    }

    /// Announces that somebody asked for a check again.
    pub(crate) async fn rerequest(&self, repo: RepoKey, head: ObjectId, name: &str, login: &str) {
        let check = self.check(repo, head, name).unwrap();
        let payload = {
            let mut model = self.state();
            let sender = model.user(login);
            let mut payload = shapes::envelope(&model, repo.repo.0, sender);
            payload["action"] = "rerequested".into();
            payload["check_run"] = shapes::check(&check);
            payload
        };
        self.deliver("check_run", payload).await;
    }

    pub(super) async fn announce_comment(&self, id: u64) {
        let payload = {
            let model = self.state();
            let comment = &model.comments[&id];
            let of = &model.repos[&comment.repo];
            let mut payload = shapes::envelope(&model, of.id, comment.author);
            payload["action"] = "created".into();
            payload["issue"] = shapes::issue(&model, of, &of.pulls[&comment.pull]);
            payload["comment"] = shapes::comment(&model, comment);
            payload
        };
        self.deliver("issue_comment", payload).await;
    }

    pub(super) async fn announce_review(&self, id: u64) {
        let payload = {
            let model = self.state();
            let review = &model.reviews[&id];
            let of = &model.repos[&review.repo];
            let mut payload = shapes::envelope(&model, of.id, review.author);
            payload["action"] = "submitted".into();
            payload["pull_request"] = shapes::pull(&model, of, &of.pulls[&review.pull]);
            // Slimmer than in other events.
            payload["pull_request"]
                .as_object_mut()
                .unwrap()
                .remove("merged");
            payload["review"] = shapes::review(&model, review);
            payload
        };
        self.deliver("pull_request_review", payload).await;
    }

    /// Sends any payload, signed.
    pub(crate) async fn deliver(&self, event: &str, payload: Value) {
        let mut delivery = {
            let mut model = self.state();
            let id = model.fresh_id();
            Delivery {
                id,
                guid: format!("00000000-0000-4000-8000-{id:012}"),
                at: self.shared.clock.unix_seconds(),
                redelivery: false,
                status: 0,
                event: event.to_owned(),
                payload,
            }
        };
        delivery.status = self.shared.send(&delivery).await;
        self.state().deliveries.push(delivery);
    }
}

impl Shared {
    /// Sends a recorded delivery once more, under the same guid.
    pub(super) async fn redeliver(self: Arc<Self>, id: u64) {
        let mut delivery = {
            let mut model = self.model();
            let first = model
                .deliveries
                .iter()
                .find(|it| it.id == id)
                .unwrap()
                .clone();
            Delivery {
                id: model.fresh_id(),
                redelivery: true,
                ..first
            }
        };
        delivery.status = self.send(&delivery).await;
        self.model().deliveries.push(delivery);
    }

    /// What the bot answers; zero when it does not.
    async fn send(&self, delivery: &Delivery) -> u16 {
        let bot = self.bot.lock().unwrap().clone();
        let Some(bot) = bot else { return 0 };
        let body = delivery.payload.to_string();
        let request = http::Request::post(bot.as_str())
            .header("content-type", "application/json")
            .header("user-agent", "GitHub-Hookshot/fake")
            .header(EVENT_HEADER, &delivery.event)
            .header(DELIVERY_HEADER, &delivery.guid)
            .header(TARGET_HEADER, APP.to_string())
            .header(
                SIGNATURE_HEADER,
                sign(&FakeGithub::secret(), body.as_bytes()).unwrap(),
            )
            .body(Full::new(axum::body::Bytes::from(body)))
            .unwrap();
        let client = Client::builder(TokioExecutor::new()).build_http();
        let answer = client.request(request).await;
        answer.map_or(0, |answer| answer.status().as_u16())
    }
}
