package hub

import (
	"context"
	"fmt"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
)

// call answers one API method. It runs with the hub locked.
type call func(h *Hub, d *Device, b *bin.Buffer) (bin.Encoder, error)

// method makes a call of a function that takes the decoded request.
func method[T any, P interface {
	*T
	bin.Decoder
}](f func(h *Hub, d *Device, req P) (bin.Encoder, error)) call {
	return func(h *Hub, d *Device, b *bin.Buffer) (bin.Encoder, error) {
		req := P(new(T))
		if err := req.Decode(b); err != nil {
			return nil, tgerr.New(400, "INPUT_REQUEST_INVALID")
		}
		return f(h, d, req)
	}
}

// calls is the table of everything that a logged-in device may ask the hub.
func calls() map[uint32]call {
	return map[uint32]call{
		tg.AccountGetAuthorizationsRequestTypeID:           method(getAuthorizations),
		tg.AccountChangeAuthorizationSettingsRequestTypeID: method(changeAuthorizationSettings),
		tg.AccountResetAuthorizationRequestTypeID:          method(resetAuthorization),
		tg.AccountUpdateStatusRequestTypeID:                method(updateStatus),
		tg.UsersGetUsersRequestTypeID:                      method(getUsers),
		tg.UsersGetFullUserRequestTypeID:                   method(getFullUser),
		tg.ContactsGetContactsRequestTypeID:                method(getContacts),
		tg.ContactsResolveUsernameRequestTypeID:            method(resolveUsername),
		tg.ContactsBlockRequestTypeID:                      method(block),
		tg.ContactsUnblockRequestTypeID:                    method(unblock),
		tg.UpdatesGetStateRequestTypeID:                    method(getState),
		tg.UpdatesGetDifferenceRequestTypeID:               method(getDifference),
		tg.MessagesSendMessageRequestTypeID:                method(sendMessage),
		tg.MessagesReadHistoryRequestTypeID:                method(readHistory),
		tg.MessagesGetHistoryRequestTypeID:                 method(getHistory),
		tg.MessagesSetTypingRequestTypeID:                  method(setTyping),
		tg.MessagesReceivedQueueRequestTypeID:              method(receivedQueue),
		tg.MessagesGetDhConfigRequestTypeID:                method(getDhConfig),
		tg.MessagesRequestEncryptionRequestTypeID:          method(requestEncryption),
		tg.MessagesAcceptEncryptionRequestTypeID:           method(acceptEncryption),
		tg.MessagesDiscardEncryptionRequestTypeID:          method(discardEncryption),
		tg.MessagesSendEncryptedRequestTypeID:              method(sendEncrypted),
		tg.MessagesSendEncryptedFileRequestTypeID:          method(sendEncryptedFile),
		tg.MessagesSendEncryptedServiceRequestTypeID:       method(sendEncryptedService),
		tg.MessagesSetEncryptedTypingRequestTypeID:         method(setEncryptedTyping),
		tg.MessagesReadEncryptedHistoryRequestTypeID:       method(readEncryptedHistory),
		tg.UploadSaveFilePartRequestTypeID:                 method(saveFilePart),
		tg.UploadSaveBigFilePartRequestTypeID:              method(saveBigFilePart),
		tg.UploadGetFileRequestTypeID:                      method(getFile),
	}
}

// Answer is an encoded answer or update. It is encoded while the hub is locked,
// because gotd's types write to themselves when they are encoded.
type Answer []byte

// Encode appends the answer.
func (a Answer) Encode(b *bin.Buffer) error {
	b.Put(a)
	return nil
}

func encoded(v bin.Encoder) (Answer, error) {
	var b bin.Buffer
	if err := v.Encode(&b); err != nil {
		return nil, fmt.Errorf("encode %T: %w", v, err)
	}
	return b.Raw(), nil
}

// Handle answers the call in b. Errors that the caller must be told are
// *tgerr.Error; a method that the hub does not know is one of them.
func (d *Device) Handle(b *bin.Buffer) (Answer, error) {
	id, err := b.PeekID()
	if err != nil {
		return nil, fmt.Errorf("read the method of a call: %w", err)
	}
	f, ok := d.hub.calls[id]
	if !ok {
		return nil, tgerr.New(400, "INPUT_METHOD_INVALID")
	}
	d.hub.mu.Lock()
	defer d.hub.mu.Unlock()
	switch {
	case d.gone == deactivated && !d.user.banned:
		return nil, tgerr.New(401, loggedOut)
	case d.over():
		return nil, tgerr.New(401, d.gone)
	}
	result, err := f(d.hub, d, b)
	if err != nil {
		return nil, err
	}
	return encoded(result)
}

// Invoke makes the device a tg.Invoker, so that a simulated phone in this
// process calls the hub exactly as it would call Telegram.
func (d *Device) Invoke(ctx context.Context, input bin.Encoder, output bin.Decoder) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("call the hub: %w", err)
	}
	var b bin.Buffer
	if err := input.Encode(&b); err != nil {
		return fmt.Errorf("encode a call: %w", err)
	}
	result, err := d.Handle(&b)
	if err != nil {
		return err
	}
	if err := output.Decode(&bin.Buffer{Buf: result}); err != nil {
		return fmt.Errorf("decode an answer: %w", err)
	}
	return nil
}

func yes() bin.Encoder { return &tg.BoolTrue{} }
