package storage

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAKeyRingComesBackFromItsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	made, err := CreateKeyring(path)
	must(t, err)
	if _, err := CreateKeyring(path); !errors.Is(err, fs.ErrExist) {
		t.Fatalf("got %v, a key ring must never be overwritten", err)
	}
	loaded, err := LoadKeyring(path)
	must(t, err)
	sealed, err := made.Seal([]byte("secret"), "a")
	must(t, err)
	plain, err := loaded.Open(sealed, "a")
	must(t, err)
	one, errOne := made.Derive("x", 32)
	two, errTwo := loaded.Derive("x", 32)
	other, errOther := loaded.Derive("y", 32)
	must(t, errors.Join(errOne, errTwo, errOther))
	if string(plain) != "secret" || !bytes.Equal(one, two) || bytes.Equal(one, other) {
		t.Fatal("the loaded ring is not the one that was made")
	}
}

func TestAKeyRingOpenToOthersIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	_, err := CreateKeyring(path)
	must(t, err)
	for _, mode := range []fs.FileMode{0o640, 0o604, 0o660, 0o644} {
		must(t, os.Chmod(path, mode))
		if _, err := LoadKeyring(path); !errors.Is(err, ErrKeysOpen) || !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("mode %#o: got %v", mode, err)
		}
	}
	must(t, os.Chmod(path, 0o400))
	_, err = LoadKeyring(path)
	must(t, err)
	if _, err := LoadKeyring(filepath.Dir(path)); !errors.Is(err, ErrKeys) {
		t.Errorf("a folder: got %v", err)
	}
	if _, err := LoadKeyring(path + ".none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: got %v", err)
	}
}

func TestWhatIsSealedOpensForItsPurposeOnly(t *testing.T) {
	keys := ring(t)
	sealed, err := keys.Seal([]byte("secret"), "order:a")
	must(t, err)
	altered := bytes.Clone(sealed)
	altered[len(altered)-1] ^= 1
	_, errPurpose := keys.Open(sealed, "order:b")
	_, errAltered := keys.Open(altered, "order:a")
	_, errEmpty := keys.Open(nil, "order:a")
	_, errOther := ring(t).Open(sealed, "order:a")
	for what, err := range map[string]error{
		"purpose": errPurpose, "altered": errAltered, "empty": errEmpty, "another ring": errOther,
	} {
		if !errors.Is(err, ErrSealed) {
			t.Errorf("%s: got %v", what, err)
		}
	}
}

func TestARotatedRingOpensWhatTheOldOneSealed(t *testing.T) {
	var file bytes.Buffer
	old := ring(t)
	_, err := old.Rotate(&file)
	must(t, err)
	rotated, err := ReadKeyring(&file)
	must(t, err)
	sealed, err := old.Seal([]byte("secret"), "a")
	must(t, err)
	plain, err := rotated.Open(sealed, "a")
	must(t, err)
	if string(plain) != "secret" {
		t.Fatalf("got %q", plain)
	}
	sealed, err = rotated.Seal([]byte("secret"), "a")
	must(t, err)
	if _, err := old.Open(sealed, "a"); !errors.Is(err, ErrSealed) {
		t.Fatal("the rotated ring still seals with the old key")
	}
	before, errBefore := old.Derive("x", 32)
	after, errAfter := rotated.Derive("x", 32)
	must(t, errors.Join(errBefore, errAfter))
	if !bytes.Equal(before, after) {
		t.Fatal("derived keys changed")
	}
}

// TestWhatIsDerivedNeverChanges: the secrets of tickets come from it. The value was made by another program.
func TestWhatIsDerivedNeverChanges(t *testing.T) {
	ring := &Keyring{derive: make([]byte, deriveBytes)}
	for i := range ring.derive {
		ring.derive[i] = byte(i)
	}
	got, err := ring.Derive("ticket/1/example", 32)
	must(t, err)
	if want := "2d1f2cb4f42c854e9bf58046056046049524cd470dac065d433bfc2680d38b0e"; fmt.Sprintf("%x", got) != want {
		t.Fatalf("got %x", got)
	}
}

func FuzzReadKeyring(f *testing.F) {
	var file bytes.Buffer
	if _, err := NewKeyring(&file); err != nil {
		f.Fatal(err)
	}
	f.Add(file.Bytes())
	f.Add([]byte(`{"format":1,"seal":{},"derive":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}`))
	f.Add([]byte(`{"format":2}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		keys, err := ReadKeyring(bytes.NewReader(raw))
		if err != nil {
			if !errors.Is(err, ErrKeys) {
				t.Fatalf("got %v", err)
			}
			return
		}
		if sealed, err := keys.Seal([]byte("x"), "a"); err == nil {
			if _, err := keys.Open(sealed, "a"); err != nil {
				t.Fatal(err)
			}
		}
		_ = fmt.Sprint(keys)
	})
}
