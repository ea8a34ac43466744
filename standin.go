package main

import (
	"context"
	"time"

	"github.com/usherbot/usher/flows"
	"github.com/usherbot/usher/flows/order"
	"github.com/usherbot/usher/ticketgen"
)

// standIns take the place of what talks to Telegram, of jobs and of chance, where thousands of stories are played on the
// rest of Usher as it is. What is nil is the real thing.
type standIns struct {
	messenger flows.Messenger
	username  string // of the bot; with messenger
	courier   flows.Courier
	artist    flows.Artist
	jobs      func(run func(context.Context, order.ID) error) jobs
	newID     func() string
	pick      func(n int) int
	nodePause time.Duration // before the first repeat of a call that only reads; 0: the client's own
}

// jobs runs orders soon.
type jobs interface {
	order.Jobs
	Run(ctx context.Context) error
}

func (s standIns) filled() standIns {
	if s.courier == nil {
		s.courier = nobody{}
	}
	if s.artist == nil {
		s.artist = ticketgen.Artist{}
	}
	if s.newID == nil {
		s.newID = newID
	}
	if s.pick == nil {
		s.pick = pick
	}
	return s
}
