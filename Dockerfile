# A static binary that runs as nobody in particular. Build: docker build -t fanli .
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /fanli ./cmd/fanli \
 && mkdir /empty

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build --chown=65532:65532 /empty /data
COPY --from=build /fanli /fanli
USER 65532:65532
VOLUME /data
EXPOSE 8080
ENV FANLI_DATA=/data FANLI_LISTEN=0.0.0.0:8080 FANLI_LOG_FORMAT=json
HEALTHCHECK --interval=30s --timeout=3s --start-period=5s CMD ["/fanli", "check", "--live"]
ENTRYPOINT ["/fanli"]
CMD ["serve"]
