FROM node:24.21.0-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The image has the right Node: the one that packages bring along is left out.
RUN npm ci --omit=dev --omit=optional --ignore-scripts

FROM node:24.21.0-bookworm-slim
LABEL org.opencontainers.image.title="scim-bridge" \
      org.opencontainers.image.description="SCIM 2.0 for Figshare, EthosCE, OpenSpecimen, SelfCommunity and DSpace" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY package.json ./
COPY src ./src
COPY mappings ./mappings
# bridge.yaml and its mappings are mounted at /config (read-only), the store lives in /config/data or where bridge.yaml says.
RUN mkdir -p /config/data && chown -R node:node /config
USER node
VOLUME /config
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:'+(process.env.PORT||8080)+'/readyz').then(a=>process.exit(a.ok?0:1),()=>process.exit(1))"]
ENTRYPOINT ["node", "--disable-proto=delete", "src/main.ts"]
CMD ["serve", "--config", "/config/bridge.yaml"]
