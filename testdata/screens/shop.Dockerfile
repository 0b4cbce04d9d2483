# The shop, with "everything" in one stage.
FROM shop-base:1 AS shop
ENV NODE_ENV=production

RUN apt-get update && \
    apt-get install -y git
COPY --link . /srv/app
RUN chown -R node:node /srv/app && rm -rf /srv/app/.git /var/lib/apt/lists/*
RUN echo done > /etc/motd
USER "node"
