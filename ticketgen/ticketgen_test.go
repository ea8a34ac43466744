package ticketgen_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"golang.org/x/crypto/sha3"
	"golang.org/x/image/draw"
	"pgregory.net/rapid"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows"
	"github.com/usherbot/usher/flows/order"
	"github.com/usherbot/usher/ticketgen"
)

// seedJSON is the example of Ticketbooth's document on customer integration.
const seedJSON = `
[
    {
        "seat": {
            "number": 1,
            "letter": "A"
        },
        "secret": "1vP-b8JwlL0ae4B",
        "secretKey": "894be55a951fee6c269d91ab77fa2fa7e48c56dd71d1e39c43b5a31ec16f5afe",
        "secretIV": "54b3a9a6743a775b923c90f3fb86d1c6",
        "nameKey": "4d38a395594a93e64783744eae669478de1a60be372ed24fdd42a82182eb502d",
        "nameIV": "7d4984f0bda1d5bbb341edf26553e896"
    }
]`

// exampleJSON is what the example picture of the hashed generation holds.
const exampleJSON = `[{"seat":{"number":1,"letter":"A"},"secret":"USfoUzEvP1wf04I",` +
	`"nameKey":"4d38a395594a93e64783744eae669478de1a60be372ed24fdd42a82182eb502d","nameIV":"7d4984f0bda1d5bbb341edf26553e896"}]`

const plain = "h8pqqc2_r90je7v"

var (
	seat   = cirrus.Seat{Number: 3, Letter: 'D'}
	secret = ticketgen.Cipher{Key: bytes.Repeat([]byte{0xA1}, 32), IV: bytes.Repeat([]byte{0xB2}, 16)}
	name   = ticketgen.Cipher{Key: bytes.Repeat([]byte{0xC3}, 32), IV: bytes.Repeat([]byte{0xD4}, 16)}
)

func ciphered() ticketgen.Ticket {
	return ticketgen.Ticket{Seat: seat, Secret: ticketgen.Secret{Plaintext: plain, Cipher: &secret}, Name: &name}
}

func hashed() ticketgen.Ticket {
	return ticketgen.Ticket{Seat: seat, Secret: ticketgen.Secret{Plaintext: plain}}
}

func encode(t testing.TB, tickets ...ticketgen.Ticket) []byte {
	t.Helper()
	payload, err := ticketgen.Encode(tickets...)
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

func TestTheDocumentsExampleComesBackByteForByte(t *testing.T) {
	var want bytes.Buffer
	if err := json.Compact(&want, []byte(seedJSON)); err != nil {
		t.Fatal(err)
	}
	tickets, err := ticketgen.Decode([]byte(seedJSON))
	if err != nil {
		t.Fatal(err)
	}
	if got := encode(t, tickets...); !bytes.Equal(got, want.Bytes()) {
		t.Errorf("got  %s\nwant %s", got, want.Bytes())
	}
}

func TestExamplePictureIsReadAndUnderstood(t *testing.T) {
	const file = "example-ticket-hashed-secret.png"
	for place, dir := range map[string]string{"own": "testdata", "shared": "../../shared/testdata"} {
		t.Run(place, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join(dir, file))
			if errors.Is(err, os.ErrNotExist) {
				t.Skipf("no %s in %s", file, dir)
			}
			if err != nil {
				t.Fatal(err)
			}
			payload := read(t, decodePNG(t, data))
			if payload != exampleJSON {
				t.Fatalf("the picture holds %s", payload)
			}
			tickets, err := ticketgen.Decode([]byte(payload))
			if err != nil || len(tickets) != 1 {
				t.Fatalf("%d tickets, %v", len(tickets), err)
			}
			want := cirrus.Seat{Number: 1, Letter: 'A'}
			if got := tickets[0]; got.Seat != want || got.Secret.Cipher != nil || got.Name == nil {
				t.Errorf("seat %v, ciphered %v, named %v", got.Seat, got.Secret.Cipher != nil, got.Name != nil)
			}
		})
	}
}

func drawCipher(rt *rapid.T, label string) *ticketgen.Cipher {
	if !rapid.Bool().Draw(rt, label) {
		return nil
	}
	return &ticketgen.Cipher{
		Key: rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(rt, label+"Key"),
		IV:  rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(rt, label+"IV"),
	}
}

