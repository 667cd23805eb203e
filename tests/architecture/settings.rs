//! The files around the code: dependencies, the forge's manifest, our workflow.
//!
//! They are compared as text with the rules that SECURITY.md and CONTRIBUTING.md
//! give; a pinned action, a bounded lock and a reasoned permission stay so.

use super::source::{none, read};

/// The lock may grow to this many packages; builds are slow.
const MAX_PACKAGES: usize = 360;

/// Each permission of the default manifest, and no other, with its level.
const PERMISSIONS: &[(&str, &str)] = &[
    ("metadata", "read"),
    ("contents", "read"),
    ("pull_requests", "write"),
    ("checks", "write"),
    ("actions", "read"),
    ("merge_queues", "read"),
];

fn lock_faults(lock: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let count = lock.matches("[[package]]").count();
    if count > MAX_PACKAGES {
        faults.push(format!(
            "Cargo.lock: {count} packages, {MAX_PACKAGES} at most"
        ));
    }
    let registry = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
    for line in lock.lines().filter(|line| line.starts_with("source = ")) {
        if line != registry {
            faults.push(format!("Cargo.lock: {line}: only the default registry"));
        }
    }
    faults
}

/// Every `uses:` names a full commit with the version beside it, no job starts
/// with a permission that it does not ask for, no credential stays on disk.
fn workflow_faults(text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (line, code) in (1..).zip(text.lines()) {
        let Some((_, reference)) = code.split_once("uses: ") else {
            continue;
        };
        let (name, version) = reference.split_once(" # ").unwrap_or((reference, ""));
        let (_, commit) = name.split_once('@').unwrap_or((name, ""));
        if commit.len() != 40 || !commit.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            faults.push(format!("line {line}: `{name}` is not pinned to a commit"));
        }
        if !version.starts_with('v') {
            faults.push(format!("line {line}: `{name}` does not say its version"));
        }
    }
    if !text.lines().any(|line| line == "permissions: {}") {
        faults.push("no `permissions: {}` at the top".to_owned());
    }
    let checkouts = text.matches("uses: actions/checkout@").count();
    if text.matches("persist-credentials: false").count() != checkouts {
        faults.push("a checkout leaves credentials on disk".to_owned());
    }
    faults
}

/// The entries of a block of a flat YAML file: key, value, comment.
fn block<'a>(text: &'a str, key: &str) -> Vec<(&'a str, &'a str, &'a str)> {
    let start = format!("{key}:");
    text.lines()
        .skip_while(|line| line.trim_end() != start)
        .skip(1)
        .take_while(|line| line.starts_with(' ') || line.is_empty())
        .filter(|line| !line.trim_start().starts_with('#') && !line.is_empty())
        .map(|line| {
            let (entry, comment) = line.split_once(" # ").unwrap_or((line, ""));
            let entry = entry.trim().trim_start_matches("- ");
            let (key, value) = entry.split_once(": ").unwrap_or((entry, ""));
            (key, value, comment.trim())
        })
        .collect()
}

fn manifest_faults(text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let permissions = block(text, "default_permissions");
    let found: Vec<_> = permissions
        .iter()
        .map(|(key, value, _)| (*key, *value))
        .collect();
    if found != PERMISSIONS {
        faults.push(format!(
            "permissions are {found:?}, and not {PERMISSIONS:?}"
        ));
    }
    for (key, _, reason) in permissions.iter().chain(&block(text, "default_events")) {
        if reason.is_empty() {
            faults.push(format!("`{key}` gives no reason"));
        }
    }
    faults
}

#[test]
fn the_lock_is_bounded_and_from_one_registry() {
    none(&lock_faults(&read("Cargo.lock")));
}

#[test]
fn our_workflow_pins_and_restrains() {
    none(&workflow_faults(&read(".github/workflows/ci.yml")));
}

#[test]
fn every_permission_of_the_app_has_a_reason() {
    none(&manifest_faults(&read("app-manifest.yml")));
}

#[test]
fn an_image_holds_no_secret_and_no_root() {
    let dockerfile = read("Dockerfile");
    let last_user = dockerfile.lines().rfind(|line| line.starts_with("USER "));
    assert!(
        last_user.is_some_and(|line| line != "USER root"),
        "{last_user:?}"
    );
    for word in ["SECRET", "PRIVATE_KEY", "TOKEN", "--build-arg"] {
        assert!(!dockerfile.contains(word), "{word}");
    }
}

#[test]
fn a_swollen_or_foreign_lock_is_seen() {
    let package =
        "[[package]]\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n";
    assert_eq!(lock_faults(&package.repeat(360)).len(), 0);
    assert_eq!(lock_faults(&package.repeat(361)).len(), 1);
    assert_eq!(
        lock_faults("source = \"git+https://example.org/x\"\n").len(),
        1
    );
}

#[test]
fn a_loose_workflow_is_seen() {
    let loose = "steps:\n  - uses: actions/checkout@v7\n";
    assert_eq!(workflow_faults(loose).len(), 4);
    let commit = "3".repeat(40);
    let pinned = format!(
        "permissions: {{}}\n  - uses: actions/checkout@{commit} # v7.0.1\n    with: {{ persist-credentials: false }}\n"
    );
    assert_eq!(workflow_faults(&pinned), Vec::<String>::new());
}

#[test]
fn a_permission_too_many_or_without_reason_is_seen() {
    let text = read("app-manifest.yml");
    let wide = text.replace("contents: read", "contents: write");
    assert_eq!(manifest_faults(&wide).len(), 1);
    let bare = "default_permissions:\n  metadata: read\ndefault_events:\n  - push\n";
    assert_eq!(manifest_faults(bare).len(), 3);
}
