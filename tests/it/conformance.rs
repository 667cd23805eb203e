//! GitHub's own examples, from its package `@octokit/webhooks-examples`.
