package contract_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox/contract"
)

type gasFigure struct {
	Seats      int    `json:"seats"`
	Secret     int    `json:"secretBytes"`
	Identifier int    `json:"customerIdentifierBytes"`
	Op         string `json:"op"`
	Sold       int    `json:"soldBefore"`
	Gas        uint64 `json:"gasMetered"`
}

// TestGasOfWholeHalls builds each hall of the recorded figures, which tell sizes only, and calls what they name. Names
// of shows and venues are not recorded, hence one percent.
func TestGasOfWholeHalls(t *testing.T) {
	file, err := os.Open("../replay/testdata/gas.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var figure gasFigure
		if err := json.Unmarshal(lines.Bytes(), &figure); err != nil {
			t.Fatal(err)
		}
		got := figure.run(t)
		if max(got, figure.Gas)-min(got, figure.Gas) > figure.Gas/100 {
			t.Errorf("%+v: metered %d", figure, got)
		}
	}
}

func (f gasFigure) run(t *testing.T) uint64 {
	created, result := tryCreate(t, row(f.Seats))
	if f.Op == "create" {
		return result.GasMetered
	}
	result = begin(t, created, 101, 200, 1)
	if f.Op == "BeginSale" {
		return result.GasMetered
	}
	buy := func(seat cirrus.Seat) contract.Result {
		texts := []string{seatParam(seat), contract.ParamBytes(bytes.Repeat([]byte{7}, f.Secret))}
		if f.Identifier > 0 {
			texts = append(texts, contract.ParamBytes(bytes.Repeat([]byte{8}, f.Identifier)))
		}
		return must(t, created.Execute(call(t, 102, alice, 1, "Reserve", texts...)))
	}
	for _, seat := range row(f.Sold) {
		buy(seat)
	}
	switch f.Op {
	case "Reserve":
		return buy(row(f.Seats)[f.Sold]).GasMetered
	case "ReleaseTicket":
		return must(t, release(t, created, 103, alice, row(1)[0])).GasMetered
	}
	return must(t, created.Execute(call(t, 200, owner, 0, "EndSale"))).GasMetered
}
