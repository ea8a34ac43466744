package replay_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/usherbot/usher/chain/sandbox/replay"
)

// vectors gives the lines of a recording in testdata.
func vectors(t testing.TB, name string) []string {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasSuffix(name, ".gz") {
		zipped, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if data, err = io.ReadAll(zipped); err != nil {
			t.Fatal(err)
		}
	}
	return strings.Split(strings.TrimSpace(string(data)), "\n")
}

func replayLines(lines []string) (string, replay.Summary, error) {
	var report bytes.Buffer
	summary, err := replay.Replay(&report, "file", strings.NewReader(strings.Join(lines, "\n")))
	return report.String(), summary, err
}

// reported gives the numbers of the lines that a report complains of.
func reported(report string) []int {
	var numbers []int
	for line := range strings.Lines(report) {
		rest, found := strings.CutPrefix(line, "file:")
		number, err := strconv.Atoi(strings.SplitN(rest, ":", 2)[0])
		if found && err == nil && !slices.Contains(numbers, number) {
			numbers = append(numbers, number)
		}
	}
	return numbers
}

func TestSandboxAgreesWithRecordings(t *testing.T) {
	for name, lines := range map[string]int{"traces.jsonl.gz": 60, "serial.jsonl": 136, "tickets.jsonl": 112} {
		t.Run(name, func(t *testing.T) {
			report, summary, err := replayLines(vectors(t, name))
			if err != nil {
				t.Fatal(err)
			}
			if summary != (replay.Summary{Agreed: lines}) {
				t.Errorf("%+v, want %d lines to agree:\n%s", summary, lines, report)
			}
			if want := fmt.Sprintf("file: %d of %d lines agree\n", lines, lines); report != want {
				t.Errorf("report %q, want %q", report, want)
			}
		})
	}
}

// change alters the value at a path such as "steps.3.logs.0.data" in a line. "*" stands for the first element of an
// array in which the rest of the path exists. ok is false where the path leads nowhere.
func change(value any, path []string) (changed any, ok bool) {
	if len(path) == 0 {
		return altered(value), true
	}
	switch value := value.(type) {
	case map[string]any:
		inner, found := value[path[0]]
		if !found {
			return nil, false
		}
		if value[path[0]], ok = change(inner, path[1:]); !ok {
			value[path[0]] = inner
		}
		return value, ok
	case []any:
		for i := range value {
			if path[0] != "*" && path[0] != strconv.Itoa(i) {
				continue
			}
			if inner, ok := change(value[i], path[1:]); ok {
				value[i] = inner
				return value, true
			}
		}
	}
	return nil, false
}

func altered(value any) any {
	switch value := value.(type) {
	case bool:
		return !value
	case json.Number:
		if number, err := strconv.ParseUint(value.String(), 10, 64); err == nil && number < 1<<62 {
			return json.Number(strconv.FormatUint(number+number/10+7, 10))
		}
		return json.Number("1")
	case string:
		return value + "0"
	case nil:
		return "something"
	case []any:
		return append(value, "something")
	case map[string]any:
		return "something"
	}
	return nil
}

// alter changes the path in every third line that has it, and gives the numbers of those lines.
func alter(t *testing.T, lines []string, path string) (changed []string, numbers []int) {
	t.Helper()
	changed = slices.Clone(lines)
	candidates := 0
	for i, line := range lines {
		decoder := json.NewDecoder(strings.NewReader(line))
		decoder.UseNumber()
		var value any
		if err := decoder.Decode(&value); err != nil {
			t.Fatal(err)
		}
		value, ok := change(value, strings.Split(path, "."))
		if !ok {
			continue
		}
		if candidates++; candidates%3 != 1 {
			continue
		}
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		changed[i] = string(text)
		numbers = append(numbers, i+1)
	}
	if len(numbers) == 0 {
		t.Fatalf("no line has %s", path)
	}
	return changed, numbers
}

