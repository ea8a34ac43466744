package chain

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// One client serves the three ports of orders.
var (
	_ order.Booth  = (*Client)(nil)
	_ order.Ledger = (*Client)(nil)
	_ order.Purse  = (*Client)(nil)
)

func boothPath(contract cirrus.Address, call string) string {
	return "/api/v1.0/ticketbooth/" + url.PathEscape(string(contract)) + "/" + call
}

// hexBytes are bytes as the Ticketbooth API writes them: hex of either case, or null.
type hexBytes []byte

func (h *hexBytes) UnmarshalJSON(data []byte) error {
	var text *string
	if err := json.Unmarshal(data, &text); err != nil || text == nil {
		*h = nil
		return err
	}
	raw, err := hex.DecodeString(*text)
	*h = raw
	return err
}

// Tickets reads the seats of a contract with their owners (Ticketbooth API, Tickets), in the contract's order.
// Errors: order.ErrNoContract.
func (c *Client) Tickets(ctx context.Context, contract cirrus.Address) ([]cirrus.Ticket, error) {
	var tickets []cirrus.Ticket
	err := c.do(ctx, call{
		site: SiteTickets, method: http.MethodGet, base: c.booth, path: boothPath(contract, "Tickets"), harmless: true,
	}, func(body []byte) (err error) {
		tickets, err = parseTickets(body)
		return err
	})
	return tickets, err
}

func parseTickets(body []byte) ([]cirrus.Ticket, error) {
	var read []struct {
		Seat       *cirrus.Seat   `json:"seat"`
		Price      number         `json:"price"`
		Address    cirrus.Address `json:"address"`
		Secret     hexBytes       `json:"secret"`
		Identifier hexBytes       `json:"customerIdentifier"`
	}
	if json.Unmarshal(body, &read) != nil {
		return nil, errGarbage
	}
	tickets := make([]cirrus.Ticket, 0, len(read))
	for _, one := range read {
		if one.Seat == nil {
			return nil, errGarbage
		}
		tickets = append(tickets, cirrus.Ticket{
			Seat: *one.Seat, Price: uint64(one.Price), Address: one.Address, Secret: one.Secret, Identifier: one.Identifier,
		})
	}
	return tickets, nil
}

// Terms reads what a contract says of refunds and names (Ticketbooth API: TicketReleaseFee, NoReleaseBlocks,
// IdentityVerificationPolicy). They cannot change while a sale is open.
func (c *Client) Terms(ctx context.Context, contract cirrus.Address) (cirrus.Terms, error) {
	var fee, blocks number
	var identity bool
	for _, part := range []struct {
		site, name string
		out        any
	}{
		{SiteReleaseFee, "TicketReleaseFee", &fee},
		{SiteNoRelease, "NoReleaseBlocks", &blocks},
		{SiteIdentity, "IdentityVerificationPolicy", &identity},
	} {
		if err := c.get(ctx, part.site, c.booth, boothPath(contract, part.name), nil, part.out); err != nil {
			return cirrus.Terms{}, err
		}
	}
	return cirrus.Terms{ReleaseFee: uint64(fee), NoReleaseBlocks: uint64(blocks), Identity: identity}, nil
}

// boothBody is the body of ReserveTicket and ReleaseTicket.
type boothBody struct {
	Wallet    string         `json:"walletName"`
	Account   string         `json:"accountName"`
	Password  string         `json:"password"`
	GasPrice  uint64         `json:"gasPrice"`
	Sender    cirrus.Address `json:"sender"`
	Outpoints []outpointJSON `json:"outpoints"`
	Seat      cirrus.Seat    `json:"seat"`
	Name      string         `json:"customerName,omitempty"`
}

func (c *Client) boothBody(site string, call order.BoothCall) (boothBody, error) {
	password, err := c.password(site, call.Account.Wallet)
	return boothBody{
		Wallet: call.Account.Wallet, Account: call.Account.Name, Password: password, GasPrice: call.GasPrice,
		Sender: call.Sender, Outpoints: []outpointJSON{outpointJSON(call.Coin)}, Seat: call.Seat, Name: call.Name,
	}, err
}

// Reserve broadcasts a purchase (Ticketbooth API, ReserveTicket). It is never repeated here. Success means broadcast,
// not bought; and the secret in the answer exists nowhere else.
func (c *Client) Reserve(ctx context.Context, call order.BoothCall) (order.Reservation, error) {
	body, err := c.boothBody(SiteReserve, call)
	if err != nil {
		return order.Reservation{}, err
	}
	var reservation order.Reservation
	err = c.once(ctx, SiteReserve, boothPath(call.Contract, "ReserveTicket"), body, func(answer []byte) (err error) {
		reservation, err = parseReservation(answer)
		return err
	})
	return reservation, err
}

// Release broadcasts the giving back of a ticket (Ticketbooth API, ReleaseTicket). It is never repeated here.
func (c *Client) Release(ctx context.Context, call order.BoothCall) (cirrus.TxID, error) {
	body, err := c.boothBody(SiteReleaseSeat, call)
	if err != nil {
		return "", err
	}
	body.Name = ""
	var id cirrus.TxID
	err = c.once(ctx, SiteReleaseSeat, boothPath(call.Contract, "ReleaseTicket"), body, func(answer []byte) (err error) {
		id, err = parseRelease(answer)
		return err
	})
	return id, err
}

func (c *Client) once(ctx context.Context, site, path string, body boothBody, read func([]byte) error) error {
	return c.do(ctx, call{
		site: site, method: http.MethodPost, base: c.booth, path: path, body: body,
		hidden: []string{body.Password, body.Name},
	}, read)
}

type cipherJSON struct {
	Plaintext string   `json:"plaintext"`
	Key       hexBytes `json:"key"`
	IV        hexBytes `json:"iv"`
}

// parseReservation reads the answer to ReserveTicket of either generation: a secret that is a text was hashed, one
// that is an object was ciphered. Its error quotes nothing.
func parseReservation(body []byte) (order.Reservation, error) {
	var read struct {
		TxID   string          `json:"transactionHash"`
		Secret json.RawMessage `json:"secret"`
		Name   *cipherJSON     `json:"customerName"`
	}
	if json.Unmarshal(body, &read) != nil {
		return order.Reservation{}, errGarbage
	}
	id, err := cirrus.ParseTxID(read.TxID)
	if err != nil {
		return order.Reservation{}, errGarbage
	}
	secret := order.Secret{TxID: id}
	if json.Unmarshal(read.Secret, &secret.Plaintext) != nil {
		var ciphered cipherJSON
		if json.Unmarshal(read.Secret, &ciphered) != nil || len(ciphered.Key) == 0 || len(ciphered.IV) == 0 {
			return order.Reservation{}, errGarbage
		}
		secret.Plaintext, secret.Key, secret.IV = ciphered.Plaintext, ciphered.Key, ciphered.IV
	}
	if secret.Plaintext == "" {
		return order.Reservation{}, errGarbage
	}
	if read.Name != nil {
		secret.NameKey, secret.NameIV = read.Name.Key, read.Name.IV
	}
	return order.Reservation{TxID: id, Secret: secret}, nil
}

// parseRelease reads the answer to ReleaseTicket, a transaction id as a JSON string.
func parseRelease(body []byte) (cirrus.TxID, error) {
	var text string
	if json.Unmarshal(body, &text) != nil {
		return "", errGarbage
	}
	id, err := cirrus.ParseTxID(text)
	if err != nil {
		return "", errGarbage
	}
	return id, nil
}
