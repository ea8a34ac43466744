package chain

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

const (
	callPath     = "/api/SmartContractWallet/call"
	rehearsePath = "/api/SmartContracts/local-call"
	statusPath   = "/api/Node/status"

	wentWell = `{"internalTransfers":[],"gasConsumed":{"value":11000},"revert":false,"errorMessage":null,"return":null,"logs":[]}`
	isSynced = `{"network":"CirrusTest","state":"Started","consensusHeight":9,"inIbd":false,"inboundPeers":[],"outboundPeers":[{}]}`
)

// directNode is a fake node on which a rehearsal goes well, and a booth that buys from it.
func directNode(t *testing.T) (*fakeNode, *Direct) {
	t.Helper()
	node := newFakeNode(t)
	node.on(rehearsePath, 200, wentWell)
	node.on(statusPath, 200, isSynced)
	node.on(callPath, 200, `{"fee":25000000,"hex":"00","message":"built","success":true,"transactionId":"`+string(txB)+`"}`)
	return node, newDirect(t, node.client(t), cirrus.TestNet, Ciphered)
}

func priced() order.BoothCall {
	call := testCall
	call.Price, call.GasLimit = 230_000_000, 250_000
	return call
}

func TestADirectCallNamesOneCoinAndThePinnedPrice(t *testing.T) {
	node, direct := directNode(t)
	reserved, err := direct.Reserve(t.Context(), priced())
	if err != nil || reserved.TxID != txB || reserved.Secret.TxID != txB {
		t.Fatalf("%v, %v", reserved.TxID, err)
	}
	body := node.body(callPath)
	for field, want := range map[string]any{
		"walletName": "usher1", "accountName": "account 0", "contractAddress": string(testContract), "methodName": "Reserve",
		"amount": "2.30000000", "feeAmount": "0", "password": testPassword, "gasPrice": 100.0, "gasLimit": 250_000.0, "sender": "tSender",
	} {
		if body[field] != want {
			t.Errorf("%s is %v, want %v", field, body[field], want)
		}
	}
	coins, _ := body["outpoints"].([]any)
	parameters, _ := body["parameters"].([]any)
	if len(coins) != 1 || len(parameters) != 3 || parameters[0] != "10#C88403000000824400" {
		t.Errorf("coins %v, parameters %v", coins, parameters)
	}
	rehearsed := node.body(rehearsePath)
	if fmt.Sprint(rehearsed["parameters"]) != fmt.Sprint(parameters) || rehearsed["amount"] != "2.30000000" || rehearsed["password"] != nil {
		t.Errorf("rehearsed %v", rehearsed)
	}
	if text := fmt.Sprint(body, rehearsed); strings.Contains(text, reserved.Secret.Plaintext) || strings.Contains(text, testCall.Name) {
		t.Error("the secret or the name went out as it is")
	}
}

func TestAnAssertionOfTheContractCostsNothing(t *testing.T) {
	node, direct := directNode(t)
	for words, want := range map[string]error{
		"Ticket not available":        order.ErrSeatTaken,
		"Seat not found":              order.ErrSeatUnknown,
		"Sale not open":               order.ErrSaleClosed,
		"Not enough funds":            order.ErrSaleClosed,
		"Invalid customer identifier": order.ErrNameNeeded,
		"Out of luck":                 order.ErrRefused,
	} {
		said := quoted("Stratis.SmartContracts.SmartContractAssertException: " + words + "\r\n   at TicketContract.Reserve")
		for _, shape := range []string{said, `{"value":` + said + `}`} {
			node.on(rehearsePath, 200, `{"revert":true,"errorMessage":`+shape+`}`)
			_, err := direct.Reserve(t.Context(), priced())
			if !errors.Is(err, want) {
				t.Errorf("%s: got %v, want %v", words, err, want)
			}
			wrapsOne(t, err)
		}
	}
	if node.count(callPath) != 0 {
		t.Error("the call was made all the same")
	}
}

