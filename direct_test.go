package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"github.com/usherbot/usher/chain/sandbox"
)

// losesAnswers has the next calls made and their answers lost on the way.
func (p *player) losesAnswers(path string, times int) scene {
	return func(context.Context) error {
		return p.chain.Fault(sandbox.FaultRequest{Path: path, Kind: "drop-after", Times: times})
	}
}

// unanswered is the story of two seats with names on them, bought directly, with the answers to both calls lost.
func unanswered() []tale {
	guests := []string{"Gus Grey", "Zoë Dahl"}
	return []tale{{"Two answers that are lost", "Gus", func(p *player) []scene {
		return []scene{
			p.choose("Late Jazz", "Best 2"), p.openChat, p.nameGuests(guests...), p.orderIt,
			p.losesAnswers("SmartContractWallet/call", 2), p.pay(0), p.bought(2), p.enter(guests...), p.redirect, p.giveBack, p.account,
		}
	}}}
}

// TestLostAnswersOfDirectCallsEndWithTicketsThatOpen plays it with doors that read hashed secrets, and a node of 2020;
// TestNothingDerivedLeaves has the others.
func TestLostAnswersOfDirectCallsEndWithTicketsThatOpen(t *testing.T) {
	t.Parallel()
	flags := demoFlags{play: true, generation: "hashed", node: string(sandbox.Node2020), block: "manual", reserve: "direct"}
	lists := [][]stage{{{title: "Bought directly", flags: flags, tales: unanswered()}}}
	var out bytes.Buffer
	if err := playAll(t.Context(), lists, streams{strings.NewReader(""), &out, io.Discard}); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// TestNothingDerivedLeaves: secrets that are derived are kept to themselves like those that were received.
func TestNothingDerivedLeaves(t *testing.T) {
	t.Parallel()
	s := playStory(t, demoFlags{generation: "ciphered", reserve: "direct"}, unanswered())
	s.leaksNothing(t)
	if !bytes.Contains(s.log.Bytes(), []byte("reserve not answered well")) {
		t.Error("no answer was lost")
	}
}
