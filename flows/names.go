package flows

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/usherbot/usher/flows/order"
)

// maxName is how long a name may be, in characters.
const maxName = 64

// sameName is what a customer writes where two seats are for people of one name. A text that comes twice must not
// count for the next seat.
const sameName = "="

// namesMissing tells whether the venue asks for names that were not given yet.
func (t *turn) namesMissing(o offer) bool {
	return o.Terms.Identity && len(t.session.Names) < len(t.session.Draft.Seats)
}

// askName asks for the next name in the secret chat, and shows that it did. The screen goes on by itself.
func (f *Flows) askName(ctx context.Context, t *turn, o offer) (Reply, error) {
	contact, err := f.Courier.Contact(ctx, t.customer())
	if err == nil {
		err = f.Courier.Say(ctx, t.customer(), t.nameKey(), t.plain("names.question", f.nameArgs(t, o)))
	}
	switch {
	case errors.Is(err, order.ErrNoCourier):
		return f.stopped(t, o, &obstacle{id: offID(OffCourier)}), nil
	case errors.Is(err, order.ErrNoChat):
		return f.handover(ctx, t, o, ChatNone)
	case err != nil:
		return Reply{}, fmt.Errorf("asking for a name: %w", err)
	}
	t.session.Screen, t.session.Redirect = screenNames, ""
	key := showKey(o.Show.TxID)
	count := len(t.session.Draft.Seats)
	text := paragraphs(t.say("names.why", args{"Count": count}), t.say("names.how", args{"Courier": contact.Username}))
	if given := len(t.session.Names); given > 0 {
		text = paragraphs(text, t.say("names.so_far", args{"Given": given, "Number": count}))
	}
	return f.inPlace(t, Screen{Text: text, Buttons: [][]Button{
		{t.link("button.open_courier", args{"Courier": contact.Username}, "https://t.me/"+contact.Username)},
		{t.button("button.ask_again", nil, act(doGo, key)), f.otherSeats(t.voice, t.session.Draft.Seats, key)},
	}}), nil
}

// nameKey names the question, so that one that is asked again after a crash is said once.
func (t *turn) nameKey() string {
	d := t.session.Draft
	return "name-" + showKey(d.Show) + "-" + seatsKey(d.Seats) + "-" + strconv.Itoa(len(t.session.Names)) + "-" +
		strconv.FormatUint(t.session.Version, 10)
}

// nameArgs are the words around the next name.
func (f *Flows) nameArgs(t *turn, o offer) args {
	d, given := t.session.Draft, len(t.session.Names)
	return args{"Seat": seatName(d.Seats[given]), "Show": showName(*o.Show), "Number": given + 1, "All": len(d.Seats)}
}

// takeName notes what was written in the secret chat as the next name, and gives the answer for that chat. Nothing of it
// goes anywhere else. next is what the bot chat turns into; empty where it stays as it is.
func (f *Flows) takeName(ctx context.Context, t *turn, name string) (answer string, next Reply, err error) {
	o, found, err := f.find(ctx, t.customer(), showKey(t.session.Draft.Show))
	if err != nil {
		return "", Reply{}, err
	}
	last := ""
	if given := t.session.Names; len(given) > 0 {
		last = given[len(given)-1]
	}
	switch {
	case !found || !o.Terms.Identity || !t.namesMissing(o) && name != last:
		return f.courierAnswer(t.voice), Reply{}, nil
	case t.namesMissing(o):
		if wrong := wrongName(name, last); wrong != "" {
			a := f.nameArgs(t, o)
			a["Most"], a["Name"] = maxName, name
			return t.plain(wrong, a), Reply{}, nil
		}
		if name == sameName {
			name = last
		}
		t.session.Names = append(t.session.Names, name)
	}
	if t.namesMissing(o) {
		return f.noted(t, o), Reply{}, nil
	}
	t.session.Screen = screenNamed
	next, err = f.proceed(ctx, t, o)
	return f.noted(t, o), next, err
}

// wrongName is the id of the sentence that says why a text is no name for the next seat; empty where it is one.
func wrongName(name, last string) string {
	switch {
	case name == sameName && last != "":
		return ""
	case name == "" || name == sameName || utf8.RuneCountInString(name) > maxName:
		return "names.wrong"
	case name == last:
		return "names.same"
	}
	return ""
}

// noted lists the names so far, for the secret chat.
func (f *Flows) noted(t *turn, o offer) string {
	var all Text
	for i, name := range t.session.Names {
		all = lines(all, t.say("names.line", args{"Seat": seatName(t.session.Draft.Seats[i]), "Name": name}))
	}
	if t.namesMissing(o) {
		return paragraphs(all, t.say("names.question", f.nameArgs(t, o))).String()
	}
	return paragraphs(all, t.say("names.all", args{"Bot": "@" + f.Config.BotUsername})).String()
}
