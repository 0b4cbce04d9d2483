# syntax-less
ARG GREETING=hello
FROM scratch AS base
ADD base.tar /

FROM base AS build
ARG GREETING
WORKDIR /src
COPY app.txt .
RUN echo "$GREETING" > out.txt && \
    cat app.txt >> out.txt
RUN <<EOT
set -e
mkdir -p /opt/tool
echo tool > /opt/tool/t
EOT

FROM base
ENV A=1
COPY --link --from=build /src/out.txt /app/out.txt
COPY --from=build /opt/tool /opt/tool
COPY <<EOT /etc/motd
hello
EOT
RUN chmod 600 /app/out.txt
CMD ["cat", "/app/out.txt"]
