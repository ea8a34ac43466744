package mtproto_test

import (
	"context"
	"errors"
	"strconv"
	"testing"

	"github.com/gotd/td/telegram"
	"github.com/gotd/td/telegram/updates"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"

	"github.com/usherbot/usher/bot/simulator/mtproto"
)

// TestCallsFailAsAskedFor: a client whose connection is lost sends its call
// again, so that what was carried out already is carried out twice.
func TestCallsFailAsAskedFor(t *testing.T) {
	s := start(t)
	s.AddUser(1001, "Ada")
	if _, err := s.Write(1001, account().ID, "hello"); err != nil {
		t.Fatal(err)
	}
	plan := func(method, kind string) {
		t.Helper()
		if err := s.AddFault(mtproto.Fault{Method: method, Kind: kind}); err != nil {
			t.Fatal(err)
		}
	}
	l := client(t, s, nil, nil)
	l.run(t, func(ctx context.Context, api *tg.Client) error {
		plan(`^auth\.sendCode$`, "error:420:FLOOD_WAIT_1")
		if err := login(ctx, l); !tgerr.Is(err, "FLOOD_WAIT") {
			t.Errorf("the first login is answered %v", err)
		}
		if err := login(ctx, l); err != nil {
			return err
		}
		d, err := api.UpdatesGetDifference(ctx, &tg.UpdatesGetDifferenceRequest{Pts: 1, Date: 1})
		if err != nil {
			return err
		}
		u := d.(*tg.UpdatesDifference).Users[0].(*tg.User)
		answer := func(random int64) error {
			_, err := api.MessagesSendMessage(ctx, &tg.MessagesSendMessageRequest{
				Peer: &tg.InputPeerUser{UserID: u.ID, AccessHash: u.AccessHash}, RandomID: random, Message: "x",
			})
			return err
		}
		for random, want := range map[int64]struct{ kind, err string }{
			1: {kind: "drop-before"},
			2: {kind: "drop-after", err: "RANDOM_ID_DUPLICATE"},
			3: {kind: "twice"},
			4: {kind: "slow:10ms"},
			5: {kind: "error:500:MSG_WAIT_FAILED", err: "MSG_WAIT_FAILED"},
		} {
			plan(`sendMessage`, want.kind)
			err := answer(random)
			if want.err == "" && err != nil || want.err != "" && !tgerr.Is(err, want.err) {
				t.Errorf("%s: answered %v", want.kind, err)
			}
		}
		return nil
	})
	if n := len(s.Dialogs(1001)[0].Messages); n != 1+4 {
		t.Errorf("Ada sees %d messages", n)
	}
}

func TestFaultsThatMakeNoSenseAreRefused(t *testing.T) {
	s := start(t)
	for _, f := range []mtproto.Fault{
		{},
		{Method: "(", Kind: "twice"},
		{Method: "x", Kind: "explode"},
		{Method: "x", Kind: "slow:long"},
		{Method: "x", Kind: "error:abc:X"},
		{Method: "x", Kind: "error:400"},
	} {
		if err := s.AddFault(f); !errors.Is(err, mtproto.ErrFault) {
			t.Errorf("%v is answered %v", f, err)
		}
	}
}

// TestUpdatesAreLostAndDoubled: gotd's update manager makes up for both.
func TestUpdatesAreLostAndDoubled(t *testing.T) {
	s := start(t)
	s.AddUser(1001, "Ada")
	l := &letters{}
	state := updates.Config{Storage: memoryState{}}
	l.connect(t, func(edit func(*telegram.Options)) *line { return clientWith(t, s, edit) }, &state)
	l.visit(t, func(ctx context.Context) error { return login(ctx, l.line) }, func(ctx context.Context, _ *tg.Client) error {
		for i, f := range []mtproto.Fault{
			{Method: "^updates$", Kind: "drop-before"},
			{Method: "^updateShortMessage$", Kind: "twice"},
			{Method: "^updateShortMessage$", Kind: "drop-after"},
			{Method: "^nothing$", Kind: "twice"},
		} {
			if err := s.AddFault(f); err != nil {
				return err
			}
			if _, err := s.Write(1001, account().ID, strconv.Itoa(i)); err != nil {
				return err
			}
		}
		for i := range 4 {
			if got, err := l.text(ctx); err != nil || got != strconv.Itoa(i) {
				t.Errorf("message %d is %q, %v", i, got, err)
			}
		}
		return nil
	})
	if n := len(l.line.updates); n != 0 {
		t.Errorf("%d updates were told once too often", n)
	}
}