func TestWithoutARehearsalNothingIsSent(t *testing.T) {
	for name, given := range map[string]struct {
		path   string
		status int
		body   string
		want   error
	}{
		"no answer of the contract":  {rehearsePath, 500, "", order.ErrUnreachable},
		"an answer that says little": {rehearsePath, 200, "{}", order.ErrUnreachable},
		"garbage":                    {rehearsePath, 200, "<html>", order.ErrUnreachable},
		"no contract":                {rehearsePath, 400, refusal(400, "No contract execution code exists at tNui"), order.ErrNoContract},
		"not offered":                {rehearsePath, 404, "", order.ErrRefused},
		"no status":                  {statusPath, 503, "", order.ErrUnreachable},
		"no peers":                   {statusPath, 200, strings.Replace(isSynced, "{}", "", 1), order.ErrNoPeers},
		"still loading":              {statusPath, 200, strings.Replace(isSynced, `"inIbd":false`, `"inIbd":true`, 1), order.ErrSyncing},
		"not started":                {statusPath, 200, strings.Replace(isSynced, "Started", "Starting", 1), order.ErrSyncing},
	} {
		t.Run(name, func(t *testing.T) {
			node, direct := directNode(t)
			node.on(given.path, given.status, given.body)
			_, err := direct.Reserve(t.Context(), priced())
			if !errors.Is(err, given.want) || node.count(callPath) != 0 {
				t.Fatalf("got %v, want %v; called %d times", err, given.want, node.count(callPath))
			}
			wrapsOne(t, err)
		})
	}
}

func TestWhatADirectCallCameTo(t *testing.T) {
	for name, given := range map[string]struct {
		status int
		body   string
		want   error
	}{
		"a coin that is spent":          {400, refusal(400, "The 'Sender' address you're trying to spend from doesn't have a balance available to spend."), order.ErrOutpoints},
		"a refusal inside of a success": {200, `{"success":false,"message":"Not enough funds.","transactionId":null}`, order.ErrCoins},
		"a code inside of a success":    {200, `{"success":false,"message":"txn-mempool-conflict"}`, order.ErrUnknownOutcome},
		"a wrong password":              {400, refusal(400, "Invalid password (or invalid Network)"), order.ErrPassword},
		"a conflict in the mempool":     {400, refusal(400, "txn-mempool-conflict"), order.ErrUnknownOutcome},
		"a refusal without words":       {400, refusal(400, ""), order.ErrUnknownOutcome},
		"a field that is not right":     {400, refusal(400, "The field GasLimit must be between 10000 and 100000."), order.ErrRefused},
		"a failure of the node":         {500, "", order.ErrUnknownOutcome},
		"garbage":                       {200, "<html>", order.ErrUnknownOutcome},
		"no id":                         {200, `{"success":true,"transactionId":"none"}`, order.ErrUnknownOutcome},
	} {
		t.Run(name, func(t *testing.T) {
			node, direct := directNode(t)
			node.on(callPath, given.status, given.body)
			_, err := direct.Reserve(t.Context(), priced())
			if !errors.Is(err, given.want) || node.count(callPath) != 1 {
				t.Fatalf("got %v, want %v; called %d times", err, given.want, node.count(callPath))
			}
			wrapsOne(t, err)
		})
	}
}

// TestEachMessageMeansTheSameInADirectCall: the wallet's words are the same, whoever asks it.
func TestEachMessageMeansTheSameInADirectCall(t *testing.T) {
	node, direct := directNode(t)
	for _, said := range messages {
		if said.path != reservePath || !strings.Contains(said.message, " ") {
			continue // codes of the mempool come another way
		}
		node.on(callPath, said.status, refusal(said.status, said.message))
		_, err := direct.Reserve(t.Context(), priced())
		if !errors.Is(err, said.want) {
			t.Errorf("%d %q: got %v, want %v", said.status, said.message, err, said.want)
		}
	}
}

func TestAnErrorOfADirectCallTellsNothingSecret(t *testing.T) {
	node, direct := directNode(t)
	call := priced()
	secrets, err := direct.Derive(call)
	if err != nil {
		t.Fatal(err)
	}
	for _, status := range []int{200, 400, 500} {
		said := "No: " + testPassword
		node.on(callPath, status, `{"success":false,"message":`+quoted(said)+`}`)
		_, err := direct.Reserve(t.Context(), call)
		text := fmt.Sprintf("%v %+v", err, err)
		for _, hidden := range []string{testPassword, call.Name, secrets[0].Plaintext} {
			if err == nil || strings.Contains(text, hidden) {
				t.Errorf("%d: %q in an error", status, hidden)
			}
		}
	}
}
