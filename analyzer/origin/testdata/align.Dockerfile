ARG BASE=base
FROM $BASE AS build
ARG GREETING=hello
WORKDIR /src
COPY app.txt lib.txt ./
# a comment
RUN echo "$GREETING" > out.txt && \
    # inside
    cat app.txt >> out.txt
RUN ["/bin/sh", "-c", "echo exec > exec.txt"]

FROM $BASE
LABEL maintainer="A B <a@b>" version=1
ENV A=1 \
    B="two words"
ENV OLD style value
WORKDIR app
COPY --from=build /src/out.txt /app/
COPY --chown=1000:1000 app.txt data/
ADD lib.txt /lib/$A/
RUN chmod 600 /app/out.txt
EXPOSE 80 443/udp
VOLUME /data
USER 1000
HEALTHCHECK --interval=5s CMD true
STOPSIGNAL SIGTERM
ENTRYPOINT ["cat"]
CMD /app/out.txt