func TestExactlyTheAlteredLinesAreReported(t *testing.T) {
	compared := map[string][]string{
		"traces.jsonl.gz": {
			"create.ok", "create.logs.0.data", "create.tickets.0.seat.letter", "create.gasMetered",
			"steps.*.ok", "steps.*.error", "steps.*.error.kind", "steps.*.refund",
			"steps.*.refund.amount", "steps.*.refund.to", "steps.*.transfers", "steps.*.transfers.*.to",
			"steps.*.transfers.*.amount", "steps.*.transfers.*.success", "steps.*.logs", "steps.*.logs.*.event",
			"steps.*.logs.*.topics.0", "steps.*.logs.*.data", "steps.*.logs.*.fields.Price",
			"steps.*.logs.*.fields.Address", "steps.*.logs.*.fields.Secret", "steps.*.logs.*.fields.Seat.number",
			"steps.*.balance", "steps.*.state.endOfSale", "steps.*.state.releaseFee", "steps.29.state",
			"steps.*.state.noRefundBlockCount", "steps.*.state.requireIdentityVerification",
			"steps.*.tickets", "steps.*.tickets.0.price", "steps.*.tickets.*.address", "steps.*.tickets.0.secret",
			"steps.*.tickets.0.customerIdentifier", "finalStorage.Tickets", "finalStorage.Owner", "finalBalance",
		},
		"tickets.jsonl": {
			"parse.accepted", "result.verdict", "result.name", "results.0.verdict", "results.*.name",
		},
		"serial.jsonl": {
			"number", "letter", "letterCode", "hex", "param", "seats", "decodedCount", "tickets.0.price", "isDefault",
			"value", "strings.0", "rlp", "decoded", "decoded.0", "main", "test", "addressToString", "accepted",
			"hash160", "sats", "text", "bytes", "exception",
		},
	}
	for name, paths := range compared {
		lines := vectors(t, name)
		if name == "traces.jsonl.gz" {
			lines = lines[:10]
		}
		for _, path := range paths {
			t.Run(path, func(t *testing.T) {
				changed, want := alter(t, lines, path)
				report, _, _ := replayLines(changed)
				if path == "text" { // of an address, one refused text is as good as another
					want = slices.DeleteFunc(want, func(n int) bool { return strings.Contains(lines[n-1], "parse") })
				}
				if got := reported(report); !slices.Equal(got, want) {
					t.Errorf("reported %v, altered %v:\n%s", got, want, report)
				}
			})
		}
	}
}

func TestFieldsThatAreNotComparedMayDiffer(t *testing.T) {
	free := map[string][]string{
		"traces.jsonl.gz": {
			"trace", "seed", "network", "contract", "owner", "users", "create.args", "create.ticketsChanged",
			"steps.*.i", "steps.*.args", "steps.*.ticketsChanged", "steps.*.error.receiptFirstLine",
		},
		"tickets.jsonl": {
			"id", "case", "sealedName", "parse.uncaught", "parse.log", "parse.tickets", "result.ownsTicket",
			"result.exception", "result.log", "results.0.ownsTicket", "handlerLog",
		},
		"serial.jsonl": {"case"},
	}
	for name, paths := range free {
		lines := vectors(t, name)
		if name == "traces.jsonl.gz" {
			lines = lines[:10]
		}
		for _, path := range paths {
			t.Run(path, func(t *testing.T) {
				changed, _ := alter(t, lines, path)
				if report, summary, err := replayLines(changed); err != nil || summary.Disagreed > 0 {
					t.Errorf("%v:\n%s", err, report)
				}
			})
		}
	}
}

// edit replaces text in the one line of the traces that has it first.
func edit(t *testing.T, lines []string, change func(step map[string]any) bool) []string {
	t.Helper()
	for i, line := range lines {
		decoder := json.NewDecoder(strings.NewReader(line))
		decoder.UseNumber()
		var trace map[string]any
		if err := decoder.Decode(&trace); err != nil {
			t.Fatal(err)
		}
		for _, step := range trace["steps"].([]any) {
			if !change(step.(map[string]any)) {
				continue
			}
			text, err := json.Marshal(trace)
			if err != nil {
				t.Fatal(err)
			}
			changed := slices.Clone(lines)
			changed[i] = string(text)
			return changed
		}
	}
	t.Fatal("no step fits")
	return nil
}

