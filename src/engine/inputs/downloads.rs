//! Programs that come from elsewhere: installers that are fetched and run, and archives.
//!
//! An installer is known by its address. It puts a tool on the machine and reads nothing
//! of the repository; any other script from elsewhere stays unknown.

use super::walk::{Invocation, Walk};
use crate::engine::shell::{Feed, Located, Word, locate};

/// Where installers of tools lie, each documented by the tool itself as the way to
/// install it: <https://rustup.rs>, <https://docs.astral.sh/uv>, <https://python-poetry.org>,
/// <https://docs.docker.com/engine/install>, <https://bun.sh>, <https://deno.com>,
/// <https://pnpm.io>, <https://golangci-lint.run>, <https://github.com/nvm-sh/nvm>,
/// <https://just.systems>, <https://nixos.org>, <https://wasmtime.dev>, <https://nexte.st>.
const INSTALLERS: &[&str] = &[
    "https://sh.rustup.rs",
    "https://static.rust-lang.org/rustup/",
    "https://astral.sh/",
    "https://install.python-poetry.org",
    "https://get.docker.com",
    "https://deb.nodesource.com/",
    "https://bun.sh/install",
    "https://deno.land/install.sh",
    "https://deno.land/x/install/",
    "https://get.pnpm.io/",
    "https://golangci-lint.run/install.sh",
    "https://raw.githubusercontent.com/golangci/golangci-lint/",
    "https://raw.githubusercontent.com/nvm-sh/nvm/",
    "https://just.systems/install.sh",
    "https://nixos.org/nix/install",
    "https://install.determinate.systems/",
    "https://wasmtime.dev/install.sh",
    "https://rustwasm.github.io/wasm-pack/installer/",
    "https://drager.github.io/wasm-pack/installer/",
    "https://get.nexte.st/",
    "https://get.sdkman.io",
    "https://apt.llvm.org/llvm.sh",
    "https://bootstrap.pypa.io/",
    "https://taskfile.dev/install.sh",
    "https://raw.githubusercontent.com/Homebrew/install/",
    "https://raw.githubusercontent.com/helm/helm/",
];

/// Whether an address is the one of an installer.
fn is_installer(address: &str) -> bool {
    INSTALLERS.iter().any(|start| address.starts_with(start))
}

impl Walk<'_> {
    /// `curl ADDRESS -o FILE`: an installer that a later command may run.
    pub(super) fn download(&mut self, call: &Invocation, name: &str) {
        let texts = call.texts();
        let addresses = || texts.iter().filter(|text| text.contains("://"));
        let all_known = addresses().count() > 0 && addresses().all(|text| is_installer(text));
        let mut words = call.words.iter().skip(1).filter(|_| all_known);
        while let Some(word) = words.next() {
            let text = word.text.as_ref();
            let inline = text.strip_prefix("--output=");
            let is_flag = match name {
                "curl" => {
                    text == "--output"
                        || text.starts_with('-') && !text.starts_with("--") && text.ends_with('o')
                }
                _ => matches!(text, "-O" | "-qO" | "--output-document"),
            };
            let file = match inline {
                Some(file) => Some(Word::literal(file)),
                None if is_flag => words.next().cloned(),
                None => continue,
            };
            if let Some(file) = file.filter(|file| !file.unknown) {
                self.touched.installers.insert(file.text);
            }
        }
        self.listed(call, name);
    }

    /// Whether a script that is run came from an installer's address and is no file of
    /// the repository.
    pub(super) fn is_installer(&self, call: &Invocation, file: Option<&Word>) -> bool {
        let Some(file) = file else {
            let Some(Feed::Download(address)) = &call.feed else {
                return false;
            };
            return is_installer(address);
        };
        let shadowed = match locate(&call.place, &file.text) {
            Located::Inside(path) => self.has_file(&path),
            Located::Outside => false,
            Located::Unknown => true,
        };
        let name = file.text.trim_start_matches("./");
        let fetched = self
            .touched
            .installers
            .iter()
            .any(|known| known.trim_start_matches("./") == name);
        !file.unknown && !shadowed && fetched
    }

    /// `tar x` writes; what it reads is the archive. Everything else is read as written.
    pub(super) fn tar(&mut self, call: &Invocation) {
        let mode = call.words.get(1).map_or("", |word| &*word.text);
        let letters = mode.trim_start_matches('-');
        let is_short = !mode.starts_with("--");
        let extracts =
            is_short && letters.contains(['x', 't']) && !letters.contains(['c', 'r', 'u'])
                || matches!(mode, "--extract" | "--list" | "--get");
        if !extracts || letters.contains('T') {
            return self.listed(call, "tar");
        }
        let texts = call.texts();
        if texts
            .iter()
            .any(|text| matches!(*text, "-T" | "--files-from" | "-X"))
        {
            return self.listed(call, "tar");
        }
        let archive = if is_short && letters.ends_with('f') {
            call.words.get(2)
        } else {
            let at = texts.iter().position(|text| {
                *text == "--file"
                    || text.starts_with('-') && !text.starts_with("--") && text.ends_with('f')
            });
            at.and_then(|at| call.words.get(at + 1))
        };
        if let Some(archive) = archive.filter(|word| &*word.text != "-") {
            self.read_path(call, archive);
        } else if texts.iter().any(|text| text.starts_with("--file=")) {
            self.listed(call, "tar");
        }
    }
}
