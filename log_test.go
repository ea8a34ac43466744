package main

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
)

// framed is an error that says where it comes from when it is asked for details, as gotd's do.
type framed struct{}

func (framed) Error() string { return "session revoked" }

func (framed) Format(s fmt.State, _ rune) {
	_, _ = io.WriteString(s, "session revoked")
	if s.Flag('+') {
		_, _ = io.WriteString(s, "\n    github.com/gotd/td/telegram/connect.go:224")
	}
}

func TestErrorsInTheLogSayWhatAndNotWhereInTheCode(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: plainError}))
	logger.Warn("courier stopped serving", "error", framed{}, "wrapped", fmt.Errorf("callback: %w", framed{}), "slot", 4)
	if text := log.String(); strings.Contains(text, ".go:") || strings.Count(text, "session revoked") != 2 || !strings.Contains(text, "slot=4") {
		t.Error(text)
	}
}

func TestACommandThatThereIsNotIsRefused(t *testing.T) {
	for _, args := range [][]string{{"nonsense"}, {"courier", "nonsense"}, {"keys", "nonsense"}} {
		var out bytes.Buffer
		if code := run(t.Context(), args, streams{strings.NewReader(""), &out, &out}, nil); code != 1 {
			t.Errorf("%q ends with %d: %s", args, code, out.String())
		}
		if !strings.Contains(out.String(), `"nonsense"`) {
			t.Errorf("%q says %s", args, out.String())
		}
	}
}
