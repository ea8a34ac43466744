package flows

import (
	"context"
	"fmt"
)

// How a courier's account stands.
const (
	CourierReady   = "ready"   // it hands over
	CourierAway    = "away"    // it is not connected and tries again by itself
	CourierLimited = "limited" // it hands over, but starts no secret chats for now
	CourierEnded   = "ended"   // Telegram has ended its session
	CourierBanned  = "banned"  // Telegram has taken the account away
	CourierCrowded = "crowded" // besides: another session of it accepts secret chats
	CourierRefused = "refused" // of no account: the configured one can't be logged in
)

// CourierNewsTold tells the operators how a courier's account stands: what it means, and what to do. It fails where none
// of them could be told.
func (f *Flows) CourierNewsTold(ctx context.Context, news CourierNews) error {
	if err := f.tellOperators(ctx, Screen{Text: f.courierNews(f.voice(""), news)}); err != nil {
		return fmt.Errorf("telling of courier %s: %w", news.Account.Username, err)
	}
	return nil
}

func (f *Flows) courierNews(v voice, news CourierNews) Text {
	who := args{"Courier": courierName(v, news.Account), "Count": news.Customers, "Until": moment(news.Until)}
	var told []Text
	switch news.Health {
	case CourierReady:
		return v.say("courier_news.ready", who)
	case CourierCrowded:
		who["Session"] = news.Reason
		return v.say("courier_news.crowded", who)
	case CourierRefused:
		return v.say("courier_news.refused", args{"Why": news.Reason})
	case CourierLimited:
		told = append(told, v.say("courier_news.limited", who))
		if !news.Until.IsZero() {
			told = append(told, v.say("courier_news.limited_until", who))
		}
		return paragraphs(told...)
	case CourierEnded, CourierBanned:
		told = append(told, v.say("courier_news."+news.Health, who))
		if news.Customers > 0 {
			told = append(told, v.say("courier_news.moved", who))
		}
	default:
		told = append(told, v.say("courier_news.away", who))
		if news.Customers > 0 {
			told = append(told, v.say("courier_news.waiting", who))
		}
	}
	return paragraphs(append(told, v.say("courier_news.do."+newsOf(news.Health), nil))...)
}

// newsOf is the health under which an unknown one is told.
func newsOf(health string) string {
	if health == CourierEnded || health == CourierBanned {
		return health
	}
	return CourierAway
}

// courierName names an account to the operator.
func courierName(v voice, account Contact) string {
	switch {
	case account.Username != "":
		return "@" + account.Username
	case account.Name != "":
		return account.Name
	}
	return v.plain("courier_news.nameless", nil)
}
