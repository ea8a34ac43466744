package secretchat

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/usherbot/usher/bot/simulator/phone"
)

// repair is an honest network from now on. What was lost last shows only when something
// comes after it, so both sides go on to say a word until everything is there. Each round
// waits longer than the one before: how long the machine needs is not known.
func (j *journey) repair() {
	j.d.store.mu.Lock()
	j.d.store.failAt = 0
	j.d.store.mu.Unlock()
	for _, p := range j.people {
		p.off = false
		must(j.t, p.phone.Do(j.t.Context(), phone.ActionOn, ""))
		for _, r := range []*road{&p.ours, &p.theirs} {
			r.mu.Lock()
			r.seen = nil // all that comes arrives
			r.mu.Unlock()
			r.release()
		}
	}
	for round := range 9 {
		j.d.jumped.Add(int64(2 * askAgain / time.Second))
		for n, p := range j.people {
			if round > 0 && j.holds(p.complete) && (n >= journeyBursts || j.rekeyed(p)) {
				continue
			}
			for _, ours := range []bool{true, false} {
				j.speak(n, ours, fmt.Sprintf("word %d", round))
			}
		}
		if j.settled(min(200*time.Millisecond<<round, 8*time.Second)) {
			return
		}
	}
}

// rekeyed says that the chat's key is not the first one any more.
func (j *journey) rekeyed(p *person) bool {
	ch, err := j.d.current().load(j.t.Context(), p.chat)
	return err == nil && ch.Key != nil && KeyPicture(ch.Picture) != KeyPicture(keyPicture(ch.Key.Bytes))
}

// settled waits a while for everything to arrive.
func (j *journey) settled(limit time.Duration) bool {
	deadline := time.After(limit)
	for {
		missing := func(p *person) bool { return !p.complete() }
		old := func(p *person) bool { return !j.rekeyed(p) }
		if j.holds(func() bool { return !slices.ContainsFunc(j.people, missing) }) &&
			!slices.ContainsFunc(j.people[:journeyBursts], old) {
			return true
		}
		select {
		case <-j.changed:
		case <-deadline:
			return false
		}
	}
}

// breathe lets what was said arrive. What was lost may need another word, so it does not
// wait for ever.
func (j *journey) breathe(people []*person) {
	enough := time.After(time.Second)
	for j.holds(func() bool { return slices.ContainsFunc(people, (*person).behind) }) {
		select {
		case <-j.changed:
		case <-enough:
			return
		}
	}
}

// behind says that much of what was said to or by a person has not arrived.
func (p *person) behind() bool {
	return max(len(p.said)-len(p.shown()), len(p.answered)-len(p.heard)) > journeyBreath
}

func (p *person) complete() bool {
	return slices.Equal(p.shown(), p.said) && slices.Equal(p.heard, p.answered)
}

// shown is what the library wrote, as it is on the phone.
func (p *person) shown() (texts []string) {
	for _, c := range p.phone.Chats() {
		for _, m := range c.Messages {
			if !m.Mine {
				texts = append(texts, m.Text)
			}
		}
	}
	return texts
}

func (j *journey) judge() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for n, p := range j.people {
		if got := p.shown(); !slices.Equal(got, p.said) {
			j.t.Errorf("%s is shown %q, was told %q", p.name, got, p.said)
		}
		if !slices.Equal(p.heard, p.answered) {
			j.t.Errorf("of %s came %q, said was %q", p.name, p.heard, p.answered)
		}
		if all := p.phone.Complaints(); len(all) != 0 {
			j.t.Errorf("%s complains: %q", p.name, all)
		}
		if n < journeyBursts && !j.rekeyed(p) {
			ch, _ := j.d.current().load(j.t.Context(), p.chat)
			j.t.Errorf("the key of %s never changed: used %d times, exchange asked %t, answered %t, in %d, out %d, waiting %d",
				p.name, ch.Key.Used, ch.Exchange.asked(), ch.Exchange.negotiated() != nil, ch.In, ch.Out, len(ch.Waiting))
		}
	}
}

func (j *journey) OnRequest(context.Context, int64) (bool, error) { return true, nil }

func (j *journey) Event(_ context.Context, c Chat, e Event) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	defer poke(j.changed)
	p := j.people[c.User-100]
	note := fmt.Sprint(e.Kind, e.Text, e.Key, e.State)
	before, again := p.told[e.Number]
	switch {
	case again && before != note:
		j.t.Errorf("event %d of %s is %q and %q", e.Number, p.name, before, note)
	case again:
	case e.Kind == EventOpened:
		p.chat = c.ID
		j.byChat[c.ID] = p
	case e.Kind == EventClosed:
		j.t.Errorf("the chat of %s is over: %s", p.name, c.Reason)
	case e.Kind == EventText:
		p.heard = append(p.heard, e.Text)
	case e.Kind == EventProgress && e.State == Failed:
		j.t.Errorf("%q has failed", e.Key)
	}
	p.told[e.Number] = note
	return nil
}
