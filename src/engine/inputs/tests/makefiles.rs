//! What a makefile does while it is read, which of its goals is made, and what its recipes
//! get as their environment.

use super::*;

const FILES: &[(&str, &str)] = &[
    ("a.txt", ""),
    ("b.txt", ""),
    ("bin/cat", ""),
    ("env.sh", ""),
    ("hook.js", ""),
    ("a.js", ""),
    ("run.sh", ""),
    ("docs/x.md", ""),
    ("docs/b.txt", ""),
];

/// A change of `file` runs `script` with this makefile: it is read, or nobody knows.
fn runs(script: &str, makefile: &str, file: &str, more: &[(&str, &str)]) {
    let mut files = FILES.to_vec();
    files.push(("Makefile", makefile));
    files.extend(more);
    let inputs = infer_in(&job(script), None, &files);
    let set = reached(&inputs, &files);
    assert!(
        set.split(' ').any(|it| it == file),
        "{makefile} reads {set}"
    );
}

/// `script` is understood and reads no more than `expected` beside the makefile.
fn reads(script: &str, makefile: &str, expected: &str, more: &[(&str, &str)]) {
    let mut files = FILES.to_vec();
    files.push(("Makefile", makefile));
    files.extend(more);
    let inputs = infer_in(&job(script), None, &files);
    assert_eq!(faults(&inputs), "", "{makefile}");
    assert_eq!(reached(&inputs, &files), expected, "{makefile}");
}

#[test]
fn brackets_in_a_call_begin_no_arithmetic() {
    for makefile in [
        "ifeq ($(shell (cat b.txt)),x)\nX=1\nendif\nt:\n\t@echo x\n",
        "ifneq ($(shell (cat b.txt; (cat a.txt))),0)\nX=1\nendif\nt:\n\t@echo x\n",
        "V := $(shell (cd . && cat b.txt))\nt:\n\t@echo $(V)\n",
        "t:\n\t@echo $(shell (cat b.txt))\n",
    ] {
        runs("make t", makefile, "b.txt", &[]);
    }
}

#[test]
fn the_default_goal_is_what_make_takes_for_it() {
    let u = "u:\n\tcat b.txt\n";
    runs(
        "make",
        "include inc.mk\nt:\n\tcat a.txt\n",
        "b.txt",
        &[("inc.mk", u)],
    );
    for makefile in [
        "t:\n\tcat a.txt\nu:\n\tcat b.txt\n.DEFAULT_GOAL := u\n",
        "t:\n\tcat a.txt\nu:\n\tcat b.txt\nifdef X\n.DEFAULT_GOAL := u\nendif\n",
        "ifdef NOPE\nu:\n\tcat a.txt\nendif\nt:\n\tcat b.txt\n",
        "%.x:\n\tcat a.txt\nt:\n\tcat b.txt\n",
        "./x:\n\tcat b.txt\nt:\n\tcat a.txt\n",
    ] {
        runs("make", makefile, "b.txt", &[]);
    }
    let goals = "t:\n\tcat a.txt\nu:\n\tcat b.txt\n.DEFAULT_GOAL := u\n";
    reads("make", goals, "Makefile b.txt", &[]);
    reads(
        "make",
        "t:\n\tcat a.txt\nu:\n\tcat b.txt\n",
        "Makefile a.txt",
        &[],
    );
    runs(
        "make 01",
        "t:\n\tcat a.txt\n01:\n\tcat b.txt\n",
        "b.txt",
        &[],
    );
}

#[test]
fn what_is_asked_while_the_makefile_is_read_is_read_for_every_goal() {
    let asked = "$(shell cat b.txt)";
    for line in [
        &*format!("V := {asked}"),
        &*format!("_ ::= x {asked}"),
        "V != cat b.txt",
        asked,
        &*format!("$(info {asked})"),
        &*format!("$(warning {asked})"),
        &*format!("$(if {asked},,$(error bad))"),
        &*format!("V := $(if {asked},,$(error bad))"),
        &*format!("V = {asked}\nifdef V\nX = 1\nendif"),
        &*format!("V = {asked}\nifeq\t($(V),x)\nX = 1\nendif"),
        &*format!("u: $(if {asked},x)"),
        &*format!("u: V := {asked}"),
        &*format!("define V :=\n{asked}\nendef"),
    ] {
        let makefile = format!("{line}\nt:\n\t@cat a.txt\n");
        reads("make t", &makefile, "Makefile a.txt b.txt", &[]);
    }
    let makefile = "t:\n\t@echo x $(info $(shell cat b.txt))\n\t$(info x)\n";
    reads("make t", makefile, "Makefile b.txt", &[]);
}