func TestGasIsComparedOfSuccessfulCallsWithinFivePercent(t *testing.T) {
	lines := vectors(t, "traces.jsonl.gz")[:10]
	scaled := func(ok bool, percent uint64) func(map[string]any) bool {
		return func(step map[string]any) bool {
			gas, err := strconv.ParseUint(step["gasMetered"].(json.Number).String(), 10, 64)
			if err != nil || step["ok"] != ok {
				return false
			}
			step["gasMetered"] = json.Number(strconv.FormatUint(gas*percent/100, 10))
			return true
		}
	}
	for _, test := range []struct {
		ok       bool
		percent  uint64
		disagree int
	}{{true, 104, 0}, {true, 96, 0}, {true, 107, 1}, {true, 93, 1}, {false, 300, 0}} {
		report, summary, err := replayLines(edit(t, lines, scaled(test.ok, test.percent)))
		if err != nil || summary.Disagreed != test.disagree {
			t.Errorf("%+v: %+v, %v\n%s", test, summary, err, report)
		}
	}
}

func TestWordsOfAssertionsAreComparedAndThoseOfExceptionsAreNot(t *testing.T) {
	for kind, disagree := range map[string]int{"assert": 1, "System.OverflowException": 0, "MethodDoesNotExist": 0} {
		lines := edit(t, vectors(t, "traces.jsonl.gz"), func(step map[string]any) bool {
			failure, ok := step["error"].(map[string]any)
			if !ok || failure["kind"] != kind {
				return false
			}
			failure["message"] = "other words"
			return true
		})
		if report, summary, err := replayLines(lines); err != nil || summary.Disagreed != disagree {
			t.Errorf("%s: %+v, %v:\n%s", kind, summary, err, report)
		}
	}
}

func TestNamesWithBrokenCharactersAreComparedLoosely(t *testing.T) {
	lines := vectors(t, "tickets.jsonl")
	for i, line := range lines {
		lines[i] = strings.ReplaceAll(line, "\uFFFD\uFFFD", "\uFFFD")
	}
	if report, summary, err := replayLines(lines); err != nil || summary.Disagreed > 0 {
		t.Errorf("%v:\n%s", err, report)
	}
}

func TestGasFiguresAreRefused(t *testing.T) {
	_, _, err := replayLines(vectors(t, "gas.jsonl"))
	if !errors.Is(err, replay.ErrGas) {
		t.Errorf("error %v, want %v", err, replay.ErrGas)
	}
}

func TestUnreadableLinesAreNamed(t *testing.T) {
	good := vectors(t, "serial.jsonl")[0]
	for name, bad := range map[string]string{
		"garbage":      "garbage",
		"an array":     "[]",
		"null":         "null",
		"cut":          good[:len(good)/2],
		"two objects":  good + good,
		"unknown kind": `{"kind":"seating"}`,
		"no kind":      `{"hello":1}`,
		"no inputs":    `{"kind":"seat","hex":"C0"}`,
		"bad steps":    `{"create":{},"steps":[]}`,
		"deep":         strings.Repeat(`[`, 20000),
		"long":         `{"kind":"` + strings.Repeat("x", 17<<20) + `"}`,
		"not utf-8":    "\xff\xfe",
	} {
		t.Run(name, func(t *testing.T) {
			report, summary, err := replayLines([]string{good, bad, "", good})
			if !errors.Is(err, replay.ErrUnreadable) {
				t.Errorf("error %v, want %v", err, replay.ErrUnreadable)
			}
			if got := reported(report); summary != (replay.Summary{Agreed: 2, Disagreed: 1}) || !slices.Equal(got, []int{2}) {
				t.Errorf("%+v, reported %v:\n%s", summary, got, report)
			}
		})
	}
}

func TestNothingToReplayIsAnError(t *testing.T) {
	for _, text := range []string{"", "\n\n", "  "} {
		if _, _, err := replayLines([]string{text}); !errors.Is(err, replay.ErrEmpty) {
			t.Errorf("%q: error %v, want %v", text, err, replay.ErrEmpty)
		}
	}
}

func FuzzReplay(f *testing.F) {
	for _, name := range []string{"serial.jsonl", "tickets.jsonl"} {
		for _, line := range vectors(f, name) {
			f.Add(line)
		}
	}
	f.Add(vectors(f, "traces.jsonl.gz")[0])
	f.Fuzz(func(t *testing.T, text string) {
		_, summary, err := replayLines([]string{text})
		if err == nil && summary.Agreed+summary.Disagreed == 0 {
			t.Error("no line and no error")
		}
	})
}
