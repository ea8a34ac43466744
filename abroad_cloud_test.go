package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
)

// abroadPrime is the prime of Telegram's group for secret chats; its generator is 3.
const abroadPrime = "c71caeb9c6b1c9048e6c522f70f13f73980d40238e3e21c14934d037563d930f" +
	"48198a0aa7c14058229493d22530f4dbfa336f6e0ac925139543aed44cce7c37" +
	"20fd51f69458705ac68cd4fe6b6b13abdc9746512969328454f18faf8c595f64" +
	"2477fe96bb2a941d5bcd1d4ac8cc49880708fa9b378e3c4f3a9060bee67cf9a4" +
	"a4a695811051907e162753b56b0f6b410dba74d8a84b2a14b3144e0ef1284754" +
	"fd17ed950d5965b4b9dd46582db1178d169c6bc465b0d6ff9ca3928fef5b9ae4" +
	"e418fc15e83ebea0f87fa9ff5eed70050ded2849f47bf959d956850ce929851f" +
	"0d8115f635b105ee2e4e15d04b2454bf6f4fadf034b10403119cd8e3b92fcc5b"

// abroadCloud is the least that a server needs for secret chats. It has nothing of the local Telegram's.
type abroadCloud struct {
	mu    sync.Mutex
	chats map[int]*abroadChat
	boxes map[int64]*abroadBox // by account
	parts map[int64][]byte     // uploaded files, whole, by id
	sent  map[int64]bool       // random ids
}

type abroadChat struct {
	creator, invitee int64
	ga               []byte
	accepted, over   bool
}

// abroadBox holds what an account was told; its qts is the number of messages.
type abroadBox struct {
	messages []tg.EncryptedMessageClass
	changes  []tg.EncryptedChatClass
	dates    []int                // of changes
	told     func(tg.UpdateClass) // tells at once
}

func newAbroadCloud() *abroadCloud {
	return &abroadCloud{
		chats: map[int]*abroadChat{}, boxes: map[int64]*abroadBox{}, parts: map[int64][]byte{}, sent: map[int64]bool{},
	}
}

func now() int { return int(time.Now().Unix()) }

// box is an account's box.
func (a *abroadCloud) box(account int64) *abroadBox {
	if a.boxes[account] == nil {
		a.boxes[account] = &abroadBox{told: func(tg.UpdateClass) {}}
	}
	return a.boxes[account]
}

func (b *abroadBox) changed(chat tg.EncryptedChatClass) {
	b.changes, b.dates = append(b.changes, chat), append(b.dates, now())
	b.told(&tg.UpdateEncryption{Chat: chat, Date: now()})
}

func (b *abroadBox) state() tg.UpdatesState {
	return tg.UpdatesState{Pts: 1, Qts: len(b.messages), Date: now(), Seq: 0}
}

// difference is what came after a qts; what became of chats is told again for a while.
func (b *abroadBox) difference(r *tg.UpdatesGetDifferenceRequest) bin.Encoder {
	d := &tg.UpdatesDifference{State: b.state()}
	d.NewEncryptedMessages = slices.Clone(b.messages[min(max(r.Qts, 0), len(b.messages)):])
	for i, chat := range b.changes {
		if b.dates[i] >= r.Date {
			d.OtherUpdates = append(d.OtherUpdates, &tg.UpdateEncryption{Chat: chat, Date: b.dates[i]})
		}
	}
	if len(d.NewEncryptedMessages)+len(d.OtherUpdates) == 0 {
		return &tg.UpdatesDifferenceEmpty{Date: now()}
	}
	return d
}

