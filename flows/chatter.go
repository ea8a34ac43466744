package flows

import (
	"context"
	"time"
)

// How many texts in the secret chat are answered within an hour, of one customer: what asks for nothing only a few
// times, and nothing without an end, since a phone that repeats what it reads would never stop.
const (
	answersWithin = time.Hour
	answersIdle   = 3
	answersMost   = 60
)

// Answers counts those that a customer got in the secret chat.
type Answers struct {
	Since time.Time `json:"since"` // of the first one that counts
	Idle  int       `json:"idle"`  // to what asked for nothing
	All   int       `json:"all"`
}

// room tells whether another text is answered.
func (a Answers) room(idle bool, now time.Time) bool {
	return now.Sub(a.Since) >= answersWithin || a.All < answersMost && (!idle || a.Idle < answersIdle)
}

// with counts another answer.
func (a Answers) with(idle bool, now time.Time) Answers {
	if now.Sub(a.Since) >= answersWithin {
		a = Answers{Since: now}
	}
	if a.All++; idle {
		a.Idle++
	}
	return a
}

// idleAnswer points somebody to the bot chat who writes into the secret chat although nothing was asked for there; empty
// where that was said often enough.
func (f *Flows) idleAnswer(ctx context.Context, customer int64, s Session) (string, error) {
	if !s.Answers.room(true, f.Clock()) {
		return "", nil
	}
	return f.secretly(ctx, customer, func(t *turn) (string, Reply, error) { return f.courierAnswer(t.voice), Reply{}, nil })
}

// answering gives the answer where there is room for another one, and counts it.
func (f *Flows) answering(t *turn, answer string) string {
	idle := answer == f.courierAnswer(t.voice)
	if !t.session.Answers.room(idle, t.now) {
		return ""
	}
	t.session.Answers = t.session.Answers.with(idle, t.now)
	return answer
}
