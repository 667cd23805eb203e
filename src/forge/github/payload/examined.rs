//! What GitHub answers about the app, an installation, rules and files.
//!
//! Thin like the other answers: a field that nobody asks for is not here.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::engine::doctor::grants::Granted;
use crate::engine::doctor::workflows::RequiredCheck;
use crate::engine::doctor::workflows::required::Reporter;

/// The app itself. What is not there was not asked for.
#[derive(Deserialize)]
pub(crate) struct AppAnswer {
    #[serde(default)]
    permissions: BTreeMap<String, String>,
    #[serde(default)]
    events: Vec<String>,
}

impl AppAnswer {
    pub(crate) fn granted(self) -> Granted {
        Granted {
            permissions: self.permissions,
            events: self.events.into_iter().collect(),
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct InstalledAnswer {
    pub(crate) id: u64,
    pub(crate) suspended_at: Option<String>,
    #[serde(default)]
    permissions: BTreeMap<String, String>,
    #[serde(default)]
    events: Vec<String>,
}

impl InstalledAnswer {
    pub(crate) fn granted(self) -> Granted {
        Granted {
            permissions: self.permissions,
            events: self.events.into_iter().collect(),
        }
    }
}

/// A rule that holds for a branch.
#[derive(Deserialize)]
pub(crate) struct RuleShape {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    parameters: RuleParameters,
}

#[derive(Deserialize, Default)]
struct RuleParameters {
    #[serde(default)]
    required_status_checks: Vec<RuledCheck>,
}

#[derive(Deserialize)]
struct RuledCheck {
    context: String,
    integration_id: Option<i64>,
}

/// The number of GitHub Actions on github.com; an Enterprise Server has another one, and
/// there a check of its own counts as one of an app that is not known.
const ACTIONS: i64 = 15_368;

/// Who has to report, by the number of an app; a negative one stands for anybody.
fn reporter(app: Option<i64>) -> Reporter {
    match app {
        Some(ACTIONS) => Reporter::Actions,
        Some(app) => u64::try_from(app).map_or(Reporter::Anyone, Reporter::App),
        None => Reporter::Anyone,
    }
}

impl RuleShape {
    pub(crate) fn kind(self) -> String {
        self.kind
    }

    pub(crate) fn required(self) -> Vec<RequiredCheck> {
        let is_it = self.kind == "required_status_checks";
        let checks = self.parameters.required_status_checks.into_iter();
        let checks = checks.filter(|_| is_it).map(|it| RequiredCheck {
            name: it.context,
            by: reporter(it.integration_id),
        });
        checks.collect()
    }
}

/// A branch with its protection.
#[derive(Deserialize)]
pub(crate) struct BranchShape {
    protection: Option<Protection>,
}

#[derive(Deserialize)]
struct Protection {
    required_status_checks: Option<ProtectedChecks>,
}

#[derive(Deserialize)]
struct ProtectedChecks {
    #[serde(default)]
    contexts: Vec<String>,
    #[serde(default)]
    checks: Vec<ProtectedCheck>,
}

#[derive(Deserialize)]
struct ProtectedCheck {
    context: String,
    app_id: Option<i64>,
}

impl BranchShape {
    pub(crate) fn required(self) -> Vec<RequiredCheck> {
        let Some(checks) = self.protection.and_then(|it| it.required_status_checks) else {
            return Vec::new();
        };
        let by_app: BTreeMap<String, Option<i64>> = checks
            .checks
            .into_iter()
            .map(|it| (it.context, it.app_id))
            .collect();
        let names = checks.contexts.into_iter().map(|name| {
            let app = by_app.get(&name).copied().flatten();
            RequiredCheck {
                name,
                by: reporter(app),
            }
        });
        names.collect()
    }
}

#[derive(Deserialize)]
pub(crate) struct ActionsAnswer {
    pub(crate) enabled: bool,
    pub(crate) allowed_actions: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct TreeAnswer {
    pub(crate) tree: Vec<TreeEntry>,
    #[serde(default)]
    pub(crate) truncated: bool,
}

#[derive(Deserialize)]
pub(crate) struct TreeEntry {
    pub(crate) path: String,
    pub(crate) sha: String,
    pub(crate) size: Option<u64>,
    #[serde(rename = "type")]
    kind: String,
    mode: String,
}

impl TreeEntry {
    /// Whether it is the directory of workflows and their like.
    pub(crate) fn is_github(&self) -> bool {
        self.kind == "tree" && self.path == ".github"
    }

    /// Whether it is a file, and no link.
    pub(crate) fn is_file(&self) -> bool {
        self.kind == "blob" && self.mode != "120000"
    }

    /// Whether it is a file that may be a workflow or an action.
    pub(crate) fn is_yaml(&self) -> bool {
        self.is_file() && (self.path.ends_with(".yml") || self.path.ends_with(".yaml"))
    }
}

#[derive(Deserialize)]
pub(crate) struct BlobAnswer {
    pub(crate) content: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expected: &[(&str, Reporter)]) {
        let branch: BranchShape = serde_json::from_str(json).unwrap();
        let found = branch.required().into_iter();
        let found: Vec<_> = found.map(|it| (it.name, it.by)).collect();
        let expected = expected.iter().map(|(name, by)| ((*name).to_owned(), *by));
        assert_eq!(found, expected.collect::<Vec<_>>(), "{json}");
    }

    #[test]
    fn a_check_of_a_protection_may_name_its_app() {
        check("{}", &[]);
        check(r#"{"protection": {"required_status_checks": null}}"#, &[]);
        check(
            r#"{"protection": {"required_status_checks": {"contexts": ["a", "b", "c", "d"], "checks": [
                {"context": "a", "app_id": 15368}, {"context": "b", "app_id": -1},
                {"context": "c", "app_id": 7}, {"context": "d", "app_id": null}]}}}"#,
            &[
                ("a", Reporter::Actions),
                ("b", Reporter::Anyone),
                ("c", Reporter::App(7)),
                ("d", Reporter::Anyone),
            ],
        );
        let older = r#"{"protection": {"required_status_checks": {"contexts": ["a"]}}}"#;
        check(older, &[("a", Reporter::Anyone)]);
    }

    #[test]
    fn a_link_is_no_workflow() {
        let entry = |mode: &str| TreeEntry {
            path: "workflows/ci.yml".to_owned(),
            sha: String::new(),
            size: None,
            kind: "blob".to_owned(),
            mode: mode.to_owned(),
        };
        assert!(entry("100644").is_yaml());
        assert!(!entry("120000").is_yaml());
    }
}