func TestTicketsComeBackAsTheyWentIn(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		kind := drawCipher(rt, "secret")
		var tickets []ticketgen.Ticket
		for range rapid.IntRange(1, 4).Draw(rt, "tickets") {
			letter := rapid.Uint16Range(0, 0xD7FF).Draw(rt, "letter")
			tickets = append(tickets, ticketgen.Ticket{
				Seat: cirrus.Seat{Number: rapid.Int32Min(1).Draw(rt, "number"), Letter: cirrus.Char(letter)},
				Secret: ticketgen.Secret{
					Plaintext: rapid.StringMatching(`[A-Za-z0-9_-]{15}`).Draw(rt, "plaintext"), Cipher: kind,
				},
				Name: drawCipher(rt, "name"),
			})
		}
		payload := encode(t, tickets...)
		if strings.Contains(string(payload), "null") || bytes.ContainsFunc(payload, func(r rune) bool { return r > 0x7F }) {
			rt.Fatalf("payload %s", payload)
		}
		got, err := ticketgen.Decode(payload)
		if err != nil || !reflect.DeepEqual(got, tickets) {
			rt.Fatalf("%s came back otherwise: %v", payload, err)
		}
	})
}

func TestWhatIsNoTicketIsRefusedWithoutSayingWhatItHolds(t *testing.T) {
	good := string(encode(t, ciphered()))
	hex64 := hex.EncodeToString(secret.Key)
	change := func(old, new string) string {
		changed := strings.Replace(good, old, new, 1)
		if changed == good {
			t.Fatalf("nothing to change: %s", old)
		}
		return changed
	}
	for text, want := range map[string]error{
		``:                                   ticketgen.ErrTicketSyntax,
		`{}`:                                 ticketgen.ErrTicketSyntax,
		`[1]`:                                ticketgen.ErrTicketSyntax,
		`[null]`:                             ticketgen.ErrTicketSyntax,
		`null`:                               ticketgen.ErrNoTicket,
		`[]`:                                 ticketgen.ErrNoTicket,
		good + good:                          ticketgen.ErrTicketSyntax,
		good[:len(good)-1]:                   ticketgen.ErrTicketSyntax,
		strings.Repeat(" ", 5000):            ticketgen.ErrTicketSyntax,
		`[{}]`:                               ticketgen.ErrTicketMissing,
		change(`"secret":"`+plain+`",`, ``):  ticketgen.ErrTicketMissing,
		change(`"secretIV":"`, `"hidden":"`): ticketgen.ErrTicketMember,
		change(`"secret":`, `"Secret":`):     ticketgen.ErrTicketMember,
		change(`"number":3,`, ``):            ticketgen.ErrTicketMissing,
		change(`"number":3`, `"number":3,"row":1`):                        ticketgen.ErrTicketMember,
		change(`"number":3`, `"number":null`):                             ticketgen.ErrTicketSeat,
		change(`"number":3`, `"number":3.5`):                              ticketgen.ErrTicketSeat,
		change(`"letter":"D"`, `"letter":"DD"`):                           ticketgen.ErrTicketSeat,
		change(`"number":3,"letter":"D"`, `"number":0,"letter":"\u0000"`): ticketgen.ErrTicketSeat,
		change(plain, plain[1:]):                                          ticketgen.ErrTicketSecret,
		change(plain, plain[1:]+"!"):                                      ticketgen.ErrTicketSecret,
		change(`"`+plain+`"`, `null`):                                     ticketgen.ErrTicketSyntax,
		change(hex64, hex64[2:]):                                          ticketgen.ErrTicketHex,
		change(hex64, "zz"+hex64[2:]):                                     ticketgen.ErrTicketHex,
		change(`"`+hex64+`"`, `null`):                                     ticketgen.ErrTicketSyntax,
		change(`"secretKey":"`+hex64+`",`, ``):                            ticketgen.ErrTicketMissing,
		change(`"secret":"`+plain, `"secret":"x","secret":"`+plain):       ticketgen.ErrTicketRepeated,
		`[` + good[1:len(good)-1] + `,` + string(encode(t, hashed()))[1:]: ticketgen.ErrTicketGenerations,
	} {
		_, err := ticketgen.Decode([]byte(text))
		if !errors.Is(err, want) {
			t.Errorf("%s: error %v, want %v", text, err, want)
		}
		if err != nil && (strings.Contains(err.Error(), plain[1:]) || strings.Contains(err.Error(), hex64[2:])) {
			t.Errorf("the error tells the secret: %v", err)
		}
	}
}

func TestOnlyWholeTicketsAreEncoded(t *testing.T) {
	short := ticketgen.Cipher{Key: secret.Key[1:], IV: secret.IV}
	bad := ciphered()
	bad.Name = &short
	for want, tickets := range map[error][]ticketgen.Ticket{
		ticketgen.ErrNoTicket:          nil,
		ticketgen.ErrTicketSecret:      {{Seat: seat}},
		ticketgen.ErrTicketSeat:        {{Secret: hashed().Secret}},
		ticketgen.ErrTicketHex:         {bad},
		ticketgen.ErrTicketGenerations: {ciphered(), hashed()},
	} {
		if _, err := ticketgen.Encode(tickets...); !errors.Is(err, want) {
			t.Errorf("error %v, want %v", err, want)
		}
	}
}

