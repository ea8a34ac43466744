package door_test

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/crypto/sha3"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox/contract"
	"github.com/usherbot/usher/chain/sandbox/door"
)

const plain = "h8pqqc2_r90je7v"

var (
	seat1A = cirrus.Seat{Number: 1, Letter: 'A'}
	key    = []byte(strings.Repeat("k", 32))
	iv     = []byte(strings.Repeat("v", 16))
)

func seal(text string) []byte {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	padding := aes.BlockSize - len(text)%aes.BlockSize
	data := []byte(text + strings.Repeat(string(rune(padding)), padding))
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(data, data)
	return data
}

func hashed(seat cirrus.Seat, name string) contract.Ticket {
	hash := sha3.Sum224([]byte(plain))
	ticket := contract.Ticket{Seat: seat, Owner: cirrus.Hash{9}, Secret: hash[:]}
	if name != "" {
		ticket.Identifier = seal(name)
	}
	return ticket
}

func ciphered(seat cirrus.Seat) contract.Ticket {
	return contract.Ticket{Seat: seat, Owner: cirrus.Hash{9}, Secret: seal(plain)}
}

// qr makes an array of one ticket for seat 1A out of members.
func qr(members ...string) string {
	return `[{"seat":{"number":1,"letter":"A"},"secret":"` + plain + `"` + strings.Join(members, "") + `}]`
}

func hexMember(name string, data []byte) string {
	return fmt.Sprintf(`,%q:"%s"`, name, hex.EncodeToString(data))
}

func cipherMembers() string { return hexMember("secretKey", key) + hexMember("secretIV", iv) }

func TestScannerIsLaxInFormAndStrictInMembers(t *testing.T) {
	const ok, no = true, false
	for text, accepted := range map[string]bool{
		qr(): ok,
		`[{'seat':{number:1,letter:'A'},secret:'x'}]`:                                       ok,
		`[{"SEAT":{"NUMBER":1,"LETTER":"A"},"SECRET":"x"}]`:                                 ok,
		`[{"seat":{"number":1,"letter":"A",},"secret":"x",},]`:                              ok,
		"/* a */ [ // b\n {\"seat\":/* c */{\"number\":/**/1,\"letter\":65},\"secret\":1}]": ok,
		`[{"seat":{},"secret":""}]`:                                                         ok,
		`[{"seat":{"number":"1","letter":"\u0041"},"secret":true}]`:                         ok,
		`[{"seat":{"number":0x10,"letter":0101},"secret":1.5e3}]`:                           ok,
		`[{"$id":"1","seat":{"number":1},"secret":"x"},{"$ref":"1"}]`:                       ok,
		`{"$values":[{"seat":{"number":1},"secret":"x"}]}`:                                  ok,
		`[{"secret":"y","seat":{"number":2},"secret":"x"}] // end`:                          ok,
		qr(hexMember("nameKey", key), hexMember("nameIV", iv)):                              ok,
		qr(`,"nameKey":""`):   ok,
		qr(`,"nameKey":"+1"`): ok,
		`[null]`:              ok, // and dies over it later
		`[,]`:                 ok,
		`[""]`:                ok,

		qr(cipherMembers()):                             no,
		qr(`,"extra":1`):                                no,
		qr(`,"nameKey":null`):                           no,
		qr(`,"nameKey":12`):                             no,
		qr(`,"nameKey":"ABC"`):                          no,
		qr(`,"nameKey":"0xAB"`):                         no,
		qr(`,"nameKey":/**/"AB"`):                       no,
		qr(`,"$id":"1"`):                                no,
		qr() + "x":                                      no,
		qr() + qr():                                     no,
		"\uFEFF" + qr():                                 no,
		qr()[:len(qr())-1]:                              no,
		`[{"seat":{"number":1,"letter":"A"}}]`:          no,
		`[{"secret":"x"}]`:                              no,
		`[{"seat":null,"secret":"x"}]`:                  no,
		`[{"seat":{"number":1},"secret":null}]`:         no,
		`[{"seat":{"number":1.0},"secret":"x"}]`:        no,
		`[{"seat":{"number":2147483648},"secret":"x"}]`: no,
		`[{"seat":{"number":09},"secret":"x"}]`:         no,
		`[{"seat":{"number":null},"secret":"x"}]`:       no,
		`[{"seat":{"number":true},"secret":"x"}]`:       no,
		`[{"seat":{"letter":"AB"},"secret":"x"}]`:       no,
		`[{"seat":{"letter":""},"secret":"x"}]`:         no,
		`[{"seat":{"letter":65536},"secret":"x"}]`:      no,
		`[{"seat":{"row":1},"secret":"x"}]`:             no,
		`[{"seat":{} "secret":"x"}]`:                    no,
		`[{"seat":{},"secret":"\x41"}]`:                 no,
		`[{"seat":{},"secret":{}}]`:                     no,
		`[{,}]`:                                         no, `[{]`: no, `[}`: no, `[`: no, `{`: no, `]`: no, `[1]`: no, `["a"]`: no, `[new Date(1)]`: no,
		``: no, ` `: no, `[]`: no, `{}`: no, `null`: no, `undefined`: no, `1`: no, `""`: no, `"x"`: no, `// x`: no,
		`/* x`: no, `/`: no, `nul`: no, `nullx`: no, `-`: no, `[[]]`: no, `[{"$ref":1}]`: no, `{"$values":1}`: no,
	} {
		if got := door.Parse(door.Hashed, text); got.Accepted != accepted {
			t.Errorf("%s: accepted %v (%s%s), want %v", text, got.Accepted, got.Uncaught, got.Reason, accepted)
		}
	}
}

