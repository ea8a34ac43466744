package simulator

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// record is one exchange over the Bot API. The token is no part of it.
type record struct {
	Number   int               `json:"number"`
	Time     time.Time         `json:"time"`
	Method   string            `json:"method"` // "webhook" for an update delivered to the bot
	Fields   map[string]string `json:"fields,omitempty"`
	Files    []recordedFile    `json:"files,omitempty"`
	Update   json.RawMessage   `json:"update,omitempty"` // with webhook
	Status   int               `json:"status,omitempty"`
	Response json.RawMessage   `json:"response,omitempty"`
	Fault    string            `json:"fault,omitempty"`
}

type recordedFile struct {
	Field   string `json:"field"`
	Name    string `json:"name"`
	Content []byte `json:"content"` // base64 in JSON
}

// traffic keeps everything that went over the Bot API, for leak tests.
type traffic struct {
	mu      sync.Mutex
	records []record
}

func (t *traffic) add(r record) {
	if r.Fields["secret_token"] != "" {
		r.Fields = maps.Clone(r.Fields)
		r.Fields["secret_token"] = "(left out)"
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	r.Number = len(t.records) + 1
	t.records = append(t.records, r)
}

// after lists the exchanges with a number above n.
func (t *traffic) after(n int) []record {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.records[min(max(n, 0), len(t.records)):])
}

func recordFiles(p params) []recordedFile {
	files := make([]recordedFile, 0, len(p.files))
	for field, u := range p.files {
		files = append(files, recordedFile{Field: field, Name: u.name, Content: u.data})
	}
	slices.SortFunc(files, func(a, b recordedFile) int { return strings.Compare(a.Field, b.Field) })
	return files
}
