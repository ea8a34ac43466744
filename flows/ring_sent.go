package flows

import (
	"slices"
	"strconv"
	"time"

	"github.com/usherbot/usher/flows/order"
)

// Once a ticket was sent: remindAfter is how long the phone may take to fetch it, or the customer to open a secret chat,
// before they are reminded, once; missingAfter is when it is asked whether it has arrived.
const (
	remindAfter  = 30 * time.Minute
	missingAfter = 3 * time.Minute
)

// valid tells whether a ticket is the customer's and still opens a door.
func valid(o order.Order, t order.Ticket, now time.Time) bool {
	return o.State == order.Filled && (t.State == order.Owned || t.State == order.Ended) && !o.ShowOver(now)
}

// unfetched tells whether a ticket was sent that the phone has not fetched, as far as is known.
func unfetched(o order.Order) bool {
	return slices.ContainsFunc(o.Tickets, func(t order.Ticket) bool { return t.Delivery.State == order.DeliverySent })
}

// handedBell rings once for all tickets that were handed over together, when none is being bought any more. It says that
// they have arrived only where the phone has said so.
func (f *Flows) handedBell(v voice, o order.Order) (keys []string, text Text) {
	if o.State != order.Filled || buying(o) {
		return nil, nil
	}
	var handed []order.Ticket
	id := "ring.seen"
	for _, t := range o.Tickets {
		there := t.Delivery.State == order.DeliverySent || t.Delivery.State == order.DeliverySeen
		if key := "sent:" + t.ID; t.State == order.Owned && t.Reason != order.ReasonWindowOver && there && !slices.Contains(o.Card.Rung, key) {
			handed, keys = append(handed, t), append(keys, key)
			if t.Delivery.State == order.DeliverySent {
				id = "ring.sent"
			}
		}
	}
	return keys, v.say(id, f.bellArgs(v, o, handed...))
}

// chatBell rings once for all tickets that wait for a secret chat, unless the customer knows.
func (f *Flows) chatBell(v voice, o order.Order, around Around) []bell {
	if o.State != order.Filled || around.Courier == "" || around.Chat != ChatNone {
		return nil
	}
	var waiting []order.Ticket
	var keys []string
	for _, t := range o.Tickets {
		waits := t.Delivery.State == order.DeliveryWaiting && t.Delivery.Attempts > 0 && !t.Delivery.Told
		if key := chatKey(t); t.State == order.Owned && t.Reason != order.ReasonWindowOver && waits && !slices.Contains(o.Card.Rung, key) {
			waiting, keys = append(waiting, t), append(keys, key)
		}
	}
	if keys == nil {
		return nil
	}
	a := f.bellArgs(v, o, waiting...)
	a["Courier"] = around.Courier
	return []bell{{keys: keys, screen: Screen{Text: v.say("ring.chat", a), Buttons: v.toChat(around.Courier)}, payout: -1}}
}

// toChat are the buttons of what rings where tickets wait for a secret chat.
func (v voice) toChat(courier string) [][]Button {
	return [][]Button{v.chatRow(courier), {v.button("button.tickets", nil, act(doMine))}}
}

// chatKey is the key of what rings where a ticket waits for a secret chat: of each sending anew.
func chatKey(t order.Ticket) string {
	if t.Delivery.Count <= 1 {
		return "chat:" + t.ID
	}
	return "chat:" + t.ID + ":" + strconv.Itoa(t.Delivery.Count)
}

// reminder is something about a ticket that its customer is reminded of once.
type reminder struct {
	key string // empty: nothing
	at  time.Time
	id  string // of the words
}

// reminderOf is what the customer is reminded of if nothing changes until then: a ticket that the phone does not fetch,
// or that waits for a secret chat.
func reminderOf(o order.Order, t order.Ticket, now time.Time) reminder {
	if !valid(o, t, now) {
		return reminder{}
	}
	r := reminder{key: "unseen:" + t.ID, at: t.Delivery.Sent, id: "ring.unseen"}
	switch t.Delivery.State {
	case order.DeliverySent:
		if r.at.IsZero() {
			return reminder{}
		}
	case order.DeliveryNone, order.DeliveryWaiting:
		r = reminder{key: "chatless:" + t.ID, at: t.Delivery.Since, id: "ring.chatless"}
		if r.at.IsZero() { // noted by a program that did not write it down
			r.at = t.Since
		}
	case order.DeliverySeen, order.DeliveryFailed:
		return reminder{}
	}
	r.at = r.at.Add(remindAfter)
	if slices.Contains(o.Card.Rung, r.key) {
		return reminder{}
	}
	return r
}

// stillWaiting reminds, once for each ticket, of those that the phone has not fetched, and of those that wait for a
// secret chat.
func (f *Flows) stillWaiting(v voice, o order.Order, around Around) []bell {
	now := f.Clock()
	waits, keys := map[string][]order.Ticket{}, map[string][]string{}
	for _, t := range o.Tickets {
		r := reminderOf(o, t, now)
		chatless := r.id == "ring.chatless"
		if r.key == "" || now.Before(r.at) || chatless && (around.Courier == "" || around.Chat == ChatOpen || around.Chat == "") {
			continue
		}
		waits[r.id], keys[r.id] = append(waits[r.id], t), append(keys[r.id], r.key)
	}
	var all []bell
	for _, id := range []string{"ring.unseen", "ring.chatless"} {
		if keys[id] == nil {
			continue
		}
		a := f.bellArgs(v, o, waits[id]...)
		a["Courier"] = around.Courier
		buttons := [][]Button{{v.button("button.missing", nil, act(doMissing)), v.button("button.tickets", nil, act(doMine))}}
		if id == "ring.chatless" {
			buttons = v.toChat(around.Courier)
		}
		screen := Screen{Text: v.say(id, a), Buttons: buttons}
		all = append(all, bell{keys: keys[id], screen: screen, payout: -1})
	}
	return all
}

// asksArrived tells whether it is time to ask whether a ticket that was sent has arrived.
func asksArrived(o order.Order, t order.Ticket, now time.Time) bool {
	sent := t.Delivery.State == order.DeliverySent || t.Delivery.State == order.DeliverySeen
	return valid(o, t, now) && sent && (t.Delivery.Count > 1 || !now.Before(t.Delivery.Sent.Add(missingAfter)))
}

// lookAgain is when a card must be looked at again because of what was sent, although nothing happens; zero: never.
func lookAgain(o order.Order, now time.Time) (at time.Time) {
	add := func(next time.Time) {
		if now.Before(next) && (at.IsZero() || next.Before(at)) {
			at = next
		}
	}
	for _, t := range o.Tickets {
		if !valid(o, t, now) {
			continue
		}
		if !t.Delivery.Sent.IsZero() {
			add(t.Delivery.Sent.Add(missingAfter))
		}
		add(reminderOf(o, t, now).at)
	}
	return at
}
