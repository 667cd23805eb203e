//! What makefiles ask the shell for.

use super::*;

/// What `make t` reads beside the makefile, which is understood.
fn made(makefile: &str, expected: &str) {
    let files = [
        ("Makefile", makefile),
        ("README.md", ""),
        ("a.txt", ""),
        ("b.txt", ""),
        ("s/x.go", ""),
        ("y.go", ""),
    ];
    let expected = format!("Makefile {expected}");
    check("make t", &files, expected.trim_end());
}

/// A makefile of which nobody knows what `make t` reads.
fn unknown(makefile: &str) {
    let files = [("Makefile", makefile), ("a.txt", ""), ("b.txt", "")];
    let inputs = infer_in(&job("make t"), None, &files);
    assert_ne!(faults(&inputs), "", "{makefile}");
}

#[test]
fn what_a_recipe_asks_the_shell_for_is_read() {
    for makefile in [
        "t:\n\t@test \"$(shell cat b.txt)\" = x\n",
        "t:\n\t@test '$(shell cat b.txt)' = x\n",
        "t:\n\t@echo ${shell cat b.txt}\n",
        "t:\n\tcd s && echo $(shell cat b.txt)\n",
        "V = $(shell cat b.txt)\nt:\n\t@echo $(V)\n",
        "V := $(shell cat b.txt)\nt:\n\t@echo $(V)\n",
        "V ?= $(shell cat b.txt)\nt:\n\t@echo $(V)\n",
        "V = x\nV += $(shell cat b.txt)\nt:\n\t@echo $(V)\n",
        "V != cat b.txt\nt:\n\t@echo $(V)\n",
        "V := $(shell cat b.txt)\nV := $(V) x\nt:\n\t@echo $(V)\n",
        "V = $(strip $(shell cat b.txt))\nt:\n\t@echo $(V)\n",
        "V = $(if $(shell cat b.txt),a,b)\nt:\n\t@echo $(V)\n",
        "V = $(shell cat b.txt)\nt:\n\t@echo $(V:.c=.o)\n",
        "f = $(shell cat b.txt)\nt:\n\t@echo $(call f,x)\n",
        "ifdef X\nV = 1\nelse\nV = $(shell cat b.txt)\nendif\nt:\n\t@echo $(V)\n",
        "t: V = $(shell cat b.txt)\nt:\n\t@echo $(V)\n",
        "V = $(shell echo $(shell cat b.txt))\nt:\n\t@echo $(V)\n",
        "V = $(shell cat b.txt)\nifeq ($(V),1)\nX = 1\nendif\nt:\n\t@echo x\n",
        "export V = $(shell cat b.txt)\nt:\n\t@echo x\n",
        "V = $(shell cat b.txt)\nexport V\nt:\n\t@echo x\n",
        "V = $(shell cat b.txt)\nexport\nt:\n\t@echo x\n",
        "V = $(shell cat b.txt)\n.EXPORT_ALL_VARIABLES:\nt:\n\t@echo x\n",
        "CI = $(shell cat b.txt)\nt:\n\t@echo x\n",
    ] {
        made(makefile, "b.txt");
    }
}

#[test]
fn what_no_recipe_uses_is_not_read() {
    made("V = $(shell cat b.txt)\nt:\n\t@cat a.txt\n", "a.txt");
    made(
        "t:\n\t@cat a.txt\nu:\n\t@echo $(shell cat b.txt)\n",
        "a.txt",
    );
}

#[test]
fn names_that_a_makefile_asks_for_are_read() {
    made(
        "SRC = $(shell find . -name \"*.go\")\nt:\n\t@test -z $(shell gofmt -l $(SRC)) || (gofmt -d $(SRC); exit 1)\n",
        "s/x.go y.go",
    );
    made("t:\n\tcat $(shell git ls-files s)\n", "s/x.go");
}

#[test]
fn what_the_shell_would_come_to_otherwise_is_not_known() {
    unknown("t:\n\tcat $(shell echo a.txt)\n");
    unknown("t:\n\tcd s && cat $(shell find . -name '*.txt')\n");
    unknown("t:\n\tF=b.txt; cat $(shell basename $$F)\n");
    unknown("t:\n\t$(shell cat b.txt)\n");
    unknown("f = $(shell cat $(1))\nt:\n\t@echo $(call f,b.txt)\n");
    unknown("V := $(V)$(V)x\n".repeat(40).as_str().trim_end_matches('x'));
    unknown("A = $(B) $(B) $(shell cat b.txt)\nB = $(A)\nt:\n\t@echo $(A)\n");
}

#[test]
fn quotes_around_a_call_keep_its_text_from_being_known() {
    let mut job = job("make t");
    let mut second = job.steps[0].clone();
    second.condition = Some("env.V == 'b'".into());
    if let Action::Run { script, .. } = &mut second.action {
        *script = "cat b.txt".into();
    }
    job.steps.push(second);
    let makefile = "t:\n\t@echo 'V=$(shell cat a.txt)' >> $$GITHUB_ENV\n";
    let files = [("Makefile", makefile), ("a.txt", ""), ("b.txt", "")];
    let inputs = infer_in(&job, None, &files);
    assert_eq!(reached(&inputs, &files), "Makefile a.txt b.txt");
}