// answers are the calls that the cloud knows, each by the id of its request.
func (a *abroadCloud) answers(account int64) map[uint32]func(*bin.Buffer) (bin.Encoder, error) {
	return map[uint32]func(*bin.Buffer) (bin.Encoder, error){
		tg.MessagesGetDhConfigRequestTypeID: read(func(r *tg.MessagesGetDhConfigRequest) (bin.Encoder, error) {
			return group(r)
		}),
		tg.MessagesRequestEncryptionRequestTypeID: read(func(r *tg.MessagesRequestEncryptionRequest) (bin.Encoder, error) {
			return a.request(account, r)
		}),
		tg.MessagesAcceptEncryptionRequestTypeID: read(func(r *tg.MessagesAcceptEncryptionRequest) (bin.Encoder, error) {
			return a.accept(account, r)
		}),
		tg.MessagesDiscardEncryptionRequestTypeID: read(func(r *tg.MessagesDiscardEncryptionRequest) (bin.Encoder, error) {
			return a.discard(account, r)
		}),
		tg.MessagesSendEncryptedRequestTypeID: read(func(r *tg.MessagesSendEncryptedRequest) (bin.Encoder, error) {
			m := &tg.EncryptedMessage{RandomID: r.RandomID, ChatID: r.Peer.ChatID, Date: now(), Bytes: r.Data, File: &tg.EncryptedFileEmpty{}}
			return &tg.MessagesSentEncryptedMessage{Date: now()}, a.relay(account, r.Peer.ChatID, r.RandomID, m)
		}),
		tg.MessagesSendEncryptedServiceRequestTypeID: read(func(r *tg.MessagesSendEncryptedServiceRequest) (bin.Encoder, error) {
			m := &tg.EncryptedMessageService{RandomID: r.RandomID, ChatID: r.Peer.ChatID, Date: now(), Bytes: r.Data}
			return &tg.MessagesSentEncryptedMessage{Date: now()}, a.relay(account, r.Peer.ChatID, r.RandomID, m)
		}),
		tg.MessagesSendEncryptedFileRequestTypeID: read(func(r *tg.MessagesSendEncryptedFileRequest) (bin.Encoder, error) {
			return a.sendFile(account, r)
		}),
		tg.UploadSaveFilePartRequestTypeID: read(func(r *tg.UploadSaveFilePartRequest) (bin.Encoder, error) {
			a.parts[r.FileID] = append(a.parts[r.FileID], r.Bytes...)
			return &tg.BoolTrue{}, nil
		}),
		tg.UploadGetFileRequestTypeID: read(func(r *tg.UploadGetFileRequest) (bin.Encoder, error) {
			data := a.parts[r.Location.(*tg.InputEncryptedFileLocation).ID]
			from := min(int(r.Offset), len(data))
			return &tg.UploadFile{Type: &tg.StorageFileUnknown{}, Bytes: bytes.Clone(data[from:min(from+r.Limit, len(data))])}, nil
		}),
		tg.UpdatesGetStateRequestTypeID: read(func(*tg.UpdatesGetStateRequest) (bin.Encoder, error) {
			state := a.box(account).state()
			return &state, nil
		}),
		tg.UpdatesGetDifferenceRequestTypeID: read(func(r *tg.UpdatesGetDifferenceRequest) (bin.Encoder, error) {
			return a.box(account).difference(r), nil
		}),
	}
}

// read makes a call of one that has its request read.
func read[T any, P interface {
	*T
	bin.Decoder
}](do func(P) (bin.Encoder, error)) func(*bin.Buffer) (bin.Encoder, error) {
	return func(b *bin.Buffer) (bin.Encoder, error) {
		request := P(new(T))
		if err := request.Decode(b); err != nil {
			return nil, err
		}
		return do(request)
	}
}

