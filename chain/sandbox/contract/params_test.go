package contract_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox/contract"
)

func TestParamsArriveAsTheNodeSendsThem(t *testing.T) {
	for text, want := range map[string]contract.Param{
		"1#true":                  {Type: contract.TypeBool, Value: []byte{1}},
		"1# False ":               {Type: contract.TypeBool, Value: []byte{0}},
		"2#255":                   {Type: contract.TypeByte, Value: []byte{255}},
		"3#A":                     {Type: contract.TypeChar, Value: []byte{'A', 0}},
		"3##":                     {Type: contract.TypeChar, Value: []byte{'#', 0}},
		"4#a#b|c":                 {Type: contract.TypeString, Value: []byte("a#b|c")},
		"4#":                      {Type: contract.TypeString, Value: []byte{}, Null: true},
		"5#1":                     {Type: contract.TypeUint, Value: []byte{1, 0, 0, 0}},
		"6#-1":                    {Type: contract.TypeInt, Value: []byte{255, 255, 255, 255}},
		"7#+1":                    {Type: contract.TypeUlong, Value: []byte{1, 0, 0, 0, 0, 0, 0, 0}},
		"7#-0":                    {Type: contract.TypeUlong, Value: []byte{0, 0, 0, 0, 0, 0, 0, 0}},
		"7#18446744073709551615":  {Type: contract.TypeUlong, Value: []byte{255, 255, 255, 255, 255, 255, 255, 255}},
		"8#-1":                    {Type: contract.TypeLong, Value: []byte{255, 255, 255, 255, 255, 255, 255, 255}},
		"9#" + string(testZero()): {Type: contract.TypeAddress, Value: make([]byte, 20)},
		"10#0xaBfF":               {Type: contract.TypeBytes, Value: []byte{0xAB, 0xFF}},
		"10#":                     {Type: contract.TypeBytes, Value: []byte{}, Null: true},
	} {
		got, err := contract.ParseParams(cirrus.TestNet, []string{text})
		if err != nil || len(got) != 1 || !reflect.DeepEqual(got[0], want) {
			t.Errorf("%q: %+v, %v; want %+v", text, got, err, want)
		}
	}
}

func testZero() cirrus.Address { return cirrus.TestNet.Zero() }

func TestWhatIsNoParamIsRefused(t *testing.T) {
	for _, text := range []string{
		"", "7", "x", "11#1", "0#1", "07#1", "1#yes", "2#256", "2#-1", "3#", "5#4294967296", "6#1.0", "6#2147483648",
		"7#", "7#1e3", "7#18446744073709551616", "9#tHello", "9#" + string(cirrus.MainNet.Zero()), "10#A", "10#GG", "10#-1",
	} {
		_, err := contract.ParseParams(cirrus.TestNet, []string{text})
		if !errors.Is(err, contract.ErrParam) {
			t.Errorf("%q: error %v, want %v", text, err, contract.ErrParam)
		}
	}
}

func TestNoTextsAreNoParams(t *testing.T) {
	if got, err := contract.ParseParams(cirrus.TestNet, nil); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestTrailingBackslashSwallowsTheNeighbour(t *testing.T) {
	got, err := contract.ParseParams(cirrus.TestNet, []string{`4#a\`, "4#b"})
	if err != nil || len(got) != 1 || string(got[0].Value) != "a|4" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestParamsComeBackAsTheyWentIn(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		text := strings.ReplaceAll(rapid.String().Draw(rt, "text"), `\`, "")
		data := rapid.SliceOf(rapid.Byte()).Draw(rt, "bytes")
		got, err := contract.ParseParams(cirrus.MainNet, []string{contract.ParamString(text), contract.ParamBytes(data)})
		if err != nil || len(got) != 2 || string(got[0].Value) != text || string(got[1].Value) != string(data) {
			rt.Fatalf("%q and % X came back as %+v, %v", text, data, got, err)
		}
	})
}

func FuzzParseParams(f *testing.F) {
	for _, text := range []string{"7#1", "10#AB", "4#a|b#c", `4#\|\#`, "9#x", "3#\U0001F3AB"} {
		f.Add(text, text)
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		params, err := contract.ParseParams(cirrus.MainNet, []string{first, second})
		if err == nil && len(contract.EncodeParams(params)) == 0 {
			t.Error("parameters without bytes")
		}
	})
}