func seal(t testing.TB, c ticketgen.Cipher, text string) []byte {
	t.Helper()
	block, err := aes.NewCipher(c.Key)
	if err != nil {
		t.Fatal(err)
	}
	padding := aes.BlockSize - len(text)%aes.BlockSize
	data := append([]byte(text), bytes.Repeat([]byte{byte(padding)}, padding)...)
	cipher.NewCBCEncrypter(block, c.IV).CryptBlocks(data, data)
	return data
}

func TestTicketIsHeldAgainstTheChainAsAtTheDoor(t *testing.T) {
	hash := sha3.Sum224([]byte(plain))
	sealed, named := seal(t, secret, plain), seal(t, name, "Ada Lovelace")
	elsewhere := seat
	elsewhere.Number++
	unnamed := ciphered()
	unnamed.Name = nil
	for label, test := range map[string]struct {
		ticket  ticketgen.Ticket
		onChain cirrus.Ticket
		want    error
	}{
		"hashed":         {hashed(), cirrus.Ticket{Seat: seat, Secret: hash[:]}, nil},
		"ciphered":       {ciphered(), cirrus.Ticket{Seat: seat, Secret: sealed, Identifier: named}, nil},
		"not sold":       {hashed(), cirrus.Ticket{Seat: seat}, ticketgen.ErrNotOnChain},
		"another seat":   {hashed(), cirrus.Ticket{Seat: elsewhere, Secret: hash[:]}, ticketgen.ErrSeatMismatch},
		"another hash":   {hashed(), cirrus.Ticket{Seat: seat, Secret: hash[1:]}, ticketgen.ErrSecretMismatch},
		"hash, ciphered": {ciphered(), cirrus.Ticket{Seat: seat, Secret: hash[:]}, ticketgen.ErrSecretMismatch},
		"cipher, hashed": {hashed(), cirrus.Ticket{Seat: seat, Secret: sealed}, ticketgen.ErrSecretMismatch},
		"another secret": {ciphered(), cirrus.Ticket{Seat: seat, Secret: seal(t, secret, "x")}, ticketgen.ErrSecretMismatch},
		"another key":    {ciphered(), cirrus.Ticket{Seat: seat, Secret: seal(t, name, plain)}, ticketgen.ErrSecretMismatch},
		"no key for name": {
			unnamed, cirrus.Ticket{Seat: seat, Secret: sealed, Identifier: named}, ticketgen.ErrNameKeyMissing,
		},
	} {
		if err := ticketgen.Check(test.ticket, test.onChain); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", label, err, test.want)
		}
	}
	mine := cirrus.Ticket{Seat: seat, Secret: hash[:], Address: cirrus.TestNet.Address(cirrus.Hash{1})}
	if err := ticketgen.CheckOwned(hashed(), mine, mine.Address); err != nil {
		t.Error(err)
	}
	if err := ticketgen.CheckOwned(hashed(), mine, cirrus.TestNet.Zero()); !errors.Is(err, ticketgen.ErrOwnerMismatch) {
		t.Errorf("error %v, want %v", err, ticketgen.ErrOwnerMismatch)
	}
}

func TestNameIsReadFromTheChain(t *testing.T) {
	for label, test := range map[string]struct {
		sealed []byte
		name   string
		want   error
	}{
		"a name":      {seal(t, name, "王小明"), "王小明", nil},
		"none":        {nil, "", ticketgen.ErrNoName},
		"another key": {seal(t, secret, "Ada"), "", ticketgen.ErrNameMismatch},
		"not text":    {seal(t, name, "\xff\xfe"), "", ticketgen.ErrNameMismatch},
		"cut":         {[]byte{1, 2, 3}, "", ticketgen.ErrNameMismatch},
	} {
		got, err := ticketgen.Name(ciphered(), cirrus.Ticket{Seat: seat, Identifier: test.sealed})
		if got != test.name || !errors.Is(err, test.want) {
			t.Errorf("%s: %q, %v", label, got, err)
		}
	}
	if _, err := ticketgen.Name(hashed(), cirrus.Ticket{Identifier: []byte{1}}); !errors.Is(err, ticketgen.ErrNoName) {
		t.Errorf("error %v, want %v", err, ticketgen.ErrNoName)
	}
}

