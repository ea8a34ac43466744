package main

import (
	"context"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
)

// scene is one part of a story.
type scene = func(context.Context) error

// tale is what one customer lives through.
type tale struct {
	title, name string
	scenes      func(*player) []scene
}

// everyday are the stories that go as they should, in venues that the sandbox has from the start.
func everyday() []tale {
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
		{"A venue that asks for a name, which only the door gets to read; and another address for the money", "Dora", func(p *player) []scene {
			guests := []string{"Dora Duval", "Émile Zweig"}
			return []scene{
				p.choose("Late Jazz", "Best 2"), p.openChat, p.nameGuests(guests...), p.orderIt, p.pay(0), p.bought(2),
				p.enter(guests...), p.redirect, p.giveBack, p.account,
			}
		}},
		{"A seat that was given back: no scanner could read a second ticket for it, so nobody gets one", "Eve", func(p *player) []scene {
			return []scene{p.notOffered("An Evening", "2B"), p.offeredNothing}
		}},
	}
}

// latecomers are stories of payments that come after the time to pay.
func latecomers() []tale {
	const beyondHold = 16 * time.Minute
	return []tale{
		{"A payment that comes too late, for a seat that is still free", "Finn", func(p *player) []scene {
			return []scene{
				p.choose("Songs from", "2A"), p.openChat, p.orderIt, p.lets(beyondHold, "ended unpaid"), p.paysLate, p.bought(1),
				p.enter(), p.account,
			}
		}},
		{"A payment that comes too late, when every seat is gone", "Gina", func(p *player) []scene {
			return []scene{
				p.choose("A Play for", "1A"), p.openChat, p.orderIt, p.lets(beyondHold, "ended unpaid"),
				p.others(cirrus.Seat{Number: 1, Letter: 'A'}, cirrus.Seat{Number: 2, Letter: 'A'}), p.paysInVain, p.account,
			}
		}},
	}
}

// outrun are stories of seats that are lost although they were paid for.
func outrun() []tale {
	const show, beyondChoice = "Songs from", 31 * time.Minute
	return []tale{
		{"Another seat, which costs more", "Hugo", func(p *player) []scene {
			return []scene{
				p.choose(show, "1B"), p.openChat, p.orderIt, p.lose, p.instead("2A", "on top"), p.addTheRest, p.bought(1), p.enter(),
				p.account,
			}
		}},
		{"Another seat, which costs less", "Ines", func(p *player) []scene {
			return []scene{
				p.choose(show, "3A"), p.openChat, p.orderIt, p.lose, p.instead("2B", "comes back to"), p.bought(1), p.enter(), p.account,
			}
		}},
		{"The money back, with a tap", "Jon", func(p *player) []scene {
			return []scene{p.choose(show, "4A"), p.openChat, p.orderIt, p.lose, p.moneyBack, p.account}
		}},
		{"The money back, by itself", "Kira", func(p *player) []scene {
			return []scene{
				p.choose(show, "5A"), p.openChat, p.orderIt, p.lose, p.lets(beyondChoice, "goes back by itself, less"), p.comesBack, p.account,
			}
		}},
	}
}

// crowded are stories of a hall that is too large for its node.
func crowded() []tale {
	const show = "Massed Choirs"
	return []tale{
		{"The last seat that the node can still sell", "Lars", func(p *player) []scene {
			return []scene{
				p.tooMany(show, "Best 2"), p.pick("9E"), p.openChat, p.orderIt, p.pay(0), p.bought(1), p.enter(), p.account,
			}
		}},
		{"And the seats after it: said before anybody pays", "Mona", func(p *player) []scene {
			return []scene{p.looks(show, "so large and so full"), p.offeredNothing}
		}},
	}
}
