package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/usherbot/usher/bot/simulator"
	"github.com/usherbot/usher/chain/cirrus"
)

// errCheck is a check of the played story that failed; it ends the play with "demo: FAILED".
type errCheck struct{ what string }

func (e errCheck) Error() string { return e.what }

func failed(format string, a ...any) error { return errCheck{fmt.Sprintf(format, a...)} }

// playAll plays the story on each generation of Ticketbooth, or on the one that was asked for.
func playAll(ctx context.Context, f demoFlags, given func(flag string) bool, io streams) error {
	generations := []string{"ciphered", "hashed"}
	if given("generation") {
		generations = []string{f.generation}
	}
	f.block = "manual"
	for _, generation := range generations {
		f.generation = generation
		if _, err := fmt.Fprintf(io.out, "== Tickets with %s secrets, a node of %s\n", generation, f.node); err != nil {
			return err
		}
		if err := playOnce(ctx, f, given("listen"), io); err != nil {
			_, _ = fmt.Fprintln(io.out, "demo: FAILED:", err)
			return errSaid
		}
	}
	_, err := fmt.Fprintln(io.out, "demo: ok")
	return err
}

// playOnce starts everything and plays one story in it.
func playOnce(ctx context.Context, f demoFlags, listen bool, io streams) (err error) {
	d, err := startDemo(ctx, f, io)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	group, serving := errgroup.WithContext(ctx)
	defer func() {
		stop()
		if wait := group.Wait(); err == nil && !errors.Is(wait, context.Canceled) {
			err = wait
		}
		err = errors.Join(err, d.close())
	}()
	group.Go(func() error { return d.serve(serving) })
	if listen {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.listen)
		if err != nil {
			return fmt.Errorf("cannot listen on %s: %w", f.listen, err)
		}
		handler, err := d.handler()
		if err != nil {
			return err
		}
		group.Go(func() error { return serveHTTP(serving, listener, handler) })
		if _, err := fmt.Fprintln(io.out, "listening", listener.Addr()); err != nil {
			return err
		}
	}
	d.app.waitReady(serving)
	return d.play(serving, io.out)
}

// player is a customer who reads what is on the screen and taps, as a person would.
type player struct {
	*demo
	out    io.Writer
	user   int64
	name   string
	refund cirrus.Address
	shown  map[string]string // what was printed of each message
	door   cirrus.Address    // of the show that was chosen
	order  cirrus.Address    // where the ticket was paid to
	paid   cirrus.Strats
}

// patience is how long the player waits for something to appear on the screen.
const patience = time.Minute

