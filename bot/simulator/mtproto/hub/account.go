package hub

import (
	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
)

// getAuthorizations lists the account's devices.
func getAuthorizations(h *Hub, d *Device, _ *tg.AccountGetAuthorizationsRequest) (bin.Encoder, error) {
	res := &tg.AccountAuthorizations{AuthorizationTTLDays: 180}
	for _, o := range d.user.devices {
		a := tg.Authorization{
			Hash: h.deviceHash(o), DeviceModel: "local", Platform: "local",
			SystemVersion: "1", AppName: "local", AppVersion: "1",
			DateCreated: o.since, DateActive: h.now(), IP: "127.0.0.1", Country: "local",
		}
		if o == d {
			// The current authorization has the hash 0.
			a.Current, a.Hash = true, 0
		}
		a.EncryptedRequestsDisabled = o.deaf
		res.Authorizations = append(res.Authorizations, a)
	}
	return res, nil
}

func (h *Hub) deviceHash(d *Device) int64 { return h.hash("device", d.id, d.user.ID) }

// device finds one of the account's devices by the hash that getAuthorizations
// gave.
func (h *Hub) device(d *Device, hash int64) (*Device, error) {
	if hash == 0 {
		return d, nil
	}
	for _, o := range d.user.devices {
		if h.deviceHash(o) == hash {
			return o, nil
		}
	}
	return nil, tgerr.New(400, tg.ErrHashInvalid)
}

// changeAuthorizationSettings decides whether a device is told of secret
// chats that somebody asks for.
func changeAuthorizationSettings(
	h *Hub, d *Device, req *tg.AccountChangeAuthorizationSettingsRequest,
) (bin.Encoder, error) {
	o, err := h.device(d, req.Hash)
	if err != nil {
		return nil, err
	}
	if disabled, ok := req.GetEncryptedRequestsDisabled(); ok {
		o.deaf = disabled
	}
	return yes(), nil
}

func resetAuthorization(h *Hub, d *Device, req *tg.AccountResetAuthorizationRequest) (bin.Encoder, error) {
	o, err := h.device(d, req.Hash)
	if err != nil {
		return nil, err
	}
	if o == d {
		return nil, tgerr.New(400, tg.ErrHashInvalid)
	}
	h.logOut(o, revoked)
	return yes(), nil
}

func updateStatus(*Hub, *Device, *tg.AccountUpdateStatusRequest) (bin.Encoder, error) {
	return yes(), nil
}
