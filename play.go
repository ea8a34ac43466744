package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/usherbot/usher/bot/simulator"
	"github.com/usherbot/usher/chain/cirrus"
)

// errCheck is a check of the played story that failed; it ends the play with "demo: FAILED".
type errCheck struct{ what string }

func (e errCheck) Error() string { return e.what }

func failed(format string, a ...any) error { return errCheck{fmt.Sprintf(format, a...)} }

// player is a customer who reads what is on the screen and taps, as a person would.
type player struct {
	*demo
	out       io.Writer
	user      int64
	name      string
	refund    cirrus.Address
	shown     map[string]string // what was printed of each message
	door      cirrus.Address    // of the show that was chosen
	order     cirrus.Address    // where the ticket was paid to
	due, paid cirrus.Strats
}

// patience is how long the player waits for something to appear on the screen. It is much longer than anything takes:
// the machine may be busy with other things.
const patience = 2 * time.Minute

// play plays the stories one after another, each with a customer of its own, and holds every strat to account.
func (d *demo) play(ctx context.Context, out io.Writer, tales []tale) error {
	for n, tale := range tales {
		if _, err := fmt.Fprintf(out, "-- %s\n", tale.title); err != nil {
			return err
		}
		p := d.newPlayer(out, tale.name, n)
		for _, scene := range tale.scenes(p) {
			if err := scene(ctx); err != nil {
				return err
			}
		}
	}
	return d.audit(ctx, out)
}

func (d *demo) newPlayer(out io.Writer, name string, n int) *player {
	return &player{
		demo: d, out: out, user: d.telegram.AddUser(name, "en"), name: name, shown: map[string]string{},
		refund: d.chain.Network().Address(cirrus.Hash{0xAD, byte(n)}),
	}
}

// sumOf finds the button that copies a sum.
func sumOf(card simulator.MessageView) (cirrus.Strats, error) {
	for _, b := range card.Buttons {
		if sum, err := cirrus.ParseCRS(b.Copy); err == nil {
			return sum, nil
		}
	}
	return 0, cirrus.ErrAmount
}

// venueOf finds the contract that the order bought from.
func (p *player) venueOf(ctx context.Context) (cirrus.Address, error) {
	o, err := p.record(ctx)
	return o.Show.Contract, err
}

func says(words string) func(simulator.MessageView) bool {
	return func(m simulator.MessageView) bool { return m.From == "bot" && strings.Contains(m.Text, words) }
}

// button finds a button by how its text begins.
func button(m simulator.MessageView, text string) string {
	for _, b := range m.Buttons {
		if strings.HasPrefix(b.Text, text) {
			return b.ID
		}
	}
	return ""
}

// copied finds what a button puts into the clipboard.
func copied(m simulator.MessageView, text string) string {
	for _, b := range m.Buttons {
		if strings.HasPrefix(b.Text, text) && b.Copy != "" {
			return b.Copy
		}
	}
	return ""
}

func (p *player) write(ctx context.Context, text, then string) error {
	if _, err := fmt.Fprintf(p.out, "%s writes: %s\n", p.name, text); err != nil {
		return err
	}
	sent, err := p.telegram.Text(ctx, p.user, "bot", text)
	if err != nil {
		return failed("%q could not be sent: %v", text, err)
	}
	_, err = p.until(ctx, "an answer to "+text, func(m simulator.MessageView) bool { return m.ID > sent && says(then)(m) })
	return err
}

func (p *player) tap(ctx context.Context, text, then string) error {
	var id string
	m, err := p.until(ctx, "the button "+text, func(m simulator.MessageView) bool {
		id = button(m, text)
		return id != ""
	})
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(p.out, "%s taps: %s\n", p.name, text); err != nil {
		return err
	}
	answer, err := p.telegram.Tap(ctx, p.user, "bot", int(m.ID), id)
	if err != nil {
		return failed("nobody answered the tap on %q: %v", text, err)
	}
	if answer.Text != "" {
		if _, err := fmt.Fprintf(p.out, "    (%s)\n", answer.Text); err != nil {
			return err
		}
	}
	_, err = p.until(ctx, "what follows "+text, says(then))
	return err
}

// taps taps one button after another: each is followed by what the screen says then.
func (p *player) taps(ctx context.Context, buttonThen ...string) error {
	for pair := range slices.Chunk(buttonThen, 2) {
		if err := p.tap(ctx, pair[0], pair[1]); err != nil {
			return err
		}
	}
	return nil
}

// mineUntil makes blocks, as the chain would, until the screen shows something.
func (p *player) mineUntil(ctx context.Context, what string, shows func(simulator.MessageView) bool) (simulator.MessageView, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		block, stop := context.WithTimeout(ctx, 1500*time.Millisecond)
		m, err := p.until(block, what, shows)
		stop()
		if err == nil || ctx.Err() != nil {
			return m, err
		}
		if err := p.mine(); err != nil {
			return m, err
		}
	}
}

// mine makes one block.
func (p *player) mine() error {
	height, err := p.chain.Mine(1)
	if err != nil {
		return err
	}
	return p.say("-- block %d", height)
}

// until reads the screen, printing what is new on it, until one message shows something.
func (p *player) until(ctx context.Context, what string, shows func(simulator.MessageView) bool) (simulator.MessageView, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		messages, err := p.read()
		if err != nil {
			return simulator.MessageView{}, err
		}
		for i := len(messages) - 1; i >= 0; i-- {
			if shows(messages[i]) {
				return messages[i], nil
			}
		}
		select {
		case <-ctx.Done():
			return simulator.MessageView{}, failed("%s waited for %s, and it did not come", p.name, what)
		case <-ticker.C:
		}
	}
}