// call answers one call of an account's, or says that it does not know it, as gotd's server does.
func (a *abroadCloud) call(account int64, b *bin.Buffer) (answer bin.Encoder, known bool, err error) {
	id, err := b.PeekID()
	if err != nil {
		return nil, true, err
	}
	do, known := a.answers(account)[id]
	if !known {
		return nil, false, tgerr.New(400, "INPUT_METHOD_INVALID")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	answer, err = do(b)
	return answer, true, err
}

func group(r *tg.MessagesGetDhConfigRequest) (bin.Encoder, error) {
	random := make([]byte, r.RandomLength)
	_, _ = rand.Read(random)
	if r.Version == 7 {
		return &tg.MessagesDhConfigNotModified{Random: random}, nil
	}
	p, err := hex.DecodeString(abroadPrime)
	return &tg.MessagesDhConfig{G: 3, P: p, Version: 7, Random: random}, err
}

func (a *abroadCloud) request(account int64, r *tg.MessagesRequestEncryptionRequest) (bin.Encoder, error) {
	to, ok := r.UserID.(*tg.InputUser)
	if !ok {
		return nil, tgerr.New(400, "USER_ID_INVALID")
	}
	a.chats[r.RandomID] = &abroadChat{creator: account, invitee: to.UserID, ga: r.GA}
	a.box(to.UserID).changed(&tg.EncryptedChatRequested{
		ID: r.RandomID, AccessHash: 2, Date: now(), AdminID: account, ParticipantID: to.UserID, GA: r.GA,
	})
	return &tg.EncryptedChatWaiting{ID: r.RandomID, AccessHash: 1, Date: now(), AdminID: account, ParticipantID: to.UserID}, nil
}

func (a *abroadCloud) accept(account int64, r *tg.MessagesAcceptEncryptionRequest) (bin.Encoder, error) {
	chat := a.chats[r.Peer.ChatID]
	switch {
	case chat == nil || chat.invitee != account || r.Peer.AccessHash != 2:
		return nil, tgerr.New(400, "CHAT_ID_INVALID")
	case chat.over:
		return nil, tgerr.New(400, "ENCRYPTION_ALREADY_DECLINED")
	case chat.accepted:
		return nil, tgerr.New(400, "ENCRYPTION_ALREADY_ACCEPTED")
	}
	chat.accepted = true
	ready := tg.EncryptedChat{
		ID: r.Peer.ChatID, AccessHash: 1, Date: now(), AdminID: chat.creator, ParticipantID: chat.invitee,
		GAOrB: r.GB, KeyFingerprint: r.KeyFingerprint,
	}
	theirs := ready
	a.box(chat.creator).changed(&theirs)
	ready.AccessHash, ready.GAOrB = 2, chat.ga
	return &ready, nil
}

func (a *abroadCloud) discard(account int64, r *tg.MessagesDiscardEncryptionRequest) (bin.Encoder, error) {
	chat := a.chats[r.ChatID]
	if chat == nil || chat.over {
		return nil, tgerr.New(400, "ENCRYPTION_ALREADY_DECLINED")
	}
	chat.over = true
	a.box(chat.other(account)).changed(&tg.EncryptedChatDiscarded{ID: r.ChatID})
	return &tg.BoolTrue{}, nil
}

func (c *abroadChat) other(account int64) int64 {
	if account == c.creator {
		return c.invitee
	}
	return c.creator
}

// relay gives a message to the other side of a chat.
func (a *abroadCloud) relay(account int64, id int, random int64, m tg.EncryptedMessageClass) error {
	chat := a.chats[id]
	switch {
	case chat == nil || chat.over || !chat.accepted:
		return tgerr.New(400, "ENCRYPTION_DECLINED")
	case a.sent[random]:
		return tgerr.New(500, "RANDOM_ID_DUPLICATE")
	}
	a.sent[random] = true
	box := a.box(chat.other(account))
	box.messages = append(box.messages, m)
	box.told(&tg.UpdateNewEncryptedMessage{Message: m, Qts: len(box.messages)})
	return nil
}

func (a *abroadCloud) sendFile(account int64, r *tg.MessagesSendEncryptedFileRequest) (bin.Encoder, error) {
	file, ok := r.File.(*tg.InputEncryptedFileUploaded)
	if !ok {
		return nil, tgerr.New(400, "FILE_ID_INVALID")
	}
	shown := &tg.EncryptedFile{
		ID: file.ID, AccessHash: 5, Size: int64(len(a.parts[file.ID])), DCID: abroadDC, KeyFingerprint: file.KeyFingerprint,
	}
	m := &tg.EncryptedMessage{RandomID: r.RandomID, ChatID: r.Peer.ChatID, Date: now(), Bytes: r.Data, File: shown}
	return &tg.MessagesSentEncryptedFile{Date: now(), File: shown}, a.relay(account, r.Peer.ChatID, r.RandomID, m)
}

// abroadLine is a phone's way to the cloud.
type abroadLine struct {
	cloud   *abroadCloud
	account int64
}

// Invoke makes a call. A phone finds the courier among its contacts.
func (l *abroadLine) Invoke(_ context.Context, input bin.Encoder, output bin.Decoder) error {
	if _, ok := input.(*tg.ContactsGetContactsRequest); ok {
		return pass(&tg.ContactsContacts{Users: []tg.UserClass{&tg.User{ID: abroadCourier, AccessHash: 3, FirstName: "Courier"}}}, output)
	}
	if _, ok := input.(*tg.MessagesReadEncryptedHistoryRequest); ok {
		return pass(&tg.BoolTrue{}, output)
	}
	var b bin.Buffer
	if err := input.Encode(&b); err != nil {
		return err
	}
	answer, known, err := l.cloud.call(l.account, &b)
	if !known {
		return fmt.Errorf("the phone's call %T is not known abroad: %w", input, err)
	}
	if err != nil {
		return err
	}
	return pass(answer, output)
}

func pass(answer bin.Encoder, output bin.Decoder) error {
	var b bin.Buffer
	if err := answer.Encode(&b); err != nil {
		return err
	}
	return output.Decode(&b)
}

// Listen has the phone look whenever something is told to its account.
func (l *abroadLine) Listen(wake func()) (cancel func()) {
	l.cloud.mu.Lock()
	defer l.cloud.mu.Unlock()
	l.cloud.box(l.account).told = func(tg.UpdateClass) { wake() }
	return func() {}
}
