package replay

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// differences collects what differs in one line.
type differences struct {
	list []string
}

// absent stands for a member that is not there.
type absent struct{}

// compare walks two JSON values and notes each place where they differ.
func (d *differences) compare(field string, want, got any) {
	switch got := got.(type) {
	case map[string]any:
		if want, ok := want.(map[string]any); ok {
			d.compareObjects(field, want, got)
			return
		}
	case []any:
		if want, ok := want.([]any); ok && len(want) == len(got) {
			for i := range got {
				d.compare(field+"["+strconv.Itoa(i)+"]", want[i], got[i])
			}
			return
		}
	default:
		if scalar(want) && want == got {
			return
		}
	}
	d.note(field, want, got)
}

func (d *differences) compareObjects(field string, want, got map[string]any) {
	names := slices.Collect(maps.Keys(got))
	for name := range want {
		if _, ok := got[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		d.compare(field+"."+name, member(want, name), member(got, name))
	}
}

func member(fields map[string]any, name string) any {
	if value, ok := fields[name]; ok {
		return value
	}
	return absent{}
}

// scalar tells whether a value may be compared with ==.
func scalar(value any) bool {
	switch value.(type) {
	case nil, bool, string, json.Number, absent:
		return true
	}
	return false
}

func (d *differences) note(field string, want, got any) {
	d.list = append(d.list, fmt.Sprintf("%s: wanted %s, got %s", field, show(want), show(got)))
}

// maxShown keeps a report readable: a whole hall of tickets is no help.
const maxShown = 160

func show(value any) string {
	if value == (absent{}) {
		return "nothing"
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	if len(text) > maxShown {
		return string(text[:maxShown]) + "…"
	}
	return string(text)
}
