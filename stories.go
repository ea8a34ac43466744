package main

import (
	"context"

	"github.com/usherbot/usher/chain/cirrus"
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
			return []scene{
				p.choose("An Evening", "2B"), p.openChat, p.orderIt, p.pay(0), p.bought(1), p.enter(), p.giveBack, p.account,
			}
		}},
		{"Three seats in one order, paid with something on top; one of them comes back", "Ben", func(p *player) []scene {
			return []scene{
				p.choose("An Evening", "Best 3"), p.openChat, p.orderIt, p.pay(2 * cirrus.CRS), p.bought(3), p.enter(), p.giveBack,
				p.account,
			}
		}},
		{"Too little at first, and the rest when asked for it", "Cleo", func(p *player) []scene {
			return []scene{
				p.choose("An Evening", "4A"), p.openChat, p.orderIt, p.payInParts, p.bought(1), p.enter(), p.account,
			}
		}},
		{"A venue that asks for a name, which only the door gets to read", "Dora", func(p *player) []scene {
			guests := []string{"Dora Duval", "Émile Zweig"}
			return []scene{
				p.choose("Late Jazz", "Best 2"), p.openChat, p.nameGuests(guests...), p.orderIt, p.pay(0), p.bought(2),
				p.enter(guests...), p.account,
			}
		}},
	}
}
