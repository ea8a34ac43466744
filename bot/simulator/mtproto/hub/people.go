package hub

import (
	"slices"
	"strings"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
)

func getUsers(h *Hub, d *Device, req *tg.UsersGetUsersRequest) (bin.Encoder, error) {
	users := &tg.UserClassVector{}
	for _, in := range req.ID {
		a, err := h.resolve(d.user, in)
		if err != nil {
			return nil, err
		}
		users.Elems = append(users.Elems, h.view(d.user, a))
	}
	return users, nil
}

func getFullUser(h *Hub, d *Device, req *tg.UsersGetFullUserRequest) (bin.Encoder, error) {
	a, err := h.resolve(d.user, req.ID)
	if err != nil {
		return nil, err
	}
	return &tg.UsersUserFull{
		FullUser: tg.UserFull{ID: a.ID, Blocked: d.user.blocked[a.ID]},
		Users:    []tg.UserClass{h.view(d.user, a)},
	}, nil
}

// getContacts lists the accounts with a public name: those whose profile a
// link opens. Nobody has anybody's number here.
func getContacts(h *Hub, d *Device, _ *tg.ContactsGetContactsRequest) (bin.Encoder, error) {
	res := &tg.ContactsContacts{}
	for _, a := range h.accounts {
		if a != d.user && a.Username != "" {
			res.Contacts = append(res.Contacts, tg.Contact{UserID: a.ID})
			res.Users = append(res.Users, h.view(d.user, a))
		}
	}
	slices.SortFunc(res.Contacts, func(a, b tg.Contact) int { return int(a.UserID - b.UserID) })
	return res, nil
}

func resolveUsername(h *Hub, d *Device, req *tg.ContactsResolveUsernameRequest) (bin.Encoder, error) {
	name := strings.TrimPrefix(req.Username, "@")
	if name == "" {
		return nil, tgerr.New(400, tg.ErrUsernameInvalid)
	}
	for _, a := range h.accounts {
		if strings.EqualFold(a.Username, name) && !a.banned {
			return &tg.ContactsResolvedPeer{
				Peer:  &tg.PeerUser{UserID: a.ID},
				Users: []tg.UserClass{h.view(d.user, a)},
			}, nil
		}
	}
	return nil, tgerr.New(400, tg.ErrUsernameNotOccupied)
}

func block(h *Hub, d *Device, req *tg.ContactsBlockRequest) (bin.Encoder, error) {
	return setBlocked(h, d, req.ID, true)
}

func unblock(h *Hub, d *Device, req *tg.ContactsUnblockRequest) (bin.Encoder, error) {
	return setBlocked(h, d, req.ID, false)
}

func setBlocked(h *Hub, d *Device, peer tg.InputPeerClass, to bool) (bin.Encoder, error) {
	in, ok := peer.(*tg.InputPeerUser)
	if !ok {
		return nil, tgerr.New(400, tg.ErrPeerIDInvalid)
	}
	a, err := h.resolve(d.user, &tg.InputUser{UserID: in.UserID, AccessHash: in.AccessHash})
	if err != nil {
		return nil, err
	}
	d.user.blocked[a.ID] = to
	return yes(), nil
}

func receivedQueue(_ *Hub, d *Device, req *tg.MessagesReceivedQueueRequest) (bin.Encoder, error) {
	if req.MaxQts < 0 || req.MaxQts > d.qts {
		return nil, tgerr.New(400, tg.ErrMaxQtsInvalid)
	}
	return &tg.LongVector{Elems: d.acknowledge(req.MaxQts)}, nil
}
