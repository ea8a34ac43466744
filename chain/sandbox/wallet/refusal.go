package wallet

import (
	"fmt"
	"net/http"
)

// Refusal is an error that the node gives to its caller.
type Refusal struct {
	Status      int // HTTP status
	Message     string
	Description string
}

func (r *Refusal) Error() string { return r.Message }

func refuse(format string, values ...any) error {
	message := fmt.Sprintf(format, values...)
	return &Refusal{Status: http.StatusBadRequest, Message: message, Description: message}
}

// The node's sentences that more than one place gives.
const (
	msgNoBalance = "The 'Sender' address you're trying to spend from doesn't have a balance available to spend. Please check the address and try again."
	msgNoInputs  = "The wallet does not contain any spendable inputs."
	msgOutpoints = "An invalid list of request outpoints have been passed to the method, please ensure that the outpoints are spendable by the sender address."
	msgReserved  = "All of the selected inputs are currently reserved, please try again in 60 seconds."
	msgPassword  = "Invalid password (or invalid Network)"

	msgOutpoints2020 = "Invalid list of request outpoints have been passed to the method. Please ensure that the outpoints are spendable by the sender address"
)

// ErrStranger says that no wallet has the sender of a call: the node fails without an answer in JSON.
type ErrStranger struct{ Address string }

func (e ErrStranger) Error() string { return fmt.Sprintf("no wallet holds the address %s", e.Address) }
