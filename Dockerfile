# syntax=docker/dockerfile:1

FROM golang:1.26.8-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN make build OUT=/out/usher
# One name for it wherever Go is installed.
RUN cp "$(go env GOROOT)/lib/time/zoneinfo.zip" /out/zoneinfo.zip

# Nothing but the binary, the certificates of Telegram's and others' authorities, and the time zones. Usher writes no
# file; mount the key ring, the wallets' passwords and other secrets read-only and name them with USHER_..._FILE.
FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/zoneinfo.zip /zoneinfo.zip
COPY --from=build /out/usher /usher
ENV ZONEINFO=/zoneinfo.zip \
    USHER_LISTEN=0.0.0.0:8081 \
    USHER_LOG_FORMAT=json
USER 65532:65532
# /live, /ready and /metrics. Whoever runs the container asks /live and /ready over this port; there is no shell and no
# curl in here for a HEALTHCHECK of its own.
EXPOSE 8081
ENTRYPOINT ["/usher"]
