package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
)

// maxBody is the largest request taken, in bytes: 50 MB of file, as Telegram
// takes from bots, and some room for the fields.
const maxBody = 51 << 20

// params are the fields and files of one request, whatever its encoding.
// Values that are not strings are kept as their JSON text.
type params struct {
	fields map[string]string
	files  map[string]upload
}

type upload struct {
	name string
	data []byte
}

// readParams takes fields from the address, from forms, multipart or
// urlencoded, and from JSON objects.
func readParams(r *http.Request) (params, error) {
	p := params{fields: make(map[string]string), files: make(map[string]upload)}
	p.addValues(r.URL.Query())
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil && r.Header.Get("Content-Type") != "" {
		return p, fmt.Errorf("reading the content type: %w", err)
	}
	switch kind {
	case "application/json":
		return p, p.addJSON(r.Body)
	case "multipart/form-data":
		return p, p.addMultipart(r)
	default:
		if err := r.ParseForm(); err != nil {
			return p, fmt.Errorf("reading the form: %w", err)
		}
		p.addValues(r.PostForm)
	}
	return p, nil
}

func (p params) addValues(values map[string][]string) {
	for name, all := range values {
		if len(all) > 0 {
			p.fields[name] = all[len(all)-1]
		}
	}
}

func (p params) addJSON(body io.Reader) error {
	object := make(map[string]json.RawMessage)
	if err := json.NewDecoder(body).Decode(&object); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the JSON body: %w", err)
	}
	for name, raw := range object {
		var s string
		switch {
		case string(raw) == "null":
		case json.Unmarshal(raw, &s) == nil:
			p.fields[name] = s
		default:
			p.fields[name] = string(raw)
		}
	}
	return nil
}

func (p params) addMultipart(r *http.Request) error {
	parts, err := r.MultipartReader()
	if err != nil {
		return fmt.Errorf("reading the multipart body: %w", err)
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading a part of the body: %w", err)
		}
		if err := p.addPart(part); err != nil {
			return err
		}
	}
}

func (p params) addPart(part *multipart.Part) error {
	data, err := io.ReadAll(part)
	if err != nil {
		return fmt.Errorf("reading the part %q: %w", part.FormName(), err)
	}
	if part.FileName() == "" {
		p.fields[part.FormName()] = string(data)
		return nil
	}
	p.files[part.FormName()] = upload{name: part.FileName(), data: data}
	return nil
}

func (p params) str(name string) string { return p.fields[name] }

func (p params) integer(name string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(p.fields[name]), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func (p params) flag(name string) bool {
	switch strings.ToLower(p.fields[name]) {
	case "true", "yes", "1":
		return true
	}
	return false
}

// object reads a field that holds JSON; nothing happens where it is missing.
func (p params) object(name string, into any) error {
	raw := p.fields[name]
	if raw == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(raw), into); err != nil {
		return badRequest("can't parse %s JSON object", strings.ReplaceAll(name, "_", " "))
	}
	return nil
}
