package hub

import (
	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
)

// differenceLimit is how many messages of a kind one answer of
// updates.getDifference brings at most; more come in slices.
const differenceLimit = 100

func getState(_ *Hub, d *Device, _ *tg.UpdatesGetStateRequest) (bin.Encoder, error) {
	s := d.state(d.user.mail.pts(), d.qts)
	return &s, nil
}

func getDifference(_ *Hub, d *Device, req *tg.UpdatesGetDifferenceRequest) (bin.Encoder, error) {
	switch {
	case req.Pts == 0:
		return nil, tgerr.New(400, tg.ErrPersistentTimestampEmpty)
	case req.Pts < 0 || req.Pts > d.user.mail.pts():
		return nil, tgerr.New(400, tg.ErrPersistentTimestampInvalid)
	}
	return d.difference(req.Pts, req.Qts), nil
}

func (d *Device) state(pts, qts int) tg.UpdatesState {
	return tg.UpdatesState{Pts: pts, Qts: qts, Date: d.hub.now(), Seq: 0}
}

// news is what one answer of updates.getDifference brings.
type news struct {
	pts, qts  int
	ordinary  []tg.MessageClass
	encrypted []tg.EncryptedMessageClass
	updates   []tg.UpdateClass
	about     []*account
}

// difference is what happened since pts and qts. It acknowledges the
// encrypted messages up to qts.
func (d *Device) difference(pts, qts int) tg.UpdatesDifferenceClass {
	qts = min(qts, d.qts)
	d.acknowledge(qts)
	n := &news{pts: pts, qts: d.qts}
	n.addChanges(d.user.mail.changes[pts-1:])
	n.addEncrypted(d.queue)
	n.addEvents(d.events)
	switch {
	case len(n.ordinary)+len(n.encrypted)+len(n.updates) == 0:
		return &tg.UpdatesDifferenceEmpty{Date: d.hub.now()}
	case n.pts < d.user.mail.pts() || n.qts < d.qts:
		return &tg.UpdatesDifferenceSlice{
			NewMessages: n.ordinary, NewEncryptedMessages: n.encrypted, OtherUpdates: n.updates,
			Users: d.users(n.about), IntermediateState: d.state(n.pts, n.qts),
		}
	}
	return &tg.UpdatesDifference{
		NewMessages: n.ordinary, NewEncryptedMessages: n.encrypted, OtherUpdates: n.updates,
		Users: d.users(n.about), State: d.state(n.pts, n.qts),
	}
}

func (n *news) addChanges(changes []change) {
	for _, c := range changes[:min(len(changes), differenceLimit)] {
		n.pts = c.pts
		n.about = append(n.about, c.about)
		if c.letter != nil {
			n.ordinary = append(n.ordinary, c.letter.wire())
			continue
		}
		n.updates = append(n.updates, c.update)
	}
}

func (n *news) addEncrypted(queue []queued) {
	part := queue[:min(len(queue), differenceLimit)]
	if len(part) < len(queue) {
		n.qts = part[len(part)-1].qts
	}
	for _, q := range part {
		n.encrypted = append(n.encrypted, q.message)
		n.about = append(n.about, q.from)
	}
}

// addEvents adds the changes of chats that came before the last message.
func (n *news) addEvents(events []event) {
	for _, e := range events {
		if e.after <= n.qts {
			n.updates = append(n.updates, e.update)
			n.about = append(n.about, e.about...)
		}
	}
}
