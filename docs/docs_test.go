// Package docs_test keeps the documents true: their links lead somewhere, and they name the settings that there are.
package docs_test

import (
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of settings anew")

// documents are the texts for people, by path from here.
func documents(t *testing.T) map[string]string {
	t.Helper()
	paths := []string{"../README.md", "../CHANGELOG.md", "../Dockerfile"}
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".md" {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, path := range paths {
		texts[path] = read(t, path)
	}
	return texts
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var link = regexp.MustCompile(`\]\(([^)#]+)(#[^)]*)?\)`)

func TestLinksLeadSomewhere(t *testing.T) {
	_, err := os.Stat("pictures")
	noPictures := errors.Is(err, fs.ErrNotExist) // none were taken yet
	for path, text := range documents(t) {
		for _, found := range link.FindAllStringSubmatch(text, -1) {
			target := filepath.Join(filepath.Dir(path), found[1])
			if strings.Contains(found[1], "://") || noPictures && strings.Contains(target, "docs/pictures/") {
				continue
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: %s is not there", path, found[1])
			}
		}
	}
}

func TestEveryDecisionIsListed(t *testing.T) {
	list := read(t, "decisions/README.md")
	records, err := filepath.Glob("decisions/0*.md")
	if err != nil || len(records) == 0 {
		t.Fatal("no records", err)
	}
	for _, record := range records {
		if !strings.Contains(list, "("+filepath.Base(record)+")") {
			t.Errorf("%s is not in the list", record)
		}
	}
}

var variable = regexp.MustCompile(`USHER_[A-Z][A-Z0-9_]*[A-Z0-9]`)

func TestDocumentsNameSettingsThatThereAre(t *testing.T) {
	var names []string
	for _, s := range settings(t) {
		names = append(names, s.name)
	}
	for path, text := range documents(t) {
		for _, name := range variable.FindAllString(text, -1) {
			if !slices.Contains(names, name) && !slices.Contains(names, strings.TrimSuffix(name, "_FILE")) {
				t.Errorf("%s: there is no setting %s", path, name)
			}
		}
	}
}

const (
	tableBegins = "<!-- settings -->\n"
	tableEnds   = "<!-- end of settings -->\n"
)

func TestTheTableOfSettings(t *testing.T) {
	const path = "configuration.md"
	before, rest, _ := strings.Cut(read(t, path), tableBegins)
	table, after, ok := strings.Cut(rest, tableEnds)
	if !ok {
		t.Fatalf("%s has no place for the table", path)
	}
	var want strings.Builder
	want.WriteString("| setting | usually | what it says |\n|---|---|---|\n")
	for _, s := range settings(t) {
		fmt.Fprintf(&want, "| `%s`%s | %s | %s |\n", s.name, s.file, s.usual, s.what)
	}
	if table == want.String() {
		return
	}
	if !*update {
		t.Fatalf("%s is of another version; renew it with: go test ./docs -update", path)
	}
	if err := os.WriteFile(path, []byte(before+tableBegins+want.String()+tableEnds+after), 0o600); err != nil {
		t.Fatal(err)
	}
}

// setting is one field of the environment that config.go reads.
type setting struct{ name, file, usual, what string }

// settings reads config.go without compiling it: the whole program is much to compile for a table.
func settings(t *testing.T) []setting {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../config.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var list []setting
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.TypeSpec)
		if !ok || spec.Name.Name != "environment" {
			return true
		}
		for _, field := range spec.Type.(*ast.StructType).Fields.List {
			for _, name := range field.Names {
				list = append(list, settingOf(t, name.Name, field.Tag.Value))
			}
		}
		return false
	})
	if len(list) == 0 {
		t.Fatal("config.go has no struct environment")
	}
	return list
}

// words finds the words of a field's name; a run of capitals at its end is one.
var words = regexp.MustCompile(`([^A-Z]+|[A-Z]+[^A-Z]+|[A-Z]+)`)

func settingOf(t *testing.T, field, quoted string) setting {
	t.Helper()
	raw, err := strconv.Unquote(quoted)
	if err != nil {
		t.Fatal(err)
	}
	tag := reflect.StructTag(raw)
	name := tag.Get("envconfig")
	if name == "" {
		name = strings.ToUpper(strings.Join(words.FindAllString(field, -1), "_"))
	}
	s := setting{name: "USHER_" + name, what: strings.ReplaceAll(tag.Get("desc"), "|", `\|`)}
	s.what = strings.NewReplacer("<", "&lt;", ">", "&gt;").Replace(s.what)
	if usual := tag.Get("default"); usual != "" {
		s.usual = "`" + usual + "`"
	}
	if tag.Get("secret") != "" {
		s.file = " or `_FILE`"
	}
	return s
}
