# The tasks of this repository. `just` lists them.

_default:
    @just --list --unsorted

# Exactly what CI runs: formatting, lints, documentation, all tests
check:
    bash .ci/run

# What the conformance tests compare against (needs npm)
setup:
    bash tests/conformance/setup.sh

# All tests
test *ARGS:
    cargo test {{ARGS}}

# Formatting and lints only
lint:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings

# The documentation of the code
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items

# Licences, sources, bans, advisories (needs cargo-deny)
deps:
    cargo deny check

# Spelling (needs typos)
spell:
    typos

# Our own workflow under zizmor (needs zizmor)
audit-workflow:
    zizmor .github/workflows

# The container image
image:
    docker build --tag trimtab .
