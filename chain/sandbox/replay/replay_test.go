package replay_test

import (
	"bytes"
	"compress/gzip"
	"os"
	"testing"

	"github.com/usherbot/usher/chain/sandbox/replay"
)

func vectors(t testing.TB, name string) []byte {
	t.Helper()
	file, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var read bytes.Buffer
	if len(name) > 3 && name[len(name)-3:] == ".gz" {
		unzipped, err := gzip.NewReader(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := read.ReadFrom(unzipped); err != nil {
			t.Fatal(err)
		}
	} else if _, err := read.ReadFrom(file); err != nil {
		t.Fatal(err)
	}
	return read.Bytes()
}

func TestSandboxAgreesWithRecordings(t *testing.T) {
	for name, lines := range map[string]int{"traces.jsonl.gz": 60, "serial.jsonl": 136, "tickets.jsonl": 112} {
		t.Run(name, func(t *testing.T) {
			var report bytes.Buffer
			summary, err := replay.Replay(&report, name, bytes.NewReader(vectors(t, name)))
			if err != nil {
				t.Fatal(err)
			}
			if summary.Agreed != lines || summary.Disagreed != 0 {
				t.Errorf("%+v, want %d lines to agree:\n%s", summary, lines, report.String())
			}
		})
	}
}
