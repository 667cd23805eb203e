# Two stages: the toolchain builds, and a small image runs as a user without rights.
# No secret enters a layer: settings come from the environment when it starts.

FROM rust:1.95.0-slim-bookworm AS build
WORKDIR /build
COPY . .
RUN cargo build --locked --profile dist --bin trimtab \
 && cp target/dist/trimtab /trimtab

FROM debian:bookworm-slim
# git is needed at run time: mirrors, merges and diffs are made by the git program.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates git \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --create-home --home-dir /var/lib/trimtab trimtab
COPY --from=build /trimtab /usr/local/bin/trimtab
USER trimtab
WORKDIR /var/lib/trimtab
VOLUME /var/lib/trimtab
EXPOSE 8080
ENTRYPOINT ["trimtab"]
CMD ["serve"]
