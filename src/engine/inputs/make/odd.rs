//! Lines of makefiles that change how others are read, or that nobody here reads.
//!
//! Whoever meets one declares the makefile unknown: what it makes may be anything.

use super::Rules;

/// Notes that a line is one that is not read here.
pub(super) fn note(rules: &mut Rules, number: u32, line: &str) {
    let line: String = line.trim().chars().take(60).collect();
    rules.odd.get_or_insert(format!("{line} at line {number}"));
}

/// Whether a line that is not one of a recipe puts rules together as make goes.
pub(super) fn is_odd_line(line: &str) -> bool {
    [".ONESHELL", ".SECONDEXPANSION"]
        .iter()
        .any(|it| line.starts_with(it))
        || evals(line)
        || calls(line, "call") && !line.contains('=')
}

/// Whether a line asks make to read a text as a makefile.
pub(super) fn evals(line: &str) -> bool {
    calls(line, "eval")
}

fn calls(line: &str, function: &str) -> bool {
    let opened = ["$(", "${"].map(|opener| format!("{opener}{function}"));
    opened.iter().any(|call| line.contains(call))
}

/// Whether a variable changes how recipes are read or what all targets need.
pub(super) fn is_odd_variable(name: &str, value: &str) -> bool {
    let shells = ["sh", "/bin/sh", "bash", "/bin/bash", "/usr/bin/env bash"];
    match name {
        "SHELL" => !shells.contains(&value) && !value.ends_with("which bash)"),
        ".SHELLFLAGS" => value.contains(['/', '$']) || value.contains("file"),
        "MAKEFLAGS" | "MAKEFILES" => value.contains(['f', 'e']) && !value.starts_with("--"),
        ".RECIPEPREFIX" | ".EXTRA_PREREQS" => true,
        _ => false,
    }
}

/// Whether a line that is neither a rule nor sets a variable is known to do no more than
/// what it asks the shell for.
pub(super) fn is_plain_call(line: &str) -> bool {
    let functions = [
        "info", "warning", "error", "shell", "if", "or", "and", "file", "foreach",
    ];
    let inner = line.strip_prefix("$(").or(line.strip_prefix("${"));
    let name = inner.and_then(|inner| inner.split(char::is_whitespace).next());
    name.is_some_and(|name| functions.contains(&name)) && line.ends_with([')', '}'])
}
