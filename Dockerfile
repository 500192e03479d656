# fanli in an image: one static binary, no shell, not root.
#   docker build -t fanli --build-arg VERSION=$(git describe --tags --always) .
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /fanli ./cmd/fanli \
 && mkdir /data

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /fanli /fanli
COPY --from=build --chown=nonroot:nonroot /data /data
VOLUME /data
ENV FANLI_DATA=/data FANLI_LISTEN=0.0.0.0:8080 FANLI_LOG_FORMAT=json
EXPOSE 8080
# More than the 4.5 seconds that stopping takes at most.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["/fanli", "ready"]
ENTRYPOINT ["/fanli"]
CMD ["serve"]
