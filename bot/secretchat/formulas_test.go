package secretchat

import (
	"bytes"
	"crypto/aes"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
)

// The formulas here are written down anew from the protocol's description, byte by
// byte, and share nothing with the library but AES itself.

// igeByHand is AES-256 in infinite garble extension.
func igeByHand(key, iv, in []byte, decrypt bool) []byte {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	previousOut, previousIn := iv[:16], iv[16:]
	if decrypt {
		previousOut, previousIn = iv[16:], iv[:16]
	}
	var out []byte
	for ; len(in) > 0; in = in[16:] {
		mixed, result := make([]byte, 16), make([]byte, 16)
		for i := range mixed {
			mixed[i] = in[i] ^ previousOut[i]
		}
		if decrypt {
			block.Decrypt(result, mixed)
		} else {
			block.Encrypt(result, mixed)
		}
		for i := range result {
			result[i] ^= previousIn[i]
		}
		out = append(out, result...)
		previousOut, previousIn = result, in[:16]
	}
	return out
}

func sum256(parts ...[]byte) []byte {
	sum := sha256.Sum256(bytes.Join(parts, nil))
	return sum[:]
}

func messageKeysByHand(key []byte, x int, msgKey []byte) (aesKey, iv []byte) {
	a := sum256(msgKey, key[x:x+36])
	b := sum256(key[40+x:40+x+36], msgKey)
	aesKey = bytes.Join([][]byte{a[0:8], b[8:24], a[24:32]}, nil)
	iv = bytes.Join([][]byte{b[0:8], a[8:24], b[24:32]}, nil)
	return aesKey, iv
}

func sealIndependently(key []byte, x int, plain []byte) []byte {
	msgKey := sum256(key[88+x:88+x+32], plain)[8:24]
	aesKey, iv := messageKeysByHand(key, x, msgKey)
	id := sha1.Sum(key)
	return bytes.Join([][]byte{id[12:20], msgKey, igeByHand(aesKey, iv, plain, false)}, nil)
}

func randomKey(t *testing.T) []byte {
	key := make([]byte, keyLen)
	if _, err := rand.Read(key); err != nil {
		t.Fatal(err)
	}
	return key
}

func TestSealedMessageIsWhatTheDescriptionSays(t *testing.T) {
	for _, byCreator := range []bool{true, false} {
		x := 8
		if byCreator {
			x = 0
		}
		for length := 0; length < 600; length += 4 {
			key, data := randomKey(t), bytes.Repeat([]byte{7}, length)
			wire, err := seal(key, byCreator, data, rand.Reader)
			must(t, err)
			id := sha1.Sum(key)
			if !bytes.Equal(wire[:8], id[12:]) {
				t.Fatal("fingerprint")
			}
			aesKey, iv := messageKeysByHand(key, x, wire[8:24])
			plain := igeByHand(aesKey, iv, wire[24:], true)
			if !bytes.Equal(sum256(key[88+x:120+x], plain)[8:24], wire[8:24]) {
				t.Fatal("message key")
			}
			padding := len(plain) - 4 - length
			if int(binary.LittleEndian.Uint32(plain)) != length || !bytes.Equal(plain[4:4+length], data) ||
				padding < 12 || padding > 1024 || len(plain)%16 != 0 {
				t.Fatalf("plaintext of %d bytes for %d bytes of data", len(plain), length)
			}
		}
	}
}

func TestMessageSealedByHandIsRead(t *testing.T) {
	for _, x := range []int{0, 8} {
		key := randomKey(t)
		plain := append([]byte{8, 0, 0, 0}, make([]byte, 8+20)...)
		copy(plain[4:], "contents")
		got, fault := unseal(key, x == 0, sealIndependently(key, x, plain))
		if fault != "" || string(got) != "contents" {
			t.Fatalf("%q, fault %q", got, fault)
		}
		if _, fault := unseal(key, x != 0, sealIndependently(key, x, plain)); fault != FaultMessageKey {
			t.Fatalf("read with the other side's keys: %q", fault)
		}
	}
}

func TestKeyFingerprintIsTheEndOfSHA1(t *testing.T) {
	key := randomKey(t)
	sum := sha1.Sum(key)
	if got := fingerprintOf(key); got != int64(binary.LittleEndian.Uint64(sum[12:20])) {
		t.Fatal(got)
	}
}

func TestEncryptedFileIsWhatTheDescriptionSays(t *testing.T) {
	for _, size := range []int{1, 15, 16, 17, 4096, 5000} {
		plain := bytes.Repeat([]byte{3}, size)
		f, err := encryptFile(plain, rand.Reader)
		must(t, err)
		if len(f.Data)%16 != 0 || len(f.Data)-size >= 16 || f.Size != size {
			t.Fatalf("%d bytes became %d, size %d", size, len(f.Data), f.Size)
		}
		if got := igeByHand(f.Key, f.IV, f.Data, true); !bytes.Equal(got[:size], plain) {
			t.Fatal("the file does not decrypt")
		}
		d := md5.Sum(append(bytes.Clone(f.Key), f.IV...))
		want := int32(d[0]^d[4]) | int32(d[1]^d[5])<<8 | int32(d[2]^d[6])<<16 | int32(d[3]^d[7])<<24
		if f.Ref.Fingerprint != int(want) {
			t.Fatalf("fingerprint %d, want %d", f.Ref.Fingerprint, want)
		}
	}
}

func TestKeyPictureIsWhatTheDescriptionSays(t *testing.T) {
	key := randomKey(t)
	got := KeyPicture(keyPicture(key))
	old := sha1.Sum(key)
	all := append(bytes.Clone(old[:16]), sum256(key)[:20]...)
	if !bytes.Equal(got[:], all) {
		t.Fatal("bytes")
	}
	bits := func(cell int) uint8 { // two bits for each cell, lowest first
		return all[cell*2/8] >> (cell * 2 % 8) & 3
	}
	for row, line := range got.Cells() {
		for column, colour := range line {
			if colour != bits(row*12+column) {
				t.Fatalf("cell %d,%d is %d", row, column, colour)
			}
		}
	}
	text := strings.Join(strings.Fields(strings.Join(slice4(got.Lines()), " ")), "")
	if text != fmt.Sprintf("%x", all[:32]) {
		t.Fatalf("digits %s", text)
	}
	if line := got.Lines()[0]; len(line) != 8*2+7+1 || line[11:13] != "  " {
		t.Errorf("line %q has no gap in the middle", line)
	}
}

func slice4(lines [4]string) []string { return lines[:] }

func TestKeysNeverPrint(t *testing.T) {
	key := secret("0123456789abcdef")
	c := &chat{ID: 5, Phase: PhaseOpen, Key: &chatKey{Bytes: key}, Exponent: key}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		for _, value := range []any{c, key, *c.Key, c.Key} {
			if text := fmt.Sprintf(format, value); strings.Contains(text, "012345") || strings.Contains(text, "48 49") ||
				strings.Contains(text, "0x30, 0x31") {
				t.Errorf("%s of %T prints the key: %s", format, value, text)
			}
		}
	}
}
