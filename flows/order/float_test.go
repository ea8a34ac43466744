package order_test

import (
	"context"
	"slices"
	"testing"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// purseOfFloat is the operator's float: coins of a wallet of its own, and who claimed their addresses.
type purseOfFloat struct {
	w      *world
	filled cirrus.Strats // with how much, so far
	at     []cirrus.Address
	claims map[cirrus.Address]order.ID
	rival  cirrus.Address // another order claims it right before it is claimed
	poor   int            // after so many looks nothing is there, once
}

var floatAccount = cirrus.Account{Wallet: "float", Name: "account 0"}

// newFloated is a world with a float of these coins, each at an address of its own.
func newFloated(t *testing.T, coins []cirrus.Strats, change ...func(*order.Config)) *world {
	t.Helper()
	w := newWorldWith(t, func(cfg *order.Config) {
		cfg.Float = floatAccount
		for _, one := range change {
			one(cfg)
		}
	})
	w.float = &purseOfFloat{w: w, claims: map[cirrus.Address]order.ID{}}
	w.engine.Float = w.float
	w.float.fill(coins...)
	return w
}

// fill adds coins, mined.
func (f *purseOfFloat) fill(coins ...cirrus.Strats) {
	for _, amount := range coins {
		address := cirrus.MainNet.Address(cirrus.Hash{0xF1, byte(len(f.at))}) // #nosec G115 -- few
		f.at = append(f.at, address)
		c := cirrus.Coin{Outpoint: cirrus.Outpoint{TxID: f.w.node.id()}, Address: address, Amount: amount}
		f.w.node.coins[c.Outpoint] = &coin{Coin: c, block: f.w.node.height - 50}
		f.filled += amount
	}
}

func (f *purseOfFloat) coins() []cirrus.Coin {
	return slices.DeleteFunc(f.w.node.spendable(), func(c cirrus.Coin) bool { return !slices.Contains(f.at, c.Address) })
}

// gave is what left it for good.
func (f *purseOfFloat) gave() cirrus.Strats {
	if f == nil {
		return 0
	}
	return f.filled - sum(f.coins())
}

func (f *purseOfFloat) Coins(_ context.Context, id order.ID) ([]cirrus.Coin, error) {
	coins := slices.DeleteFunc(f.coins(), func(c cirrus.Coin) bool {
		owner, claimed := f.claims[c.Address]
		return claimed && owner != id
	})
	if f.poor > 0 {
		if f.poor--; f.poor == 0 {
			coins = nil
		}
	}
	f.answers(coins)
	return coins, nil
}

// answers tells the logbook what the coins mean.
func (f *purseOfFloat) answers(coins []cirrus.Coin) {
	l, watched := f.w.engine.Store.(*logbook)
	if !watched {
		return
	}
	o, err := l.Load(f.w.t.Context(), f.w.o.ID)
	f.w.must(err)
	l.say(sum(coins) >= o.Aids[len(o.Aids)-1].Amount+order.MinFee, "enough", "too little")
}

func (f *purseOfFloat) Claim(_ context.Context, address cirrus.Address, id order.ID) error {
	if address == f.rival {
		f.claims[address], f.rival = "rival", ""
	}
	if owner, claimed := f.claims[address]; claimed && owner != id {
		return order.ErrClaimed
	}
	f.claims[address] = id
	return nil
}

func (f *purseOfFloat) Free(_ context.Context, address cirrus.Address, id order.ID) error {
	if f.claims[address] == id {
		delete(f.claims, address)
	}
	return nil
}

// wantsClaims wants so many addresses claimed, each by an order that used it.
func (w *world) wantsClaims(n int) {
	w.t.Helper()
	if len(w.float.claims) != n {
		w.t.Errorf("claimed of the float: %v, wanted %d", w.float.claims, n)
	}
	for address, id := range w.float.claims {
		o, err := w.db.Load(w.t.Context(), id)
		w.must(err)
		if !slices.ContainsFunc(o.Aids, func(a order.Aid) bool { return slices.Contains(a.From, address) }) {
			w.t.Errorf("%s is claimed by order %s, which does not know", address.Short(), id)
		}
	}
}

var fewCoins = []cirrus.Strats{2 * cirrus.CRS, 20 * cirrus.CRS, 20 * cirrus.CRS, 200 * cirrus.CRS}

// strayed takes an order as far as a purchase whose answer was lost.
func strayed(w *world) *world {
	w.t.Helper()
	w.open()
	w.pay()
	w.next(order.SiteReserve, lost())
	w.next(order.SiteCalls, refusedWith(order.ErrUnreachable)) // nothing was found out yet
	w.mine(1)
	w.wants(order.Filled, order.Unknown)
	return w
}

func TestASeatWithoutItsSecretIsGivenBackAndAllThatWasPaidComesBack(t *testing.T) {
	w := strayed(newFloated(t, fewCoins))
	w.mine(10)
	w.wants(order.Filled, order.Lost)
	w.saw("unknown", "stray", order.SiteCalls)
	w.saw("stray", "releasing", order.SiteRelease)
	w.saw("releasing", "lost", order.SiteClaim)
	if p := w.payout(); p.State != order.Done || p.Why != order.WhyLost || p.Amount != w.o.Due {
		t.Errorf("paid %s, payout %+v", w.o.Due, p)
	}
	if len(w.told) != 0 {
		t.Errorf("the operator was told %v", w.told)
	}
	w.wantsClaims(1)
	w.settled(w.o.Due)
}

func TestASeatWithoutItsSecretThatCannotBeGivenBackIsPaidByTheFloat(t *testing.T) {
	w := newFloated(t, fewCoins)
	w.node.height = end - window
	w.post()
	strayed(w)
	w.mine(10)
	w.wants(order.Filled, order.Lost)
	w.saw("stray", "lost", order.SiteClaim)
	if p := w.payout(); p.State != order.Done || p.Amount != w.o.Due {
		t.Errorf("paid %s, payout %+v", w.o.Due, p)
	}
	if w.sites.count[order.SiteRelease] != 0 {
		t.Error("it was called back all the same")
	}
	w.settled(w.o.Due)
}

func TestAnotherSeatMayBeChosenInPlaceOfOneWithoutItsSecret(t *testing.T) {
	w := strayed(newFloated(t, fewCoins, mayChoose))
	w.mine(8)
	w.wants(order.Filled, order.Lost)
	if !w.ticket().Choosing() {
		t.Fatalf("nothing to choose: %+v", w.ticket())
	}
	w.must(w.instead(seat3C))
	w.mine(6)
	w.wantsAll(order.Filled, order.Exchanged, order.Owned)
	if w.o.Tickets[1].Due != 0 {
		t.Errorf("%s to be paid for a seat of the same price", w.o.Tickets[1].Due)
	}
	w.deadline()
	w.mine(6)
	w.settled(w.o.Due)
}

func TestAnEmptyFloatHasOnlyWhatNeedsItWait(t *testing.T) {
	w := strayed(newFloated(t, nil))
	w.mine(10)
	w.wants(order.Filled, order.Attention)
	if !slices.Equal(w.told, []string{string(order.ReasonFloat)}) {
		t.Fatalf("the operator was told %v", w.told)
	}
	w.mine(30)
	if len(w.told) != 1 {
		t.Errorf("told again: %v", w.told)
	}
	w.wantsClaims(0)
	w.float.fill(50 * cirrus.CRS)
	w.mine(6)
	w.wants(order.Filled, order.Lost)
	w.settled(w.o.Due)
}

func TestSmallCoinsOfTheFloatAddUp(t *testing.T) {
	w := strayed(newFloated(t, []cirrus.Strats{2 * cirrus.CRS, cirrus.CRS, 3 * cirrus.CRS, 4 * cirrus.CRS / 10}))
	w.mine(10)
	w.wants(order.Filled, order.Lost)
	w.wantsClaims(3)
	w.settled(w.o.Due)
}

// inPartsOfAll is a ticket whose purchase took all its gas and whose payment had to be joined: what is left is a little
// less than giving it back takes.
func inPartsOfAll(w *world) *world {
	w.node.gasUsed = w.node.limit
	w.open()
	w.node.pay(w.o.Address, 100*cirrus.CRS)
	w.mine(1)
	w.node.pay(w.o.Address, w.o.Due-100*cirrus.CRS)
	w.mine(6)
	w.wants(order.Filled, order.Owned)
	return w
}

func TestTheFloatAddsWhatGivingBackTakes(t *testing.T) {
	w := inPartsOfAll(newFloated(t, fewCoins))
	w.must(w.ask(order.GiveBack))
	undoOver(w)
	w.node.gasUsed = 15_000
	w.mine(10)
	w.wants(order.Filled, order.Released)
	w.wantsClaims(1)
	w.settled(w.o.Due)
}

func TestWithoutAFloatTooLittleToGiveBackNeedsAPerson(t *testing.T) {
	w := inPartsOfAll(newWorld(t))
	w.must(w.ask(order.GiveBack))
	undoOver(w)
	w.mine(14)
	w.wants(order.Filled, order.Attention)
}

func TestTheFloatNeverGivesForMoneyThatIsMissing(t *testing.T) {
	w := inPartsOfAll(newFloated(t, fewCoins))
	coinsGone(w)
	w.must(w.ask(order.GiveBack))
	undoOver(w)
	w.mine(14)
	w.wants(order.Filled, order.Attention)
	if w.ticket().Reason != order.ReasonMissing || w.float.gave() != 0 {
		t.Errorf("%s, the float gave %s", w.ticket().Reason, w.float.gave())
	}
}

func TestTheFloatPaysTheGasOfAGivingBackThatCameTooLate(t *testing.T) {
	w := backTooLate(fewCoins...)(t)
	windowCloses(w)
	w.mine(6)
	w.wants(order.Filled, order.Ended)
	bought := w.ticket().Reserve.Spent
	if came := w.node.arrived(refund); came < 2*budget-bought-order.MinFee || came > 2*budget-bought+order.MinFee {
		t.Errorf("%s came back of a deposit of %s, of which buying took %s", came, 2*budget, bought)
	}
	w.wantsClaims(1)
	w.settled(w.o.Due)
}

func TestTwoOrdersNeverShareACoinOfTheFloatNorItsChange(t *testing.T) {
	w := strayed(newFloated(t, []cirrus.Strats{30 * cirrus.CRS, 30 * cirrus.CRS}))
	first := w.o.ID
	w.open(seat3C)
	w.pay()
	w.next(order.SiteReserve, lost())
	w.mine(14)
	w.wants(order.Filled, order.Lost)
	w.wantsClaims(2)
	other, err := w.db.Load(t.Context(), first)
	w.must(err)
	if a, b := w.o.Aids[0], other.Aids[0]; a.From[0] == b.From[0] || a.Coins[0].Outpoint == b.Coins[0].Outpoint {
		t.Errorf("both had %s", a.From[0])
	}
	if came := w.node.arrived(refund); came != w.o.Due+other.Due {
		t.Errorf("%s came back of %s", came, w.o.Due+other.Due)
	}
}

// TestTheNextOrderFindsNoChangeOfTheOneBefore: what is left of a used coin is none that it may have.
func TestTheNextOrderFindsNoChangeOfTheOneBefore(t *testing.T) {
	w := strayed(newFloated(t, []cirrus.Strats{30 * cirrus.CRS}))
	w.open(seat3C)
	w.pay()
	w.next(order.SiteReserve, lost())
	w.mine(14)
	w.wants(order.Filled, order.Attention)
	if w.ticket().Reason != order.ReasonFloat {
		t.Errorf("needs a person for %s", w.ticket().Reason)
	}
	w.float.fill(6 * cirrus.CRS)
	w.mine(6)
	w.wants(order.Filled, order.Lost)
}
