package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // pictures in the secret chat
	_ "image/png"  // pictures in the secret chat
	"slices"
	"strings"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/usherbot/usher/bot/simulator"
	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox"
)

// chainPane is the chain as the demo's page shows it.
type chainPane struct{ *demo }

// blocksShown is how many blocks the pane lists.
const blocksShown = 6

func (p chainPane) View(ctx context.Context) (simulator.ChainView, error) {
	ledger := p.chain.Ledger()
	view := simulator.ChainView{
		Height: int64(ledger.Height), Network: ledger.Network, Unit: p.chain.Network().Ticker, Manual: p.manual, // #nosec G115 -- heights are small
		Wallet: simulator.WalletView{Address: string(p.wallet), Balance: p.balance(ledger).String()},
	}
	sales, err := p.app.db.Sales(ctx)
	if err != nil {
		return view, err
	}
	for _, sale := range sales {
		view.Doors = append(view.Doors, simulator.DoorView{Address: string(sale.Contract), Name: sale.Venue})
	}
	for _, tx := range ledger.Transactions {
		what := simulator.TxView{ID: string(tx.TransactionID), What: describe(tx)}
		if tx.Height == nil {
			view.Waiting = append(view.Waiting, what)
		} else if *tx.Height+blocksShown > ledger.Height {
			view.Blocks = addToBlock(view.Blocks, int64(*tx.Height), what) // #nosec G115 -- heights are small
		}
	}
	for i := range view.Blocks {
		view.Blocks[i].Time = p.chain.BlockTime(uint64(view.Blocks[i].Height)).Unix() // #nosec G115 -- heights are small
	}
	slices.SortFunc(view.Blocks, func(a, b simulator.BlockView) int { return int(b.Height - a.Height) })
	return view, nil
}

func addToBlock(blocks []simulator.BlockView, height int64, tx simulator.TxView) []simulator.BlockView {
	for i := range blocks {
		if blocks[i].Height == height {
			blocks[i].Transactions = append(blocks[i].Transactions, tx)
			return blocks
		}
	}
	return append(blocks, simulator.BlockView{Height: height, Transactions: []simulator.TxView{tx}})
}

// describe says in a few words what a transaction does.
func describe(tx sandbox.TransactionView) string {
	if tx.Call != nil {
		outcome := ""
		if tx.Call.Success != nil && !*tx.Call.Success {
			outcome = ", failed"
		}
		return tx.Call.Method + outcome
	}
	var sum cirrus.Strats
	for _, out := range tx.Outputs {
		amount, _ := cirrus.StratsOf(out.Amount)
		sum += amount
	}
	return fmt.Sprintf("%s, %s", tx.Kind, sum)
}

// startsWith is what the customer's wallet holds at first.
const startsWith = 1000 * cirrus.CRS

// balance is what the customer has: what they began with and what came back, less what they paid.
func (p chainPane) balance(ledger sandbox.LedgerView) cirrus.Strats {
	return startsWith - cirrus.Strats(p.paid.Load()) + sumAt(ledger, p.wallet)
}

func (p chainPane) Pay(_ context.Context, address, amount string) (string, error) {
	to, err := p.chain.Network().ParseAddress(strings.TrimSpace(address))
	if err != nil {
		return "", fmt.Errorf("%q is not an address of this network", address)
	}
	sum, err := cirrus.ParseCRS(strings.TrimSpace(amount))
	if err != nil || sum == 0 {
		return "", fmt.Errorf("%q is not a sum to pay", amount)
	}
	if has := p.balance(p.chain.Ledger()); sum > has {
		return "", fmt.Errorf("this wallet holds %s and can't pay %s", has, sum)
	}
	tx, err := p.chain.Fund(to, sum)
	if err == nil {
		p.paid.Add(int64(sum))
	}
	return string(tx), err
}

func (p chainPane) NextBlock(context.Context) (int64, error) {
	height, err := p.chain.Mine(1)
	return int64(height), err // #nosec G115 -- heights are small
}

func (p chainPane) Scan(_ context.Context, door string, picture []byte) (simulator.Verdict, error) {
	text, err := readQR(picture)
	if err != nil {
		return simulator.Verdict{}, err
	}
	result, err := p.chain.Scan(cirrus.Address(door), text)
	if err != nil {
		return simulator.Verdict{}, err
	}
	verdict := simulator.Verdict{Opens: result.Opens}
	for _, answer := range result.Results {
		verdict.Results = append(verdict.Results, simulator.SeatVerdict{
			Verdict: string(answer.Verdict), Seat: answer.Seat.String(), Name: answer.Name, Reason: answer.Reason,
		})
	}
	return verdict, nil
}

var errNoQR = errors.New("the scanner finds no QR in this picture")

// readQR reads a picture as the scanner at a door does, with a reader that shares nothing with what drew it.
func readQR(picture []byte) (string, error) {
	img, _, err := image.Decode(bytes.NewReader(picture))
	if err != nil {
		return "", errNoQR
	}
	if photo, ok := img.(*image.YCbCr); ok { // a QR has no colours, and a reader asks pixel by pixel
		img = &image.Gray{Pix: photo.Y, Stride: photo.YStride, Rect: photo.Rect}
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		return "", errNoQR
	}
	hints := map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true}
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, hints)
	if err != nil {
		return "", errNoQR
	}
	return result.GetText(), nil
}