func TestNothingPrintsWhatItHides(t *testing.T) {
	ticket := ciphered()
	var logged bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&logged, nil))
	logger.Info("x", "ticket", ticket, "secret", ticket.Secret, "cipher", *ticket.Name)
	text := logged.String()
	for _, value := range []any{ticket, &ticket, ticket.Secret, *ticket.Name, ticket.Name, []ticketgen.Ticket{ticket}} {
		text += fmt.Sprintf("%v %+v %#v %s %q %x %d", value, value, value, value, value, value, value)
	}
	for _, hidden := range []string{plain, "161", "a1a1", "A1A1", "0xa1", hex.EncodeToString([]byte(plain))} {
		if strings.Contains(text, hidden) {
			t.Errorf("%q shows in %s", hidden, text)
		}
	}
}

func TestConversationsGetTheirPictures(t *testing.T) {
	var artist ticketgen.Artist
	digital := flows.Digital{Seat: seat, Secret: order.Secret{
		Plaintext: plain, Key: secret.Key, IV: secret.IV, NameKey: name.Key, NameIV: name.IV,
	}}
	picture, err := artist.Ticket(digital, flows.Frame{Show: "Night Trains", Seat: "3D"})
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, decodePNG(t, picture)); got != string(encode(t, ciphered())) {
		t.Errorf("the picture holds %s", got)
	}
	if err := artist.Check(digital, cirrus.Ticket{Seat: seat, Secret: seal(t, secret, plain)}); err != nil {
		t.Error(err)
	}
	digital.Secret.Key = nil
	if _, err := artist.Ticket(digital, flows.Frame{}); !errors.Is(err, ticketgen.ErrTicketHex) {
		t.Errorf("half a cipher: %v", err)
	}
	const request = "cirrus:CUtNvY1Jxpn4V4RD1tgphsUKpQdo4q5i54?amount=361.0001"
	payment, err := artist.Payment(request)
	if err != nil || read(t, decodePNG(t, payment)) != request {
		t.Errorf("the payment's QR holds something else, or %v", err)
	}
}

func decodePNG(t testing.TB, data []byte) image.Image {
	t.Helper()
	picture, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return picture
}

// read finds a QR in a picture with a reader that has nothing in common with what drew it.
func read(t testing.TB, picture image.Image) string {
	t.Helper()
	bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		t.Fatal(err)
	}
	hints := map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true}
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, hints)
	if err != nil {
		t.Fatalf("no QR found: %v", err)
	}
	return result.GetText()
}

