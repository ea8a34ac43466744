package main

import (
	"time"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox"
	"github.com/usherbot/usher/flows/order"
)

// hall is a venue with a show on sale that a story needs.
type hall struct {
	venue, show, organiser string
	rows                   string // one letter each
	perRow                 int32
	prices                 []cirrus.Strats // of the rows
}

// build makes the venue and begins the sale, which lasts for as long as any story.
func (h hall) build(chain *sandbox.Sandbox, now time.Time) (cirrus.Address, error) {
	const fee, noRefund, lasts, days, hour = 5 * uint64(cirrus.CRS), 20, 5000, 12, 20
	begins := now.UTC().Truncate(24*time.Hour).AddDate(0, 0, days).Add(hour * time.Hour)
	venue := sandbox.VenueRequest{Venue: h.venue, ReleaseFee: fee, NoReleaseBlocks: noRefund}
	sale := sandbox.ShowRequest{
		Name: h.show, Organiser: h.organiser, Time: uint64(begins.Unix()), EndOfSale: chain.Height() + lasts,
	}
	for row, letter := range h.rows {
		for number := range h.perRow {
			seat := cirrus.Seat{Number: number + 1, Letter: cirrus.Char(letter)}
			venue.Seats = append(venue.Seats, seat)
			sale.Prices = append(sale.Prices, sandbox.SeatPrice{Seat: seat, Price: uint64(h.prices[row])})
		}
	}
	address, err := chain.Venue(venue)
	if err != nil {
		return "", err
	}
	sale.Address = address
	return address, chain.Show(sale)
}

// seats are the seats of the hall, in the contract's order.
func (h hall) seats() (all []cirrus.Seat) {
	for _, letter := range h.rows {
		for number := range h.perRow {
			all = append(all, cirrus.Seat{Number: number + 1, Letter: cirrus.Char(letter)})
		}
	}
	return all
}

// backyard builds the venues for stories about time: one with seats to spare, one with two seats in all.
func backyard(chain *sandbox.Sandbox, now time.Time) error {
	for _, h := range []hall{
		{"The Boathouse", "Songs from the River", "Ferrymen", "AB", 5, []cirrus.Strats{60 * cirrus.CRS, 40 * cirrus.CRS}},
		{"The Attic", "A Play for Two", "Attic Stage", "A", 2, []cirrus.Strats{20 * cirrus.CRS}},
	} {
		if _, err := h.build(chain, now); err != nil {
			return err
		}
	}
	return nil
}

// arena builds a hall as large as one can be and sells it to others, up to the last seat that a node of 2020 can still
// sell: the fuller a hall, the more gas a purchase takes.
func arena(chain *sandbox.Sandbox, now time.Time) error {
	h := hall{"The Drill Hall", "Massed Choirs", "United Choirs", "ABCDE", 13, []cirrus.Strats{
		18 * cirrus.CRS, 16 * cirrus.CRS, 14 * cirrus.CRS, 12 * cirrus.CRS, 10 * cirrus.CRS,
	}}
	address, err := h.build(chain, now)
	if err != nil {
		return err
	}
	seats, perBlock := h.seats(), 8
	for sold := 0; order.TypicalGas(len(seats), sold+1) <= chain.GasLimit(); sold++ {
		if _, err := chain.Reserve(sandbox.ReserveRequest{Address: address, Seat: seats[sold]}); err != nil {
			return err
		}
		if sold%perBlock == perBlock-1 {
			if _, err := chain.Mine(1); err != nil {
				return err
			}
		}
	}
	_, err = chain.Mine(1)
	return err
}
