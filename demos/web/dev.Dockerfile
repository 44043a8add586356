# syntax=docker/dockerfile:1
# The tools that build and run the server while its sources are edited outside of the container. In the checkout:
#
#     docker build --file demos/web/dev.Dockerfile --tag web-dev .
#     docker run --init --volume "$PWD":/src --volume web-target:/src/target --publish 3000:3000 web-dev
#
# If edits are not noticed, the file system of the volume reports no changes into the container. Then let the command
# look for them:
#
#     docker run --init --volume "$PWD":/src --volume web-target:/src/target --publish 3000:3000 web-dev \
#         --poll demos/web -- --listen 0.0.0.0:3000

FROM rust:1-slim-bookworm
ARG PROFILE=release
WORKDIR /src
# The volume takes the place of this copy.
COPY . .
# Without `git`, artifacts do not note the commit of their sources, and no libgit2 is compiled.
RUN --mount=type=cache,target=/src/target --mount=type=cache,target=/usr/local/cargo/registry \
    cargo install --locked --profile "$PROFILE" --root /usr/local --path cargo-hotswap \
        --no-default-features --features control,history,sign,source
EXPOSE 3000
ENTRYPOINT ["cargo-hotswap", "run"]
CMD ["demos/web", "--", "--listen", "0.0.0.0:3000"]