// worn is a picture after Telegram and a camera had it: scaled, and compressed as JPEG.
func worn(t testing.TB, picture image.Image, percent, quality int) image.Image {
	t.Helper()
	size := picture.Bounds().Size().Mul(percent).Div(100)
	scaled := image.NewRGBA(image.Rectangle{Max: size})
	draw.ApproxBiLinear.Scale(scaled, scaled.Bounds(), picture, picture.Bounds(), draw.Src, nil)
	var encoded bytes.Buffer
	if err := jpeg.Encode(&encoded, scaled, &jpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	decoded, err := jpeg.Decode(&encoded)
	if err != nil {
		t.Fatal(err)
	}
	return decoded
}

func TestQRSurvivesCompressionAndScaling(t *testing.T) {
	for label, payload := range map[string][]byte{"ciphered": encode(t, ciphered()), "hashed": encode(t, hashed())} {
		code, err := ticketgen.QR(payload, 896)
		if err != nil {
			t.Fatal(err)
		}
		framed, err := ticketgen.Picture(payload, ticketgen.Frame{
			Show: "Night Trains", Venue: "Harbour Hall", Seat: "3D", Time: "Fri 4 Dec 2026, 20:00", Warning: "Keep it to yourself.",
		})
		if err != nil {
			t.Fatal(err)
		}
		for what, picture := range map[string]image.Image{"bare": code, "framed": decodePNG(t, framed)} {
			for _, wear := range []struct{ percent, quality int }{{100, 10}, {80, 40}, {50, 30}, {45, 50}} {
				if got := read(t, worn(t, picture, wear.percent, wear.quality)); got != string(payload) {
					t.Errorf("%s, %s, %+v: read %s", label, what, wear, got)
				}
			}
		}
	}
}

func TestWhatDoesNotFitIsNoPicture(t *testing.T) {
	if _, err := ticketgen.QR(encode(t, ciphered()), 200); !errors.Is(err, ticketgen.ErrTooMuch) {
		t.Errorf("error %v, want %v", err, ticketgen.ErrTooMuch)
	}
	if _, err := ticketgen.Picture(bytes.Repeat([]byte("x"), 5000), ticketgen.Frame{}); !errors.Is(err, ticketgen.ErrTooMuch) {
		t.Errorf("error %v, want %v", err, ticketgen.ErrTooMuch)
	}
	if _, err := ticketgen.PaymentQR("cirrus:x", 50); !errors.Is(err, ticketgen.ErrTooMuch) {
		t.Errorf("error %v, want %v", err, ticketgen.ErrTooMuch)
	}
}

// frames are texts that venues may have, meant well or not.
func frames() map[string]ticketgen.Frame {
	return map[string]ticketgen.Frame{
		"usual": {
			Show: "Night Trains", Venue: "Harbour Hall", Seat: "3D", Time: "Fri 4 Dec 2026, 20:00 UTC",
			Warning: "Whoever shows this first gets in. Keep it to yourself.",
		},
		"long": {
			Show: strings.Repeat("A very long name of a show ", 20), Venue: strings.Repeat("Überlänge", 60),
			Seat: "2147483647W", Time: strings.Repeat("0", 300), Warning: strings.Repeat("Never share this. ", 40),
		},
		"hostile": {
			Show:  "\u202Eevil\u202C\x00\x1b[31m \n\t<b>show</b>" + strings.Repeat("e\u0301\u0302\u0303", 30),
			Venue: "\u2066\u2067東京 🎟🎟🎟 Hall \u05D0\u05D1", Seat: "\uFFFF\u202E3", Time: "\u200F", Warning: "日本語だけ",
		},
		"cyrillic": {Show: "Ночные поезда", Venue: "Αίθουσα Λιμάνι", Seat: "1Я", Time: "4 дек., 20:00", Warning: "Не показывайте никому."},
		"empty":    {},
	}
}

func TestFramesNeverOverflowNorHideTheQR(t *testing.T) {
	payload := encode(t, ciphered())
	for label, frame := range frames() {
		t.Run(label, func(t *testing.T) {
			data, err := ticketgen.Picture(payload, frame)
			if err != nil {
				t.Fatal(err)
			}
			if len(data) > 150_000 {
				t.Errorf("%d bytes", len(data))
			}
			picture := decodePNG(t, data)
			if got := read(t, picture); got != string(payload) {
				t.Errorf("the picture holds %s", got)
			}
			checkMargins(t, picture)
			if dir := os.Getenv("TICKET_PICTURES"); dir != "" {
				if err := os.WriteFile(filepath.Join(dir, label+".png"), data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// checkMargins looks for ink where none may be: around everything, and in the QR's quiet zone.
func checkMargins(t *testing.T, picture image.Image) {
	t.Helper()
	size := picture.Bounds().Size()
	white := func(area image.Rectangle) bool {
		for y := area.Min.Y; y < area.Max.Y; y++ {
			for x := area.Min.X; x < area.Max.X; x++ {
				if r, g, b, _ := picture.At(x, y).RGBA(); r&g&b != 0xFFFF {
					return false
				}
			}
		}
		return true
	}
	const qrTop, qrSide, quiet = 264, 928, 40
	left := (size.X - qrSide) / 2
	for label, area := range map[string]image.Rectangle{
		"left":   image.Rect(0, 0, 40, size.Y),
		"right":  image.Rect(size.X-40, 0, size.X, size.Y),
		"top":    image.Rect(0, 0, size.X, 40),
		"bottom": image.Rect(0, size.Y-6, size.X, size.Y),
		"above":  image.Rect(left, qrTop, left+qrSide, qrTop+quiet),
		"below":  image.Rect(left, qrTop+qrSide-quiet, left+qrSide, qrTop+qrSide),
	} {
		if !white(area) {
			t.Errorf("ink at the %s", label)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(seedJSON))
	f.Add([]byte(exampleJSON))
	f.Add([]byte(`[{"seat":{"number":1,"letter":"\u0000"},"secret":"aaaaaaaaaaaaaaa"}]`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		tickets, err := ticketgen.Decode(payload)
		if err != nil {
			return
		}
		again, err := ticketgen.Decode(encode(t, tickets...))
		if err != nil || !reflect.DeepEqual(again, tickets) {
			t.Errorf("%q came back otherwise: %v", payload, err)
		}
	})
}

func FuzzPicture(f *testing.F) {
	for _, frame := range frames() {
		f.Add(frame.Show, frame.Seat, frame.Warning)
	}
	payload := encode(f, hashed())
	f.Fuzz(func(t *testing.T, show, seat, warning string) {
		if _, err := ticketgen.Picture(payload, ticketgen.Frame{Show: show, Venue: warning, Seat: seat, Warning: warning}); err != nil {
			t.Error(err)
		}
	})
}