func TestCipheredScannerNeedsKeyAndVector(t *testing.T) {
	for text, accepted := range map[string]bool{
		qr(cipherMembers()):                    true,
		qr():                                   false,
		qr(hexMember("secretKey", key)):        false,
		qr(`,"secretKey":"","secretIV":"00"`):  false,
		qr(`,"secretKey":"0","secretIV":"00"`): false,
	} {
		if got := door.Parse(door.Ciphered, text); got.Accepted != accepted {
			t.Errorf("%s: %+v, want %v", text, got, accepted)
		}
	}
}

func TestParsedTicketHoldsWhatTheQRSays(t *testing.T) {
	got := door.Parse(door.Ciphered, qr(cipherMembers(), hexMember("nameKey", key)))
	if !got.Accepted || len(got.Tickets) != 1 {
		t.Fatalf("%+v", got)
	}
	ticket := got.Tickets[0]
	if ticket.Seat != seat1A || ticket.Secret != plain || string(ticket.SecretKey) != string(key) ||
		string(ticket.SecretIV) != string(iv) || string(ticket.NameKey) != string(key) || ticket.NameIV != nil {
		t.Errorf("seat %v, secret %q", ticket.Seat, ticket.Secret)
	}
	for _, text := range []string{fmt.Sprint(ticket), fmt.Sprintf("%+v %#v %s", *ticket, *ticket, ticket.LogValue())} {
		if strings.Contains(text, plain) || strings.Contains(text, string(key)) || strings.Contains(text, "107") {
			t.Errorf("a ticket prints its secret: %s", text)
		}
	}
}

func TestScannerDiesOverNullKeys(t *testing.T) {
	for text, exception := range map[string]string{
		qr(`,"nameIV":null`):                   "System.NullReferenceException",
		qr(`,"nameIV":undefined`):              "System.NullReferenceException",
		qr(`,"nameIV":[]`):                     "System.NullReferenceException",
		qr(`,"nameIV":1.5`):                    "System.InvalidCastException",
		qr(`,"nameIV":"A"`):                    "System.ArgumentOutOfRangeException",
		qr(`,"nameIV":"2020-03-09T13:34:02Z"`): "System.InvalidCastException",
	} {
		if got := door.Parse(door.Hashed, text); got.Uncaught != exception || got.Accepted {
			t.Errorf("%s: %+v, want %s", text, got, exception)
		}
	}
}

func TestHolderIsLetInWithOrWithoutTheName(t *testing.T) {
	for text, want := range map[string]door.Result{
		qr(hexMember("nameKey", key), hexMember("nameIV", iv)):                             {Verdict: door.Valid, Name: "Ada"},
		qr(hexMember("nameKey", []byte(strings.Repeat("x", 32))), hexMember("nameIV", iv)): {Verdict: door.Valid},
		qr(hexMember("nameKey", key), hexMember("nameIV", iv[1:])):                         {Verdict: door.Faulted},
		qr(): {Verdict: door.Faulted},
	} {
		got := door.Check(door.Hashed, door.Parse(door.Hashed, text).Tickets[0], hashed(seat1A, "Ada"))
		if got.Verdict != want.Verdict || got.Name != want.Name {
			t.Errorf("%s: %+v, want %+v", text, got, want)
		}
	}
}

