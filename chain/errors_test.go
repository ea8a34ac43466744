package chain

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

const (
	reservePath = "/api/v1.0/ticketbooth/" + string(testContract) + "/ReserveTicket"
	releasePath = "/api/v1.0/ticketbooth/" + string(testContract) + "/ReleaseTicket"
	buildPath   = "/api/wallet/build-transaction"
	sendPath    = "/api/wallet/send-transaction"
	receiptPath = "/api/SmartContracts/receipt"
)

var testCall = order.BoothCall{
	Contract: testContract, Account: testAccount, Sender: "tSender", GasPrice: 100, Name: "Ada Lovelace",
	Coin: cirrus.Outpoint{TxID: txA, Index: 3}, Seat: cirrus.Seat{Number: 3, Letter: 'D'},
}

// Every message of a node that means something, in the words of either generation, and what is known after it.
var messages = []struct {
	path    string
	status  int
	message string
	want    error
}{
	{reservePath, 400, "Ticket for seat 3D not available to purchase", order.ErrSeatTaken},
	{reservePath, 400, "Invalid seat 99Z", order.ErrSeatUnknown},
	{reservePath, 400, "Customer name is required", order.ErrNameNeeded},
	{reservePath, 400, "Invalid address xyz", order.ErrRefused},
	{reservePath, 404, "No smart contract found at address tNui", order.ErrNoContract},
	{reservePath, 409, "Sale is not currently open", order.ErrSaleClosed},
	{reservePath, 409, "Sale is currently active", order.ErrRefused},
	{reservePath, 403, "Can't send transaction as the node requires at least one connection.", order.ErrNoPeers},
	{reservePath, 400, "Invalid password (or invalid Network)", order.ErrPassword},
	{reservePath, 400, "The 'Sender' address you're trying to spend from doesn't have a balance available to spend. Please check the address and try again.", order.ErrOutpoints},
	{reservePath, 400, "An invalid list of request outpoints have been passed to the method, please ensure that the outpoints are spendable by the sender address.", order.ErrOutpoints},
	{reservePath, 400, "Invalid list of request outpoints have been passed to the method. Please ensure that the outpoints are spendable by the sender address", order.ErrOutpoints},
	{reservePath, 400, "All of the selected inputs are currently reserved, please try again in 60 seconds.", order.ErrInputsReserved},
	{reservePath, 400, "Not enough funds to cover the target with missing amount 0.25", order.ErrCoins},
	{reservePath, 400, "Not enough funds.", order.ErrCoins},
	{reservePath, 400, "No spendable transactions found.", order.ErrCoins},
	{reservePath, 400, "The wallet does not contain any spendable inputs.", order.ErrCoins},
	{reservePath, 400, "No wallet with name 'usher1' could be found.", order.ErrWallet},
	{reservePath, 400, "No account with the name 'account 0' could be found.", order.ErrWallet},
	{reservePath, 400, "Account 'account 7' in wallet 'usher1' not found.", order.ErrWallet},
	{reservePath, 500, "txn-mempool-conflict", order.ErrUnknownOutcome},
	{reservePath, 500, "Ticket for seat 3D not available to purchase", order.ErrUnknownOutcome},
	{reservePath, 503, "", order.ErrUnknownOutcome},
	{reservePath, 408, "", order.ErrUnknownOutcome},
	{reservePath, 418, "something new", order.ErrRefused},
	{releasePath, 400, "Ticket for seat 3D not owned by tSender", order.ErrNotOwner},
	{releasePath, 409, "Ticket release is no longer available", order.ErrReleaseOver},
	{releasePath, 409, "Sale is not currently open", order.ErrSaleClosed},
	{releasePath, 500, "", order.ErrUnknownOutcome},
	{buildPath, 400, "Not all the selected inputs were found in the wallet.", order.ErrOutpoints},
	{buildPath, 400, "Not all the selected inputs were found on the wallet.", order.ErrOutpoints},
	{buildPath, 400, "Change address not found.", order.ErrRefused},
	{buildPath, 400, "Could not build the transaction. Details: Dust", order.ErrRefused},
	{sendPath, 400, "", order.ErrRefused},
	{sendPath, 400, "txn-already-in-mempool", order.ErrRefused},
	{sendPath, 400, "txn-mempool-conflict", order.ErrRefused},
	{sendPath, 400, "bad-txns-inputs-missingorspent", order.ErrRefused},
	{sendPath, 403, "Can't send transaction: sending transaction requires at least one connection.", order.ErrNoPeers},
	{sendPath, 403, "Can't send transaction: sending transaction requires at least one connection!", order.ErrNoPeers},
	{receiptPath, 400, "The receipt was not found.", order.ErrNotMined},
	{receiptPath, 500, "", order.ErrUnknownOutcome},
	{"/api/SmartContracts/receipt-search", 500, "No code exists", order.ErrNoContract},
}

// askFor makes the call that belongs to a path.
func askFor(ctx context.Context, client *Client, path string) error {
	var err error
	switch path {
	case reservePath:
		_, err = client.Reserve(ctx, testCall)
	case releasePath:
		_, err = client.Release(ctx, testCall)
	case buildPath:
		_, err = client.Build(ctx, order.Payment{Account: testAccount, Coins: []cirrus.Outpoint{testCall.Coin}, Fee: 10_000})
	case sendPath:
		err = client.Send(ctx, "00")
	case receiptPath:
		_, err = client.Receipt(ctx, txA)
	default:
		_, err = client.Receipts(ctx, testContract, "Show", 0)
	}
	return err
}

func TestEachMessageOfANodeMeansOneThing(t *testing.T) {
	node := newFakeNode(t)
	client := node.client(t)
	for _, said := range messages {
		shapes := map[string]string{"list": refusal(said.status, said.message), "string": quoted(said.message)}
		for shape, body := range shapes {
			t.Run(fmt.Sprintf("%s %d %q as %s", said.path, said.status, said.message, shape), func(t *testing.T) {
				node.on(said.path, said.status, body)
				err := askFor(t.Context(), client, said.path)
				if !errors.Is(err, said.want) {
					t.Fatalf("got %v, want %v", err, said.want)
				}
				wrapsOne(t, err)
			})
		}
	}
}

// wrapsOne demands that an error says one thing about the outcome, not two.
func wrapsOne(t *testing.T, err error) {
	t.Helper()
	var found []error
	for _, outcome := range outcomes {
		if errors.Is(err, outcome) {
			found = append(found, outcome)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%v says %v", err, found)
	}
}

func TestMessageIsFoundInEveryShapeOfAnError(t *testing.T) {
	for body, want := range map[string]string{
		`"Sale is not currently open"`:                                  "Sale is not currently open",
		`{"errors":[{"status":400,"message":"No.","description":"x"}]}`: "No.",
		`{"errors":{"Sender":["The Sender field is required.","Bad."],"Seat":["?"]},"title":"One or more validation errors occurred.","status":400}`: "Seat: ?; Sender: The Sender field is required. Bad.",
		`{"title":"Not Found","status":404}`:              "Not Found",
		`{"fee":0,"message":"it failed","success":false}`: "it failed",
		`<html>502 Bad Gateway</html>`:                    "",
		``:                                                "",
		`{"errors":[]}`:                                   "",
		`[]`:                                              "",
		`null`:                                            "",
		`{"errors":[{"status":400,"message":"","description":""}]}`: "",
	} {
		if got := messageOf([]byte(body)); got != want {
			t.Errorf("%s: got %q, want %q", body, got, want)
		}
	}
}
