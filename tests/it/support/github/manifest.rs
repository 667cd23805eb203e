//! What the app asks for, read from its manifest: the fake grants that and no more.

use trimtab::engine::yaml::{self, Node};

use super::model::{Level, Permissions};

fn root() -> Node {
    let text = include_str!("../../../../app-manifest.yml");
    yaml::parse("app-manifest.yml", text).unwrap()
}

/// The permissions that every installation grants.
pub(super) fn permissions() -> Permissions {
    let root = root();
    let asked = root.get("default_permissions").and_then(Node::entries);
    let level = |node: &Node| match node.as_str() {
        Some("read") => Level::Read,
        Some("write") => Level::Write,
        other => panic!("{other:?} is no level"),
    };
    let asked = asked.unwrap().iter();
    asked
        .map(|entry| (entry.key.to_string(), level(&entry.value)))
        .collect()
}

/// The events that it is told of.
pub(super) fn events() -> Vec<String> {
    let root = root();
    let asked = root.get("default_events").unwrap().words();
    asked.into_iter().map(str::to_owned).collect()
}
