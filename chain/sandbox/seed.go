package sandbox

import (
	"fmt"
	"time"

	"github.com/usherbot/usher/chain/cirrus"
)

// hall is a venue that a seeded sandbox has, with its show.
type hall struct {
	name, show, organiser string
	rows                  string // one letter each
	perRow                int32
	prices                []uint64 // CRS, by row
	days                  int      // until the show
	hour                  int      // UTC
	identity              bool
}

const (
	seedFee      = 5   // CRS
	seedNoRefund = 20  // blocks
	seedBlocks   = 720 // that a sale lasts, or more where blocks come fast
	seedSale     = 12 * time.Hour
)

func halls() []hall {
	return []hall{
		{name: "Lantern Hall", show: "An Evening of Nocturnes", organiser: "Lantern Concerts", rows: "ABC", perRow: 4, prices: []uint64{45, 35, 25}, days: 9, hour: 19},
		{name: "Riverside Theatre", show: "The Winter's Tale", organiser: "Riverside Players", rows: "ABCDE", perRow: 6, prices: []uint64{90, 75, 60, 45, 30}, days: 16, hour: 20},
		{name: "The Cellar", show: "Late Jazz with the Blue Quartet", organiser: "Cellar Club", rows: "AB", perRow: 4, prices: []uint64{40, 40}, days: 23, hour: 21, identity: true},
	}
}

// seed makes the venues of a demonstration.
func (s *Sandbox) seed() error {
	for _, hall := range halls() {
		if err := s.seedHall(hall); err != nil {
			return fmt.Errorf("seeding %s: %w", hall.name, err)
		}
	}
	return nil
}

func (s *Sandbox) seedHall(hall hall) error {
	var seats []cirrus.Seat
	var prices []SeatPrice
	for row, letter := range hall.rows {
		for number := range hall.perRow {
			seat := cirrus.Seat{Number: number + 1, Letter: cirrus.Char(letter)}
			seats = append(seats, seat)
			prices = append(prices, SeatPrice{Seat: seat, Price: hall.prices[row] * uint64(cirrus.CRS)})
		}
	}
	address, err := s.createVenue(VenueRequest{
		Venue: hall.name, Seats: seats, ReleaseFee: seedFee * uint64(cirrus.CRS), NoReleaseBlocks: seedNoRefund, Identity: hall.identity,
	})
	if err != nil {
		return err
	}
	day := s.options.Clock().UTC().Truncate(24*time.Hour).AddDate(0, 0, hall.days)
	return s.beginShow(ShowRequest{
		Address: address, Name: hall.show, Organiser: hall.organiser, Time: uint64(day.Add(time.Duration(hall.hour) * time.Hour).Unix()),
		EndOfSale: s.chain.Height() + s.saleLength(), Prices: prices,
	})
}

// saleLength is how many blocks a seeded sale lasts: long enough to look around, however fast blocks come.
func (s *Sandbox) saleLength() uint64 {
	if s.options.Block <= 0 {
		return seedBlocks
	}
	return max(seedBlocks, uint64(seedSale/s.options.Block))
}
