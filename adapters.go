package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/usherbot/usher/bot/courier"
	"github.com/usherbot/usher/flows"
	"github.com/usherbot/usher/flows/order"
)

// courierDesk lets the conversations use the courier accounts.
type courierDesk struct{ *courier.Pool }

func (c courierDesk) Contact(ctx context.Context, customer int64) (flows.Contact, error) {
	contact, err := c.Pool.Contact(ctx, customer)
	return flows.Contact{Username: contact.Username, Name: contact.Name}, courierError(err)
}

func (c courierDesk) Chat(ctx context.Context, customer int64) (flows.ChatState, error) {
	state, err := c.Pool.Chat(ctx, customer)
	return flows.ChatState(state), courierError(err)
}

func (c courierDesk) Deliver(ctx context.Context, customer int64, p flows.Parcel) (order.DeliveryState, error) {
	state, err := c.Pool.Deliver(ctx, customer, courier.Parcel{
		ID: p.ID, Warning: p.Warning, Caption: p.Caption, Picture: p.Picture, Repeated: p.Repeated, Again: p.Again,
	})
	return deliveryState(state), courierError(err)
}

func (c courierDesk) Say(ctx context.Context, customer int64, key, text string) error {
	return courierError(c.Pool.Say(ctx, customer, key, text))
}

// Renew ends a customer's secret chats, so that the next one is new.
func (c courierDesk) Renew(ctx context.Context, customer int64) error {
	return courierError(c.Pool.Renew(ctx, customer))
}

// Link lets the courier start a customer's secret chat.
func (c courierDesk) Link(ctx context.Context, customer int64) (flows.Link, error) {
	link, err := c.Pool.Link(ctx, customer)
	return flows.Link{URL: link.URL, Code: link.Code, Until: link.Until}, courierError(err)
}

// keyCell is the side of a cell of a key's picture, in pixels.
const keyCell = 40

// Verify gives the key of a customer's chat as it is shown.
func (c courierDesk) Verify(ctx context.Context, customer int64) (flows.Key, error) {
	key, err := c.Pool.Key(ctx, customer)
	if err != nil {
		return flows.Key{}, courierError(err)
	}
	var picture bytes.Buffer
	if err := key.WritePNG(&picture, keyCell); err != nil {
		return flows.Key{}, err
	}
	return flows.Key{Picture: picture.Bytes(), Lines: key.Lines()}, nil
}

func deliveryState(state courier.ParcelState) order.DeliveryState {
	switch state {
	case courier.ParcelSent:
		return order.DeliverySent
	case courier.ParcelSeen:
		return order.DeliverySeen
	case courier.ParcelFailed:
		return order.DeliveryFailed
	case courier.ParcelQueued:
	}
	return order.DeliveryWaiting
}

func courierError(err error) error {
	switch {
	case errors.Is(err, courier.ErrNoCourier):
		return fmt.Errorf("%w: %w", order.ErrNoCourier, err)
	case errors.Is(err, courier.ErrNoChat):
		return fmt.Errorf("%w: %w", order.ErrNoChat, err)
	case errors.Is(err, courier.ErrLimited):
		return fmt.Errorf("%w: %w", order.ErrNotAllowed, err)
	}
	return err
}

// nobody stands in for a courier where none is configured: shows can be looked at, nothing is sold.
type nobody struct{}

func (nobody) Contact(context.Context, int64) (flows.Contact, error) {
	return flows.Contact{}, order.ErrNoCourier
}
func (nobody) Invite(context.Context, int64) error { return order.ErrNoCourier }
func (nobody) Chat(context.Context, int64) (flows.ChatState, error) {
	return flows.ChatNone, order.ErrNoCourier
}

func (nobody) Deliver(context.Context, int64, flows.Parcel) (order.DeliveryState, error) {
	return "", order.ErrNoCourier
}
func (nobody) Say(context.Context, int64, string, string) error { return order.ErrNoCourier }

// courierEars hears what the courier hears and passes it on to the conversations.
type courierEars struct {
	flows   *flows.Flows
	courier *courier.Pool
	wake    func(ctx context.Context, customer int64) error
	newID   func() string
	log     *slog.Logger
}

func (e *courierEars) ChatChanged(ctx context.Context, customer int64, news courier.ChatNews) error {
	switch news.Kind {
	case courier.NewsOpened:
		return e.flows.ChatOpened(ctx, customer)
	case courier.NewsClosed:
		return e.flows.ChatClosed(ctx, customer, flows.Why(news.Why))
	case courier.NewsAsked:
		return e.flows.ChatAsked(ctx, customer)
	case courier.NewsTurned:
		return e.flows.ChatTurned(ctx, customer)
	case courier.NewsRefused:
		return e.flows.ChatRefused(ctx, customer, flows.Why(news.Why))
	}
	return nil
}

func (e *courierEars) TextReceived(ctx context.Context, customer int64, text string) error {
	answer, err := e.flows.TextReceived(ctx, customer, text)
	if err != nil || answer == "" {
		return err
	}
	return e.courier.Say(ctx, customer, "answer-"+e.newID(), answer)
}

// ParcelState wakes the customer's orders: each asks the courier itself how far its parcel got.
func (e *courierEars) ParcelState(ctx context.Context, customer int64, _ string, _ courier.ParcelState) error {
	return e.wake(ctx, customer)
}

// AccountChanged tells the operators. It is told again where none of them could be told.
func (e *courierEars) AccountChanged(ctx context.Context, news courier.AccountNews) error {
	err := e.flows.CourierNewsTold(ctx, flows.CourierNews{
		Account: flows.Contact{Username: news.Account.Username, Name: news.Account.Name},
		Health:  string(news.Health), Reason: news.Reason, Until: news.Until, Customers: news.Customers,
	})
	if err == nil {
		e.log.Info("operators told of a courier", "account", news.Account.Username, "health", string(news.Health), "reason", news.Reason)
	}
	return err
}