func TestOnlyTheSecretOnChainOpens(t *testing.T) {
	other := strings.Replace(qr(), plain, "another_secret1", 1)
	sold := []door.LoggedTicket{{Height: 11, Ticket: hashed(seat1A, "")}}
	for text, opens := range map[string]bool{qr(): true, other: false, qr(cipherMembers()): false} {
		got := door.Scan(door.Hashed, sold, 10, text)
		if got.Opens != opens {
			t.Errorf("%s: %+v", text, got)
		}
	}
	sold[0].Ticket = ciphered(seat1A)
	if got := door.Scan(door.Ciphered, sold, 10, qr(cipherMembers())); !got.Opens {
		t.Errorf("ciphered: %+v", got)
	}
}

func TestWhatWasSoldInTheShowsOwnBlockIsDenied(t *testing.T) {
	got := door.Scan(door.Hashed, []door.LoggedTicket{{Height: 10, Ticket: hashed(seat1A, "")}}, 10, qr())
	if got.Opens || got.Tickets[0].Verdict != door.Denied {
		t.Errorf("%+v", got)
	}
}

func TestReleasedSeatGetsNoAnswer(t *testing.T) {
	logs := []door.LoggedTicket{
		{Height: 11, Ticket: hashed(seat1A, "")}, {Height: 12, Ticket: contract.Ticket{Seat: seat1A}},
	}
	got := door.Scan(door.Hashed, logs, 10, qr())
	if got.Opens || got.Tickets[0].Verdict != door.NoAnswer || got.Uncaught != "System.InvalidOperationException" {
		t.Errorf("%+v", got)
	}
}

func TestTwoSoldSeatsInOneQRGetNoAnswer(t *testing.T) {
	seat2A := cirrus.Seat{Number: 2, Letter: 'A'}
	both := strings.TrimSuffix(qr(), "]") + "," + strings.TrimPrefix(strings.Replace(qr(), ":1,", ":2,", 1), "[")
	logs := []door.LoggedTicket{{Height: 11, Ticket: hashed(seat1A, "")}, {Height: 12, Ticket: hashed(seat2A, "")}}
	got := door.Scan(door.Hashed, logs, 10, both)
	if got.Opens || len(got.Tickets) != 2 || got.Tickets[1].Verdict != door.NoAnswer || got.Tickets[1].Seat != seat2A {
		t.Errorf("%+v", got)
	}
	got = door.Scan(door.Hashed, logs[:1], 10, both)
	if got.Opens || got.Tickets[0].Verdict != door.Valid || got.Tickets[1].Verdict != door.Denied {
		t.Errorf("one of two sold: %+v", got)
	}
}

func TestWithoutAShowThereIsNoYesAndNoNo(t *testing.T) {
	got := door.Scan(door.Hashed, []door.LoggedTicket{{Height: 11, Ticket: hashed(seat1A, "")}}, 0, qr())
	if got.Opens || got.Tickets[0].Verdict != door.Faulted {
		t.Errorf("%+v", got)
	}
}

func TestNullTicketKillsTheScan(t *testing.T) {
	got := door.Scan(door.Hashed, nil, 10, "[null]")
	if got.Opens || got.Uncaught != "System.NullReferenceException" || got.Tickets[0].Verdict != door.NoAnswer {
		t.Errorf("%+v", got)
	}
}

func TestOutcomeTellsNoSecret(t *testing.T) {
	got := door.Scan(door.Hashed, []door.LoggedTicket{{Height: 11, Ticket: hashed(seat1A, "")}}, 10, qr())
	text, err := json.Marshal(got)
	if err != nil || strings.Contains(string(text), plain) {
		t.Errorf("%s, %v", text, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(qr(), true)
	f.Add(qr(cipherMembers()), false)
	f.Add(`[{'seat':{number:0x1,letter:"\u0041"},/**/secret:1e3,},,]//`, true)
	f.Add(`{"$id":1,"$values":[{"$ref":null,"seat":{"$type":""}}]}`, true)
	f.Fuzz(func(t *testing.T, text string, isHashed bool) {
		generation := door.Ciphered
		if isHashed {
			generation = door.Hashed
		}
		parsed := door.Parse(generation, text)
		if parsed.Accepted != (len(parsed.Tickets) > 0) || parsed.Accepted == (parsed.Reason != "") {
			t.Errorf("%q: accepted %v, %d tickets, reason %q", text, parsed.Accepted, len(parsed.Tickets), parsed.Reason)
		}
		outcome := door.Scan(generation, []door.LoggedTicket{{Height: 2, Ticket: hashed(seat1A, "x")}}, 1, text)
		if outcome.Opens && generation == door.Ciphered {
			t.Errorf("%q opens", text)
		}
	})
}
