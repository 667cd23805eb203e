//! Docker and compose.

use super::programs::{arguments, list};
use super::walk::{Invocation, Walk, below};
use super::{Input, Never, OpaqueCause};
use crate::engine::globs::Glob;
use crate::engine::shell::{Located, Word, locate};
use crate::engine::yaml;

impl Walk<'_> {
    /// `docker build`, `docker run`, `docker compose`.
    pub(super) fn docker(&mut self, call: &Invocation) {
        let name = call.words.first().map_or("docker", |word| {
            if word.text.contains("compose") {
                "docker-compose"
            } else {
                "docker"
            }
        });
        let rest = call.words.get(1..).unwrap_or_default();
        let sorted = arguments(
            rest,
            &list("-f --file --profile -p --project-name --context -H --env-file"),
            &[],
        );
        let subs: Vec<&str> = sorted
            .operands
            .iter()
            .map(|word| word.text.as_ref())
            .take(3)
            .collect();
        match (name, subs.first().copied(), subs.get(1).copied()) {
            ("docker-compose", Some(sub), _) | ("docker", Some("compose"), Some(sub)) => {
                match sub {
                    "up" | "build" | "run" | "create" | "start" | "config" | "exec" | "restart"
                    | "pull" | "watch" => {
                        self.compose(call);
                    }
                    "push" => self.never(call, Never::Delivers),
                    _ => self.listed(call, name),
                }
            }
            (_, Some("build"), _) => self.docker_build(call, 1),
            (_, Some("buildx" | "image" | "builder"), Some("build")) => self.docker_build(call, 2),
            (_, Some("buildx"), Some("bake")) => self.whole(call),
            (_, Some("run" | "create"), _)
            | (_, Some("container"), Some("run" | "create" | "exec" | "cp")) => {
                self.docker_run(call);
            }
            (_, Some("exec" | "cp" | "export" | "import" | "commit"), _) => self.unknown_use(call),
            _ => self.listed(call, name),
        }
    }

    fn docker_build(&mut self, call: &Invocation, own: usize) {
        let rest = call.words.get(1..).unwrap_or_default();
        let values = list(
            "-t --tag --build-arg --target --platform --label --cache-from --cache-to \
            --network --progress -o --output --builder --add-host \
            --metadata-file --iidfile --shm-size -m",
        );
        let named = ["-f", "--file", "--secret", "--ssh", "--build-context"];
        let sorted = arguments(rest, &values, &named);
        if sorted.has(&["--push"]) {
            self.never(call, Never::Delivers);
        }
        for word in &sorted.reads {
            self.given_to_build(call, word);
        }
        let Some(context) = sorted.operands.get(own) else {
            return;
        };
        if context.text.contains("://") || context.text.starts_with("git@") {
            // A repository somewhere else, unless it is this one.
            let own = self
                .context
                .event
                .map(|event| event.repository.to_lowercase());
            let text = context.text.to_lowercase();
            if context.unknown || own.is_some_and(|own| !own.contains('/') || text.contains(&own)) {
                self.unknown_use(call);
            }
            return;
        }
        if &*context.text == "-" {
            return;
        }
        match locate(&call.place, &context.text) {
            Located::Inside(dir) if !context.unknown => self.add(
                call,
                Input::Tree {
                    dir,
                    extensions: Vec::new(),
                },
            ),
            _ => self.unknown_use(call),
        }
    }

    /// A file that a build is told of: a recipe, `NAME=DIRECTORY` of a further context, or
    /// the source of a secret.
    fn given_to_build(&mut self, call: &Invocation, word: &Word) {
        if word.unknown {
            return self.unknown_use(call);
        }
        let is_named = |part: &&str| {
            !["id=", "env=", "type="]
                .iter()
                .any(|it| part.starts_with(it))
        };
        for part in word.text.split(',').filter(is_named) {
            let source = part.split_once('=').map_or(part, |(_, source)| source);
            let is_elsewhere = source.contains("://");
            if let (false, Located::Inside(path)) = (is_elsewhere, locate(&call.place, source)) {
                // What a recipe leaves out may stand in a file beside it:
                // <https://docs.docker.com/build/concepts/context/#filename-and-location>
                let ignored = Glob::path(&format!("{path}.dockerignore"));
                self.exact(call, vec![Glob::path(&path), ignored, below(&path, "**")]);
            }
        }
    }

    /// A container sees the repository only through its mounts: all of each, since
    /// nobody knows what runs in it.
    fn docker_run(&mut self, call: &Invocation) {
        let values = list(
            "-e --env -w --workdir --name --network --net -p --publish -u --user --platform --entrypoint \
            -h --hostname -l --label --cap-add --security-opt --device --shm-size -m --memory --cpus --pull \
            --add-host --ulimit --gpus --ipc --pid --tmpfs --restart --link --dns",
        );
        let texts = call.texts();
        let own = texts
            .iter()
            .position(|text| matches!(*text, "run" | "create"));
        let mut at = own.map_or(call.words.len(), |at| at + 1);
        while let Some(word) = call
            .words
            .get(at)
            .filter(|word| word.unknown || word.text.starts_with('-'))
        {
            let (flag, value) = word.flag();
            let is_mount = matches!(flag, "-v" | "--volume" | "--mount" | "--env-file");
            let takes = value.is_none() && (is_mount || values.contains(&flag));
            at += if takes { 2 } else { 1 };
            if flag == "--volumes-from"
                || word.unknown && !values.contains(&flag)
                || flag.starts_with("-v") && flag != "-v"
            {
                return self.unknown_use(call);
            }
            if is_mount {
                let value = value.or_else(|| call.words.get(at - 1).cloned());
                let value = value.unwrap_or_else(|| Word::literal("."));
                self.mount(call, &value, flag == "--mount");
            }
        }
    }

    /// The source of `-v SOURCE:TARGET`, of `--mount source=SOURCE,...` or of `--env-file`.
    fn mount(&mut self, call: &Invocation, value: &Word, named: bool) {
        let source = if named {
            let mut parts = value.text.split(',');
            let source = parts.find_map(|part| {
                part.strip_prefix("source=")
                    .or_else(|| part.strip_prefix("src="))
            });
            source.unwrap_or_default()
        } else {
            value.text.split(':').next().unwrap_or_default()
        };
        // A name without a slash is a volume of the machine, unless it is a file here.
        let is_path = source.contains(['/', '.', '~']) || value.unknown;
        if is_path || !value.text.contains(':') {
            let source = Word {
                text: source.into(),
                ..value.clone()
            };
            self.read_path(call, &source);
        }
    }

    /// Build contexts, mounts and environment files of a compose file.
    fn compose(&mut self, call: &Invocation) {
        let Some(dir) = call.dir().map(str::to_owned) else {
            return self.unknown_use(call);
        };
        let mut files = Vec::new();
        let rest = call.words.get(1..).unwrap_or_default();
        for file in &arguments(rest, &[], &["-f", "--file"]).reads {
            if file.unknown {
                return self.unknown_use(call);
            }
            files.extend(crate::engine::tree::join(&dir, &file.text));
        }
        if files.is_empty() {
            let names = list(
                "compose.yaml compose.yml docker-compose.yaml docker-compose.yml \
                compose.override.yml docker-compose.override.yml",
            );
            files = names
                .iter()
                .filter_map(|name| crate::engine::tree::join(&dir, name))
                .filter(|path| self.has_file(path))
                .collect();
        }
        if files.is_empty() {
            return self.opaque(call, OpaqueCause::Missing("a compose file".into()));
        }
        self.exact(call, vec![below(&dir, ".env")]);
        for file in files {
            let beside = crate::engine::tree::dir_of(&file);
            let read = vec![Glob::path(&file), below(beside, ".env")];
            self.exact(call, read);
            let Some(text) = self.text(&file) else {
                continue;
            };
            let base = crate::engine::tree::dir_of(&file).to_owned();
            match yaml::parse(&file, text) {
                Ok(root) => self.services(call, &base, &root),
                Err(_) => self.opaque(call, OpaqueCause::UnknownUse(file.into())),
            }
        }
    }

    /// The files of configurations and secrets.
    fn kept_files(&mut self, call: &Invocation, base: &str, root: &yaml::Node) {
        for key in ["configs", "secrets"] {
            let entries = root.get(key).and_then(yaml::Node::entries);
            for entry in entries.unwrap_or_default() {
                let Some(file) = entry.value.get("file").and_then(yaml::Node::as_str) else {
                    continue;
                };
                match crate::engine::tree::join(base, file) {
                    Some(path) if !file.contains('$') => {
                        self.exact(call, vec![Glob::path(&path)]);
                    }
                    _ => self.unknown_use(call),
                }
            }
        }
    }

    fn services(&mut self, call: &Invocation, base: &str, root: &yaml::Node) {
        if root.get("include").is_some() {
            self.unknown_use(call);
        }
        self.kept_files(call, base, root);
        for service in root
            .get("services")
            .and_then(yaml::Node::entries)
            .unwrap_or_default()
        {
            let service = &service.value;
            if service.get("extends").is_some() {
                self.unknown_use(call);
            }
            let build = service.get("build");
            let context =
                build.and_then(|build| build.as_str().or_else(|| build.get("context")?.as_str()));
            let context = context.or(build.map(|_| "."));
            let mut dirs: Vec<String> = context.map(str::to_owned).into_iter().collect();
            for volume in service
                .get("volumes")
                .and_then(yaml::Node::items)
                .unwrap_or_default()
            {
                let source = volume
                    .as_str()
                    .and_then(|text| text.split(':').next())
                    .or_else(|| volume.get("source")?.as_str());
                dirs.extend(
                    source
                        .filter(|source| source.starts_with(['.', '$']))
                        .map(str::to_owned),
                );
            }
            dirs.extend(
                service
                    .get("env_file")
                    .map(yaml::Node::words)
                    .unwrap_or_default()
                    .into_iter()
                    .map(str::to_owned),
            );
            for dir in dirs {
                if dir.contains('$') {
                    self.unknown_use(call);
                } else if let Some(path) = crate::engine::tree::join(base, &dir) {
                    self.exact(call, vec![Glob::path(&path), below(&path, "**")]);
                }
            }
        }
    }
}
