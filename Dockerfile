FROM node:24.21.0-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The image has the right Node: the one that packages bring along is left out.
RUN npm ci --omit=dev --omit=optional --ignore-scripts
# `npm sbom --omit=dev` also leaves out what a package for development needs, too: it is not told of any.
RUN npm pkg delete devDependencies optionalDependencies && npm sbom --sbom-format=cyclonedx > sbom.cdx.json

FROM node:24.21.0-bookworm-slim
LABEL org.opencontainers.image.title="scim-bridge" \
      org.opencontainers.image.description="SCIM 2.0 for Figshare, EthosCE, OpenSpecimen, SelfCommunity and DSpace" \
      org.opencontainers.image.licenses="Apache-2.0" \
      scim-bridge.sbom="/app/sbom.cdx.json"
# /config: bridge.yaml, mappings and secrets, mounted read-only. HEALTH_URL: another one where `listen.port` is not 8080.
ENV NODE_ENV=production MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=131072
ENV BRIDGE_CONFIG=/config/bridge.yaml HEALTH_URL=http://127.0.0.1:8080/readyz
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY --from=packages /app/sbom.cdx.json ./
COPY package.json LICENSE ./
COPY src ./src
COPY mappings ./mappings
# Compiles everything once, for every start to come, what is loaded on demand as well.
RUN node --disable-proto=delete --max-semi-space-size=8 --heap-growing-percent=30 --require ./src/cli/keep-compiled.cjs --import ./src/cli/compile.ts src/main.ts --version
# All that is ever written, with `store: sqlite:/data/bridge.sqlite`; the root file system can be read-only.
RUN install -d -o node -g node -m 0700 /data
USER node
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch(process.env.HEALTH_URL).then(a=>process.exit(a.ok?0:1),()=>process.exit(1))"]
ENTRYPOINT ["node", "--disable-proto=delete", "--max-semi-space-size=8", "--heap-growing-percent=30", "--require", "./src/cli/keep-compiled.cjs", "src/main.ts"]
CMD ["serve"]
