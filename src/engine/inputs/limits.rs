//! What makes a job one that is never skipped, from its definition.
//!
//! A secret alone does not: test jobs carry tokens of services. Only names that
//! belong to deliveries count ([`DELIVERY_SECRETS`]), beside environments and write
//! permissions that a delivery needs.

use super::{JobInputs, Never, Opaque, OpaqueCause, Origin};
use crate::engine::pipeline::{Job, Limit};

/// Parts of names of secrets that deploy, sign or publish.
pub const DELIVERY_SECRETS: &[&str] = &[
    "PUBLISH",
    "DEPLOY",
    "RELEASE",
    "NPM_TOKEN",
    "NODE_AUTH",
    "PYPI",
    "CARGO_REGISTRY",
    "CRATES_IO",
    "AWS_",
    "GCP_",
    "GCLOUD",
    "GOOGLE_CREDENTIALS",
    "AZURE_",
    "DOCKER",
    "REGISTRY",
    "GHCR",
    "SIGN",
    "GPG",
    "KUBE",
    "SSH_KEY",
    "SSH_PRIVATE",
    "PRIVATE_KEY",
    "OSSRH",
    "SONATYPE",
    "MAVEN_",
    "NETLIFY",
    "VERCEL",
    "HEROKU",
    "CLOUDFLARE",
    "FIREBASE",
    "FLY_API",
    "RUBYGEMS",
    "NUGET",
    "HOMEBREW",
    "APPLE_",
];

/// Secrets whose only use is to report.
pub const REPORTERS: &[&str] = &[
    "GITHUB_TOKEN",
    "CODECOV_TOKEN",
    "COVERALLS_REPO_TOKEN",
    "CODACY_PROJECT_TOKEN",
    "CC_TEST_REPORTER_ID",
    "CODSPEED_TOKEN",
    "SLACK_WEBHOOK",
    "SLACK_WEBHOOK_URL",
    "DISCORD_WEBHOOK",
    "NX_CLOUD_ACCESS_TOKEN",
    "TURBO_TOKEN",
    "GRADLE_ENCRYPTION_KEY",
    "DEVELOCITY_ACCESS_KEY",
    "GRADLE_ENTERPRISE_ACCESS_KEY",
];

/// Permissions with which a job changes what others see of the repository.
const WRITES: &[&str] = &[
    "contents",
    "packages",
    "pages",
    "deployments",
    "id-token",
    "attestations",
];

/// Adds what the limits of a job say.
pub(super) fn apply(job: &Job, out: &mut JobInputs) {
    for limit in &job.limits {
        let origin = |what: &str| Origin {
            file: job.file.clone(),
            line: job.line,
            what: what.into(),
        };
        let mut never = |why, what: &str| out.never.push((why, origin(what)));
        match limit {
            Limit::Environment(name) => never(Never::Delivers, &format!("environment {name}")),
            Limit::Writes(scope)
                if WRITES.iter().any(|write| scope.starts_with(write))
                    || &**scope == "write-all" =>
            {
                never(Never::Writes, scope);
            }
            Limit::Reports(what) => never(Never::Reports, what),
            // Comments and checks on the pull itself change no result. The values of a
            // matrix that the run makes are unknown where a command reads them; where they
            // only pick a machine or a version, the steps say what is read.
            Limit::Writes(_) | Limit::DynamicMatrix => {}
            Limit::Secrets(names) => {
                let found = names.iter().find(|name| {
                    let name = name.to_ascii_uppercase();
                    !REPORTERS.contains(&name.as_str())
                        && DELIVERY_SECRETS.iter().any(|part| name.contains(part))
                });
                if let Some(name) = found {
                    never(Never::Writes, &format!("secret {name}"));
                }
            }
            Limit::ForeignCall(what) | Limit::Unreadable(what) => {
                opaque(out, origin(what), what);
            }
            Limit::CallDepth => opaque(
                out,
                origin("uses"),
                "workflows that call each other too deep",
            ),
        }
    }
}

fn opaque(out: &mut JobInputs, origin: Origin, what: &str) {
    let cause = OpaqueCause::Unexpanded(what.into());
    out.opaque.push(Opaque { origin, cause });
}
