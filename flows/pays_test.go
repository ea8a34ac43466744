package flows_test

import (
	"context"
	"slices"
	"strconv"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

func (w *world) pays(how string) {
	o := w.last(ann)
	amount := o.Due
	if how != "what is due" {
		var err error
		amount, err = cirrus.ParseCRS(how)
		w.must(err)
	}
	w.chain.pay(o.Address, amount)
}

// paysSingle pays one of the orders that were made together, each seat paid on its own: "2 what is due".
func (w *world) paysSingle(nr, how string) {
	n, err := strconv.Atoi(nr)
	w.must(err)
	all, err := w.engine.List(context.Background(), ann)
	w.must(err)
	var together []order.Order
	for _, o := range slices.Backward(all) {
		if o.Batch != "" && o.Batch == all[0].Batch {
			together = append(together, o)
		}
	}
	amount := together[n-1].Due
	if how != "what is due" {
		amount, err = cirrus.ParseCRS(how)
		w.must(err)
	}
	w.chain.pay(together[n-1].Address, amount)
}

// paysOnTop pays the difference for another seat, to that seat's own address.
func (w *world) paysOnTop(how string) {
	o := w.last(ann)
	t := o.Tickets[len(o.Tickets)-1]
	amount := t.Due
	if how != "what is due" {
		var err error
		amount, err = cirrus.ParseCRS(how)
		w.must(err)
	}
	w.chain.pay(t.Address, amount)
}
