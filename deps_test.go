package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/usherbot/usher"

// imports lists what a package imports, transitively.
func imports(t *testing.T, pkg string) []string {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", pkg).Output() // #nosec G204 -- our own package names
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}

func TestFlowsKnowNoTelegramNoRedisNoNetwork(t *testing.T) {
	for _, pkg := range []string{"/flows", "/flows/order", "/flows/audit"} {
		for _, dep := range imports(t, module+pkg) {
			allowed := !strings.Contains(strings.Split(dep, "/")[0], ".") || // the standard library
				strings.HasPrefix(dep, module+"/flows") || dep == module+"/chain/cirrus" ||
				strings.HasPrefix(dep, "github.com/btcsuite/btcd/btcutil/base58") ||
				strings.HasPrefix(dep, "github.com/nicksnyder/go-i18n/") || strings.HasPrefix(dep, "golang.org/x/text/")
			if !allowed || dep == "net/http" {
				t.Errorf("%s imports %s", pkg, dep)
			}
		}
	}
}

func TestNounsImportOnlyBase58(t *testing.T) {
	for _, dep := range imports(t, module+"/chain/cirrus") {
		if strings.Contains(strings.Split(dep, "/")[0], ".") && dep != module+"/chain/cirrus" &&
			!strings.HasPrefix(dep, "github.com/btcsuite/btcd/btcutil/base58") {
			t.Errorf("chain/cirrus imports %s", dep)
		}
	}
}

func TestAdaptersNeverImportEachOther(t *testing.T) {
	adapters := []string{"bot", "chain", "storage", "ticketgen"}
	out, err := exec.Command("go", "list", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, pkg := range strings.Fields(string(out)) {
		own, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(pkg, module), "/"), "/")
		if !slices.Contains(adapters, own) || pkg == module+"/chain/cirrus" {
			continue
		}
		for _, dep := range imports(t, pkg) {
			other, _, _ := strings.Cut(strings.TrimPrefix(dep, module+"/"), "/")
			if strings.HasPrefix(dep, module+"/") && other != own && slices.Contains(adapters, other) && dep != module+"/chain/cirrus" {
				t.Errorf("%s imports %s", pkg, dep)
			}
		}
	}
}

func TestOnlySecretChatsAndTheSimulatorKnowGotd(t *testing.T) {
	for _, pkg := range []string{"/flows", "/flows/order", "/chain", "/chain/sandbox", "/ticketgen", "/storage", "/bot"} {
		for _, dep := range imports(t, module+pkg) {
			if strings.HasPrefix(dep, "github.com/gotd/") {
				t.Errorf("%s imports %s", pkg, dep)
			}
		}
	}
}