// play plays the stories one after another, each with a customer of its own, and holds every strat to account.
func (d *demo) play(ctx context.Context, out io.Writer) error {
	for n, tale := range d.stories() {
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

func (p *player) choose(ctx context.Context) error {
	steps := []struct{ tap, then string }{
		{"Shows", "on sale"},
		{"An Evening", "seats are free"},
		{"Choose a seat", "Tap a seat"},
		{"2B", "Chosen"},
		{"Continue with 2B", "Where should money go back to?"},
	}
	if err := p.write(ctx, "/start", "secret chat"); err != nil {
		return err
	}
	for _, step := range steps {
		if err := p.tap(ctx, step.tap, step.then); err != nil {
			return err
		}
	}
	return p.write(ctx, string(p.refund), "Start Secret Chat")
}

func (p *player) openChat(ctx context.Context) error {
	if _, err := fmt.Fprintf(p.out, "%s starts a secret chat with the courier on the phone\n", p.name); err != nil {
		return err
	}
	if _, err := p.telegram.StartSecretChat(ctx, p.user, "@courier"); err != nil {
		return failed("the secret chat could not be started: %v", err)
	}
	_, err := p.until(ctx, "the order's price", func(m simulator.MessageView) bool { return button(m, "Order and pay") != "" })
	return err
}

func (p *player) pay(ctx context.Context) error {
	if err := p.tap(ctx, "Order and pay", "Send exactly"); err != nil {
		return err
	}
	card, err := p.until(ctx, "the payment card", func(m simulator.MessageView) bool { return copied(m, "Copy address") != "" })
	if err != nil {
		return err
	}
	p.order = cirrus.Address(copied(card, "Copy address"))
	if p.paid, err = cirrus.ParseCRS(copied(card, "Copy ")); err != nil {
		p.paid, err = sumOf(card)
	}
	if err != nil {
		return failed("no sum to pay on the card: %v", err)
	}
	if _, err := p.chain.Fund(p.order, p.paid); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(p.out, "%s pays %s to %s\n", p.name, p.paid, p.order); err != nil {
		return err
	}
	if _, err := p.until(ctx, "the payment being seen", says("is seen. It counts")); err != nil {
		return err
	}
	_, err = p.mineUntil(ctx, "the ticket", says("is yours"))
	return err
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

// enter shows the QR at the door: it must open.
func (p *player) enter(ctx context.Context) error {
	_, err := p.until(ctx, "the picture in the secret chat", func(simulator.MessageView) bool {
		_, err := p.picture()
		return err == nil
	})
	if err != nil {
		return err
	}
	opens, verdict, err := p.scan(ctx)
	if err != nil {
		return err
	}
	if !opens {
		return failed("the door does not open for a ticket that was bought: %s", verdict)
	}
	return nil
}

// scan takes the picture out of the customer's decrypted secret chat and has the scanner look at it.
func (p *player) scan(ctx context.Context) (opens bool, verdict string, err error) {
	picture, err := p.picture()
	if err != nil {
		return false, "", err
	}
	text, err := readQR(picture)
	if err != nil {
		return false, "", failed("the ticket's QR cannot be read: %v", err)
	}
	if p.door, err = p.venueOf(ctx); err != nil {
		return false, "", err
	}
	result, err := p.chain.Scan(p.door, text)
	if err != nil {
		return false, "", err
	}
	var words []string
	for _, answer := range result.Results {
		words = append(words, fmt.Sprintf("%s: %s", answer.Seat, answer.Verdict))
	}
	verdict = strings.Join(words, ", ")
	_, err = fmt.Fprintf(p.out, "At the door: %s, opens: %t\n", verdict, result.Opens)
	return result.Opens, verdict, err
}

// picture is the newest picture in the customer's secret chats.
func (p *player) picture() ([]byte, error) {
	chats, err := p.telegram.SecretChats(p.user)
	if err != nil {
		return nil, err
	}
	var newest string
	for _, chat := range chats {
		for _, m := range chat.Messages {
			if m.Picture != "" {
				newest = m.Picture
			}
		}
	}
	if newest == "" {
		return nil, failed("there is no picture in the secret chat")
	}
	return base64.StdEncoding.DecodeString(newest)
}

// venueOf finds the contract that the order bought from.
func (p *player) venueOf(ctx context.Context) (cirrus.Address, error) {
	id, err := p.app.db.Owner(ctx, p.order)
	if err != nil {
		return "", failed("no order has the address that was paid to: %v", err)
	}
	o, err := p.app.db.Load(ctx, id)
	return o.Show.Contract, err
}

func (p *player) giveBack(ctx context.Context) error {
	if err := p.write(ctx, "/refund", "Give a ticket back"); err != nil {
		return err
	}
	list, err := p.until(ctx, "the refund", says("/refund_"))
	if err != nil {
		return err
	}
	command := list.Text[strings.Index(list.Text, "/refund_"):]
	if err := p.write(ctx, strings.Fields(command)[0], "Giving back"); err != nil {
		return err
	}
	if _, err := p.mineUntil(ctx, "the money back", says("has arrived at")); err != nil {
		return err
	}
	opens, _, err := p.scan(ctx)
	if err != nil {
		return err
	}
	if opens {
		return failed("the door opens for a ticket that was given back")
	}
	return nil
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

// mineUntil makes blocks, as the chain would, until the screen shows something.
func (p *player) mineUntil(ctx context.Context, what string, shows func(simulator.MessageView) bool) (simulator.MessageView, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		block, stop := context.WithTimeout(ctx, 3*time.Second)
		m, err := p.until(block, what, shows)
		stop()
		if err == nil || ctx.Err() != nil {
			return m, err
		}
		height, err := p.chain.Mine(1)
		if err != nil {
			return m, err
		}
		if _, err := fmt.Fprintf(p.out, "-- block %d\n", height); err != nil {
			return m, err
		}
	}
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
