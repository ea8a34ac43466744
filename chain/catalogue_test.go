package chain

import (
	"context"
	"errors"
	"net/url"
	"testing"

	"github.com/usherbot/usher/chain/cirrus"
)

const hall = cirrus.Address("tHall")

func TestASaleIsPostedWholeAndKeptFresh(t *testing.T) {
	chain, b := newFakeChain(t), newBoard()
	chain.venue(hall, 3)
	w := chain.watcher(t, b)
	look(t, w)
	if sale := b.sales[hall]; sale.Show != nil || sale.Venue != "Odeon" || len(sale.Seats) != 3 {
		t.Fatalf("before the sale: %+v", sale)
	}
	chain.begin(hall, "Dune", 9000)
	look(t, w)
	sale := b.sales[hall]
	if sale.Show == nil || sale.Show.Name != "Dune" || sale.Show.Venue != "Odeon" || sale.Show.Contract != hall ||
		sale.Show.Block != chain.tip().Height || sale.Show.EndOfSale != 9000 || sale.Show.TxID == "" || !sale.Open(sale.Height) {
		t.Fatalf("after its beginning: %+v, show %+v", sale, sale.Show)
	}
	if want := (cirrus.Terms{ReleaseFee: 500, NoReleaseBlocks: 20, Identity: true}); sale.Terms != want {
		t.Fatalf("terms %+v", sale.Terms)
	}
	chain.own(hall, 1, "tBuyer")
	look(t, w)
	sale = b.sales[hall]
	if sale.Seats[1].Owner != "tBuyer" || len(sale.Seats[1].Secret) == 0 || sale.Seats[0].Owner != "" || sale.Height != chain.tip().Height {
		t.Fatalf("after a purchase: %+v", sale.Seats)
	}
}

func TestASeatSoldBeforeInThisSaleIsMarked(t *testing.T) {
	chain, b := newFakeChain(t), newBoard()
	chain.venue(hall, 2)
	chain.begin(hall, "Dune", 9000)
	w := chain.watcher(t, b)
	look(t, w)
	for _, step := range []struct {
		owner  cirrus.Address
		resold bool
	}{{"tFirst", false}, {cirrus.TestNet.Zero(), true}, {"tSecond", true}} {
		chain.own(hall, 0, step.owner)
		look(t, w)
		if seats := b.sales[hall].Seats; seats[0].Resold != step.resold || seats[1].Resold {
			t.Fatalf("with %s: %+v", step.owner, seats)
		}
	}
	const search = "/api/SmartContracts/receipt-search"
	before := chain.count(search)
	chain.mine()
	look(t, w)
	if chain.count(search) != before {
		t.Fatal("counted the logs again although no ticket changed")
	}
}

func TestTheNextShowOfAContractTakesThePlaceOfTheLast(t *testing.T) {
	chain, b := newFakeChain(t), newBoard()
	chain.venue(hall, 2)
	chain.begin(hall, "Dune", chain.tip().Height+4)
	w := chain.watcher(t, b)
	look(t, w)
	first := b.sales[hall].Show.TxID
	chain.own(hall, 0, "tFirst")
	for b.tip().Height < b.sales[hall].Show.EndOfSale {
		chain.mine()
		look(t, w)
	}
	if sale := b.sales[hall]; sale.Show == nil || sale.Open(sale.Height) || sale.Height < sale.Show.EndOfSale || sale.Seats[0].Owner != "tFirst" {
		t.Fatalf("after the last block of the sale: %+v", sale)
	}
	chain.total()
	chain.mine()
	look(t, w)
	if asked := chain.total(); asked["/api/v1.0/ticketbooth/tHall/Tickets"] != 0 {
		t.Fatalf("asked %v of a sale that is over", asked)
	}
	chain.end(hall)
	look(t, w)
	if sale := b.sales[hall]; sale.Show != nil {
		t.Fatalf("after it was ended: %+v", sale.Show)
	}
	chain.begin(hall, "Blade Runner", 9000)
	look(t, w)
	if sale := b.sales[hall]; sale.Show == nil || sale.Show.Name != "Blade Runner" || sale.Show.TxID == first || sale.Seats[0].Resold {
		t.Fatalf("the next show: %+v", sale)
	}
}

func TestAShowThatEndedBeforeTheWatcherCameIsNotOnSale(t *testing.T) {
	chain, b := newFakeChain(t), newBoard()
	chain.venue(hall, 2)
	chain.begin(hall, "Dune", chain.tip().Height+2)
	chain.mine()
	chain.end(hall)
	look(t, chain.watcher(t, b))
	if sale := b.sales[hall]; sale.Show != nil || len(sale.Seats) != 2 {
		t.Fatalf("got %+v", sale)
	}
}

func TestAnUndoneBeginningIsTakenBack(t *testing.T) {
	chain, b := newFakeChain(t), newBoard()
	venue := chain.venue(hall, 2)
	chain.mine()
	w := chain.watcher(t, b)
	look(t, w)
	chain.begin(hall, "Dune", 9000)
	look(t, w)
	if b.sales[hall].Show == nil {
		t.Fatal("the show was not seen")
	}
	chain.undo(1)
	venue.receipts = venue.receipts[:1]
	chain.mine()
	chain.mine()
	look(t, w)
	if b.sales[hall].Show != nil {
		t.Fatal("the show is still there")
	}
}

