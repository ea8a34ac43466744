package flows_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const index = "testdata/README.md"

// recorded gives the promises of the index, each with the conversations that show it.
func recorded(t *testing.T) map[string][]string {
	text, err := os.ReadFile(index)
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`([a-z0-9_]+\\.txt)`")
	all, promise := map[string][]string{}, ""
	for line := range strings.SplitSeq(string(text), "\n") {
		if strings.HasPrefix(line, "- **") {
			promise = strings.Trim(line, "-* ")
			all[promise] = nil
		}
		for _, found := range named.FindAllStringSubmatch(line, -1) {
			all[promise] = append(all[promise], found[1])
		}
	}
	return all
}

// TestEveryPromiseHasARecordedConversation holds the index against the files.
func TestEveryPromiseHasARecordedConversation(t *testing.T) {
	listed := map[string]bool{}
	for promise, files := range recorded(t) {
		if promise == "" || len(files) == 0 {
			t.Errorf("%s: no conversation under %q", index, promise)
		}
		for _, file := range files {
			listed[file] = true
			if _, err := os.Stat(filepath.Join("testdata", file)); err != nil {
				t.Errorf("%s names %s: %v", index, file, err)
			}
		}
	}
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if name := filepath.Base(file); !listed[name] {
			t.Errorf("%s is not in %s: add a line for it under the promise that it shows", name, index)
		}
	}
}