#[test]
fn a_definition_is_a_variable_of_several_lines() {
    let define = "define V\n$(shell cat b.txt)\nendef\n";
    for makefile in [
        format!("{define}t:\n\t@echo $(V)\n"),
        format!("{define}export V\nt:\n\t@echo x\n"),
        "define R\n@cat a.txt\n-cat b.txt\nendef\nt:\n\t$(R)\n".to_owned(),
        "R = cat a.txt\ndefine R\ncat b.txt\nendef\nt:\n\t$(R)\n".to_owned(),
        "R = cat a.txt\noverride define R =\ncat b.txt\nendef\nt:\n\t$(R)\n".to_owned(),
        "define R\nt:\n\tcat b.txt\nt:\n\tcat a.txt\n".to_owned(),
    ] {
        runs("make t", &makefile, "b.txt", &[]);
    }
    let unused = "define R\ncat b.txt\nendef\nt:\n\tcat a.txt\n";
    reads("make t", unused, "Makefile a.txt", &[]);
    let lines = "define R\n@cat a.txt\ncd docs\nendef\nt:\n\t$(R)\n\tcat b.txt\n";
    reads("make t", lines, "Makefile a.txt b.txt", &[]);
}

#[test]
fn variables_reach_recipes_as_their_environment() {
    for (makefile, file) in [
        (
            "export PATH := $(CURDIR)/bin:$(PATH)\nt:\n\tcat a.txt\n",
            "bin/cat",
        ),
        (
            "PATH := $(CURDIR)/bin:$(PATH)\nt:\n\tcat a.txt\n",
            "bin/cat",
        ),
        (
            "PATH := $(abspath bin):$(PATH)\nt:\n\tcat a.txt\n",
            "bin/cat",
        ),
        (
            "export BASH_ENV = env.sh\nSHELL=/bin/bash\nt:\n\t@echo x\n",
            "env.sh",
        ),
        (
            "export NODE_OPTIONS = --require ./hook.js\nt:\n\tnode a.js\n",
            "hook.js",
        ),
        (
            "t: export NODE_OPTIONS = -r ./hook.js\nt:\n\tnode a.js\n",
            "hook.js",
        ),
        ("export V = b.txt\nt:\n\tcat $${V:-a.txt}\n", "b.txt"),
    ] {
        runs("make t", makefile, file, &[]);
    }
    let plain = "export CGO_ENABLED = 0\nexport PATH := /opt/x:$(PATH)\nt:\n\tcat a.txt\n";
    reads("make t", plain, "Makefile a.txt", &[]);
}

#[test]
fn variables_reach_the_make_below() {
    let set = ("docs/Makefile", "F = x.md\nu:\n\tcat $(F)\n");
    let or = ("docs/Makefile", "F ?= x.md\nu:\n\tcat $(F)\n");
    let below = "t:\n\t$(MAKE) -C docs u\n";
    runs("make t F=b.txt", below, "docs/b.txt", &[set]);
    let exported = format!("export F = b.txt\n{below}");
    runs("make t", &exported, "docs/b.txt", &[or]);
    runs(
        "make t V=a.txt",
        "override V = b.txt\nt:\n\tcat $(V)\n",
        "b.txt",
        &[],
    );
}

#[test]
fn lines_that_change_how_a_makefile_is_read_are_seen() {
    for (makefile, file) in [
        ("sinclude inc.mk\nt:\n\tcat a.txt\n", "inc.mk"),
        ("include\tinc.mk\nt:\n\tcat a.txt\n", "inc.mk"),
        ("t: SHELL := ./run.sh\nt:\n\t@echo x\n", "run.sh"),
        (".RECIPEPREFIX = >\nt:\n> cat b.txt\n", "b.txt"),
        (
            ".EXTRA_PREREQS := u\nt:\n\tcat a.txt\nu:\n\tcat b.txt\n",
            "b.txt",
        ),
        (
            "V = a.txt\nt:\n\t@: $(eval V := b.txt)\n\tcat $(V)\n",
            "b.txt",
        ),
        ("V = a.txt\n$(E)V = b.txt\nt:\n\tcat $(V)\n", "b.txt"),
        ("V = a.txt\n$(E)V := b.txt\nt:\n\tcat $(V)\n", "b.txt"),
        ("V = b.txt\nundefine V\nt:\n\tcat a.txt $(V)\n", "b.txt"),
        ("F := $(D)b.txt\nD = docs/\nt:\n\tcat $(F)\n", "b.txt"),
        (
            "ifdef X\n\tF = a.txt\nelse\n\tF = b.txt\nendif\nt:\n\tcat $(F)\n",
            "b.txt",
        ),
        ("private V = b.txt\nt:\n\tcat $(V)\n", "b.txt"),
        ("V = ${wildcard docs/*.md}\nt:\n\t@echo $(V)\n", "docs/x.md"),
        (
            "V = $(wildcard\tdocs/*.md)\nt:\n\t@echo $(V)\n",
            "docs/x.md",
        ),
        ("V = ${file <b.txt}\nt:\n\t@echo $(V)\n", "b.txt"),
        ("V = $(file  < b.txt)\nt:\n\t@echo $(V)\n", "b.txt"),
    ] {
        runs("make t", makefile, file, &[("inc.mk", "W = 1\n")]);
    }
}