func TestAnOldShowOutlivesAReorganisationWithoutASearchThroughTheWholeChain(t *testing.T) {
	chain, b := newFakeChain(t), newBoard()
	chain.venue(hall, 2)
	chain.begin(hall, "Dune", 9000)
	w := chain.watcher(t, b)
	look(t, w)
	for range 2 * Memory {
		chain.mine()
	}
	look(t, w)
	chain.undo(1)
	chain.mine()
	chain.mine()
	look(t, w)
	if sale := b.sales[hall]; sale.Show == nil || sale.Show.Name != "Dune" || sale.Height != chain.tip().Height {
		t.Fatalf("got %+v", sale)
	}
	if query, _ := url.ParseQuery(chain.query("/api/SmartContracts/receipt-search")); query.Get("fromBlock") == "" {
		t.Fatalf("asked %v", query)
	}
}

func TestAVenueThatIsFollowedNoMoreSellsNothing(t *testing.T) {
	chain, b := newFakeChain(t), newBoard()
	chain.venue(hall, 2)
	chain.venue("tOther", 2)
	chain.begin(hall, "Dune", 9000)
	w := chain.watcher(t, b)
	look(t, w)
	chain.mu.Lock()
	delete(chain.venues, hall)
	chain.mu.Unlock()
	chain.mine()
	look(t, w)
	if sale := b.sales[hall]; sale.Show != nil || sale.Contract != hall || len(w.shelf) != 1 {
		t.Fatalf("got %+v", sale)
	}
}

func TestAVenueThatWasFollowedBeforeTheStartIsDropped(t *testing.T) {
	chain, b := newFakeChain(t), newBoard()
	chain.venue(hall, 2)
	var dropped []cirrus.Address
	w := chain.watcher(t, b, func(w *Watching) {
		w.View = seen{}
		w.Drop = func(_ context.Context, contract cirrus.Address) error {
			dropped = append(dropped, contract)
			return nil
		}
	})
	look(t, w)
	if len(dropped) != 1 || dropped[0] != "tGone" {
		t.Fatalf("dropped %v", dropped)
	}
}

func TestOneBadVenueDoesNotStopTheOthers(t *testing.T) {
	chain, b := newFakeChain(t), newBoard()
	chain.venue(hall, 2)
	chain.begin(hall, "Dune", 9000)
	chain.venue("tBad", 2)
	chain.on("/api/v1.0/ticketbooth/tBad/Tickets", 404, `"No smart contract found at address tBad"`)
	w := chain.watcher(t, b)
	look(t, w)
	if b.sales[hall].Show == nil || !b.tip().Healthy {
		t.Fatalf("got %+v", b.sales)
	}
	for _, status := range []int{400, 500} {
		chain.on("/api/v1.0/ticketbooth/tBad/Tickets", status, `"Odd contract"`)
		chain.mine()
		look(t, w)
		if sale := b.sales[hall]; sale.Height != chain.tip().Height || !b.tip().Healthy {
			t.Fatalf("with status %d: got %+v, tip %+v", status, sale, b.tip())
		}
	}
	chain.venueAnswers("tBad")
	chain.mine()
	look(t, w)
	if sale, found := b.sales["tBad"]; !found || len(sale.Seats) != 2 {
		t.Fatalf("got %+v", b.sales)
	}
}

func TestAVenueThatCouldNotBeReadAfterAReorganisationIsReadAnew(t *testing.T) {
	chain, b := newFakeChain(t), newBoard()
	chain.venue("tOther", 2)
	venue := chain.venue(hall, 2)
	w := chain.watcher(t, b)
	look(t, w)
	chain.begin(hall, "Dune", 9000)
	look(t, w)
	chain.undo(1)
	venue.receipts = venue.receipts[:1]
	chain.on("/api/v1.0/ticketbooth/tHall/Tickets", 500, `"Odd contract"`)
	chain.mine()
	chain.mine()
	look(t, w)
	chain.venueAnswers(hall)
	chain.mine()
	look(t, w)
	if sale := b.sales[hall]; sale.Show != nil || sale.Height != chain.tip().Height {
		t.Fatalf("got %+v", sale)
	}
}

func TestWithoutTicketboothNothingIsSoldButMoneyIsSeen(t *testing.T) {
	chain, b := newFakeChain(t), newBoard()
	chain.venue(hall, 2)
	chain.begin(hall, "Dune", 9000)
	b.owners["tPaid"] = "paid"
	w := chain.watcher(t, b)
	look(t, w)
	chain.mine()
	chain.setCoins(coin(txA, "tPaid", 1))
	chain.on("/api/v1.0/ticketbooth/tHall/Tickets", 502, "")
	if err := w.Look(t.Context()); !errors.Is(err, errBooth) {
		t.Fatalf("got %v", err)
	}
	if woken := b.drain(); len(woken) != 1 || b.tip().Healthy || b.tip().Height != chain.tip().Height {
		t.Fatalf("woke %v, tip %+v", woken, b.tip())
	}
	chain.venueAnswers(hall)
	look(t, w)
	if !b.tip().Healthy || b.sales[hall].Height != chain.tip().Height {
		t.Fatalf("back again: tip %+v", b.tip())
	}
}

func TestOnlyTheFirstOfEqualSeatsCounts(t *testing.T) {
	seat := cirrus.Seat{Number: 1, Letter: 'A'}
	tickets := firstOfEach([]cirrus.Ticket{{Seat: seat, Price: 1}, {Seat: cirrus.Seat{Number: 2}}, {Seat: seat, Price: 2}})
	if len(tickets) != 2 || tickets[0].Price != 1 || tickets[1].Seat.Number != 2 {
		t.Fatalf("got %+v", tickets)
	}
}
