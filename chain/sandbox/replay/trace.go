package replay

import (
	"fmt"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox/contract"
)

// compareTrace runs one contract from its creation on.
func compareTrace(line object, found *differences) error {
	create, err := line.object("create")
	if err != nil {
		return err
	}
	call, err := readCall(create)
	if err != nil {
		return fmt.Errorf("create: %w", err)
	}
	created, result := contract.Create(call.Sender, call)
	operation := operation{want: create, call: call, got: result, found: found, place: "create: "}
	if created == nil {
		operation.compareRefused(line)
		return nil
	}
	operation.compare(created, nil)
	return compareSteps(line, created, found)
}

func compareSteps(line object, running *contract.Contract, found *differences) error {
	steps, err := line.objects("steps")
	if err != nil {
		return err
	}
	for i, step := range steps {
		place := fmt.Sprintf("step %d", i+1)
		call, err := readCall(step)
		if err != nil {
			return fmt.Errorf("%s: %w", place, err)
		}
		before := running.Tickets()
		result := running.Execute(call)
		operation := operation{want: step, call: call, got: result, found: found}
		operation.place = fmt.Sprintf("%s (%s): ", place, call.Method)
		operation.compare(running, before)
	}
	storage := map[string]any{}
	for key, value := range running.Storage() {
		storage[key] = upperHex(value)
	}
	found.compare("finalStorage", member(line, "finalStorage"), storage)
	found.compare("finalBalance", member(line, "finalBalance"), number(running.Balance()))
	return nil
}

func readCall(step object) (contract.Call, error) {
	var call contract.Call
	var err error
	if call.Height, err = step.ulong("height"); err != nil {
		return call, err
	}
	if call.Sender, err = step.hash("sender"); err != nil {
		return call, err
	}
	if call.Value, err = step.ulong("value"); err != nil {
		return call, err
	}
	if call.Method, err = step.text("method"); err != nil {
		return call, err
	}
	texts, err := step.texts("params")
	if err != nil {
		return call, err
	}
	if call.Params, err = contract.ParseParams(cirrus.MainNet, texts); err != nil {
		return call, fmt.Errorf("%w: params: %w", ErrUnreadable, err)
	}
	return call, nil
}

// operation is a creation or a step: what was recorded, and what happened here.
type operation struct {
	want  object
	call  contract.Call
	got   contract.Result
	found *differences
	place string
}

// compare compares the outcome, and what the contract is afterwards.
func (o operation) compare(after *contract.Contract, before []contract.Ticket) {
	o.compareOutcome()
	o.field("balance", number(after.Balance()))
	o.field("state", stateValue(after.State()))
	o.compareTickets(before, after.Tickets())
}

// compareRefused compares a creation that failed: there is no contract to look at, and recordings may say so in
// several ways.
func (o operation) compareRefused(line object) {
	o.compareOutcome()
	nothing := o
	nothing.emptyField(o.want, "tickets")
	nothing.zeroField(o.want, "balance")
	if state, ok := o.want["state"].(map[string]any); ok {
		o.found.compare(o.place+"state", state, stateValue(contract.State{}))
	}
	nothing.place = ""
	nothing.emptyField(line, "steps")
	nothing.emptyField(line, "finalStorage")
	nothing.zeroField(line, "finalBalance")
}

func (o operation) emptyField(in object, name string) {
	switch value := in[name].(type) {
	case nil:
	case []any:
		if len(value) > 0 {
			o.found.note(o.place+name, value, []any{})
		}
	case map[string]any:
		if len(value) > 0 {
			o.found.note(o.place+name, value, map[string]any{})
		}
	default:
		o.found.note(o.place+name, value, nil)
	}
}

func (o operation) zeroField(in object, name string) {
	if value := in[name]; value != nil {
		o.found.compare(o.place+name, value, number(0))
	}
}

func (o operation) compareOutcome() {
	o.field("ok", o.got.OK)
	o.compareError()
	var refund any
	if o.got.Refund > 0 {
		refund = map[string]any{"to": addressText(o.call.Sender), "amount": number(o.got.Refund)}
	}
	o.field("refund", refund)
	transfers := make([]any, len(o.got.Transfers))
	for i, transfer := range o.got.Transfers {
		transfers[i] = map[string]any{
			"to": addressText(transfer.To), "amount": number(transfer.Amount), "success": true,
		}
	}
	o.field("transfers", transfers)
	logs := make([]any, len(o.got.Logs))
	for i, log := range o.got.Logs {
		logs[i] = logValue(log)
	}
	o.field("logs", logs)
	o.compareGas()
}

func (o operation) field(name string, got any) {
	o.found.compare(o.place+name, member(o.want, name), got)
}

// compareError looks at the kind, and at the words where they are the contract's own.
func (o operation) compareError() {
	want, isObject := o.want["error"].(map[string]any)
	if !isObject || o.got.Failure == nil {
		var got any
		if o.got.Failure != nil {
			got = map[string]any{"kind": o.got.Failure.Kind, "message": o.got.Failure.Message}
		}
		o.found.compare(o.place+"error", member(o.want, "error"), got)
		return
	}
	o.found.compare(o.place+"error.kind", member(want, "kind"), o.got.Failure.Kind)
	if want["kind"] == contract.KindAssert {
		o.found.compare(o.place+"error.message", member(want, "message"), o.got.Failure.Message)
	}
}

// compareGas allows 5 % of what was recorded, and looks at calls that succeeded only.
func (o operation) compareGas() {
	if o.want["ok"] != true || !o.got.OK {
		return
	}
	want, err := o.want.ulong("gasMetered")
	got := o.got.GasMetered
	if err != nil || max(want, got)-min(want, got) > want/20 {
		o.found.note(o.place+"gasMetered", member(o.want, "gasMetered"), number(got))
	}
}

// compareTickets knows that the array is recorded where it changed, and need not be where it did not.
func (o operation) compareTickets(before, after []contract.Ticket) {
	tickets := ticketValues(after)
	var changed differences
	changed.compare("", ticketValues(before), tickets)
	if len(changed.list) > 0 || o.want["tickets"] != nil {
		o.field("tickets", tickets)
	}
}

func ticketValues(tickets []contract.Ticket) []any {
	values := make([]any, len(tickets))
	for i, ticket := range tickets {
		var address any
		if ticket.Owner != (cirrus.Hash{}) {
			address = addressText(ticket.Owner)
		}
		values[i] = map[string]any{
			"seat": seatValue(ticket.Seat), "price": number(ticket.Price), "address": address,
			"secret": upperHex(ticket.Secret), "customerIdentifier": upperHex(ticket.Identifier),
		}
	}
	return values
}

func stateValue(state contract.State) any {
	return map[string]any{
		"endOfSale": number(state.EndOfSale), "releaseFee": number(state.ReleaseFee),
		"noRefundBlockCount":          number(state.NoRefundBlockCount),
		"requireIdentityVerification": state.RequireIdentityVerification,
	}
}

func logValue(log contract.Log) any {
	topics := make([]any, len(log.Topics))
	for i, topic := range log.Topics {
		topics[i] = upperHex(topic)
	}
	fields := map[string]any{}
	for _, field := range log.Fields {
		fields[field.Name] = fieldValue(field.Value)
	}
	return map[string]any{"event": log.Event, "topics": topics, "data": upperHex(log.Data), "fields": fields}
}

func fieldValue(value any) any {
	switch value := value.(type) {
	case uint64:
		return number(value)
	case []byte:
		return upperHex(value)
	case cirrus.Hash:
		return addressText(value)
	case cirrus.Seat:
		return seatValue(value)
	}
	return value
}
