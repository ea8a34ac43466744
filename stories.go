package main

import (
	"context"
)

// scene is one part of a story.
type scene = func(context.Context) error

// tale is what one customer lives through.
type tale struct {
	title, name string
	scenes      func(*player) []scene
}

// stories are what is played, in this order.
func (d *demo) stories() []tale {
	return []tale{
		{"One seat, to the door and back for the money", "Ada", func(p *player) []scene {
			return []scene{p.choose, p.openChat, p.pay, p.enter, p.giveBack, p.account}
		}},
	}
}
