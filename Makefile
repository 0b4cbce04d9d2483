.PHONY: build test lint fuzz ci
build:
	go build ./cmd/fathom
test:
	go test ./...
lint:
	gofmt -l . && go vet ./...
	go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0 run
fuzz:
	.ci/fuzz 30s
ci:
	.ci/run
