package secretchat

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
)

// cloud is Telegram's server as two or more accounts see it: it keeps chats, and
// each account's updates until they were taken.
type cloud struct {
	mu      sync.Mutex
	chats   map[int]*cloudChat
	queues  map[int64][]any // updates by account, oldest first
	changed map[int64]chan struct{}
	parts   map[int64][]byte // uploaded, by file id
	files   map[int64][]byte // sent, by file id
	randoms map[int64]bool
	numbers map[number][]byte // what left each side of a chat under each of its numbers
	keys    map[int64]secret  // of all chats, as the stores had them
	refuse  func(account int64, call string) error
	// after is asked when a call has had its effect: its error is an answer that was
	// lost on the way.
	after func(account int64, call string) error
	marks map[int64][]int // read marks of an account, Unix seconds
}

type cloudChat struct {
	creator, invitee int64
	ga               []byte
	accepted, over   bool
	erased           bool
}

func newCloud(accounts ...int64) *cloud {
	c := &cloud{
		chats: map[int]*cloudChat{}, queues: map[int64][]any{}, changed: map[int64]chan struct{}{},
		parts: map[int64][]byte{}, files: map[int64][]byte{}, randoms: map[int64]bool{},
		numbers: map[number][]byte{}, keys: map[int64]secret{}, marks: map[int64][]int{},
	}
	for _, a := range accounts {
		c.changed[a] = make(chan struct{}, 1)
	}
	return c
}

func (c *cloud) push(account int64, update any) {
	c.queues[account] = append(c.queues[account], update)
	select {
	case c.changed[account] <- struct{}{}:
	default:
	}
}

// enter locks the cloud for one call of an account's.
func (a *line) enter(call string) (leave func(), err error) {
	a.mu.Lock()
	if a.refuse != nil {
		if err := a.refuse(a.account, call); err != nil {
			a.mu.Unlock()
			return nil, err
		}
	}
	return a.mu.Unlock, nil
}

// line is the API as one account has it.
type line struct {
	*cloud
	account int64
}

func (a *line) MessagesGetDhConfig(_ context.Context, r *tg.MessagesGetDhConfigRequest) (tg.MessagesDhConfigClass, error) {
	random := make([]byte, r.RandomLength)
	_, _ = rand.Read(random)
	if r.Version == 3 {
		return &tg.MessagesDhConfigNotModified{Random: random}, nil
	}
	return &tg.MessagesDhConfig{G: 3, P: testGroup(nil).P, Version: 3, Random: random}, nil
}

func (a *line) MessagesRequestEncryption(_ context.Context, r *tg.MessagesRequestEncryptionRequest) (tg.EncryptedChatClass, error) {
	leave, err := a.enter("request")
	if err != nil {
		return nil, err
	}
	defer leave()
	if a.chats[r.RandomID] != nil {
		return nil, tgerr.New(400, "RANDOM_ID_DUPLICATE")
	}
	peer := r.UserID.(*tg.InputUser).UserID
	a.chats[r.RandomID] = &cloudChat{creator: a.account, invitee: peer, ga: r.GA}
	a.push(peer, &tg.EncryptedChatRequested{
		ID: r.RandomID, AccessHash: 2, AdminID: a.account, ParticipantID: peer, GA: r.GA,
	})
	return &tg.EncryptedChatWaiting{
		ID: r.RandomID, AccessHash: 1, AdminID: a.account, ParticipantID: peer,
	}, a.answer("request")
}

func (a *line) MessagesAcceptEncryption(_ context.Context, r *tg.MessagesAcceptEncryptionRequest) (tg.EncryptedChatClass, error) {
	leave, err := a.enter("accept")
	if err != nil {
		return nil, err
	}
	defer leave()
	chat := a.chats[r.Peer.ChatID]
	switch {
	case chat == nil:
		return nil, tgerr.New(400, "CHAT_ID_INVALID")
	case chat.over:
		return nil, tgerr.New(400, "ENCRYPTION_ALREADY_DECLINED")
	case chat.accepted:
		return nil, tgerr.New(400, "ENCRYPTION_ALREADY_ACCEPTED")
	}
	chat.accepted = true
	ready := tg.EncryptedChat{
		ID: r.Peer.ChatID, AccessHash: 1, AdminID: chat.creator, ParticipantID: chat.invitee,
		GAOrB: r.GB, KeyFingerprint: r.KeyFingerprint,
	}
	theirs := ready
	a.push(chat.creator, &theirs)
	ready.AccessHash, ready.GAOrB = 2, chat.ga
	return &ready, a.answer("accept")
}

func (a *line) MessagesDiscardEncryption(_ context.Context, r *tg.MessagesDiscardEncryptionRequest) (bool, error) {
	leave, err := a.enter("discard")
	if err != nil {
		return false, err
	}
	defer leave()
	chat := a.chats[r.ChatID]
	if chat == nil || chat.over {
		return false, tgerr.New(400, "ENCRYPTION_ALREADY_DECLINED")
	}
	chat.over, chat.erased = true, r.DeleteHistory
	a.push(chat.peer(a.account), &tg.EncryptedChatDiscarded{ID: r.ChatID})
	return true, nil
}

func (c *cloudChat) peer(account int64) int64 {
	if account == c.creator {
		return c.invitee
	}
	return c.creator
}

func (a *line) relay(call string, id int, random int64, data []byte, update func(chat int) tg.EncryptedMessageClass) error {
	leave, err := a.enter(call)
	if err != nil {
		return err
	}
	defer leave()
	a.count(id, data)
	chat := a.chats[id]
	if chat == nil || chat.over || !chat.accepted {
		return tgerr.New(400, "ENCRYPTION_DECLINED")
	}
	if a.randoms[random] {
		return tgerr.New(500, "RANDOM_ID_DUPLICATE")
	}
	a.randoms[random] = true
	a.push(chat.peer(a.account), update(id))
	return a.answer(call)
}

// answer brings a call's answer, or not.
func (a *line) answer(call string) error {
	if a.after == nil {
		return nil
	}
	return a.after(a.account, call)
}

func (a *line) MessagesReadEncryptedHistory(_ context.Context, r *tg.MessagesReadEncryptedHistoryRequest) (bool, error) {
	leave, err := a.enter("read")
	if err != nil {
		return false, err
	}
	defer leave()
	a.marks[a.account] = append(a.marks[a.account], r.MaxDate)
	return true, nil
}

func (a *line) MessagesSendEncrypted(_ context.Context, r *tg.MessagesSendEncryptedRequest) (tg.MessagesSentEncryptedMessageClass, error) {
	return &tg.MessagesSentEncryptedMessage{}, a.relay("send", r.Peer.ChatID, r.RandomID, r.Data, func(chat int) tg.EncryptedMessageClass {
		return &tg.EncryptedMessage{
			RandomID: r.RandomID, ChatID: chat, Date: len(a.randoms), Bytes: r.Data, File: &tg.EncryptedFileEmpty{},
		}
	})
}

func (a *line) MessagesSendEncryptedService(_ context.Context, r *tg.MessagesSendEncryptedServiceRequest) (tg.MessagesSentEncryptedMessageClass, error) {
	return &tg.MessagesSentEncryptedMessage{}, a.relay("service", r.Peer.ChatID, r.RandomID, r.Data, func(chat int) tg.EncryptedMessageClass {
		return &tg.EncryptedMessageService{RandomID: r.RandomID, ChatID: chat, Bytes: r.Data}
	})
}

func (a *line) MessagesSendEncryptedFile(_ context.Context, r *tg.MessagesSendEncryptedFileRequest) (tg.MessagesSentEncryptedMessageClass, error) {
	file := &tg.EncryptedFile{}
	err := a.relay("file", r.Peer.ChatID, r.RandomID, r.Data, func(chat int) tg.EncryptedMessageClass {
		switch f := r.File.(type) {
		case *tg.InputEncryptedFileUploaded:
			a.files[f.ID] = a.parts[f.ID]
			file.ID, file.AccessHash, file.KeyFingerprint = f.ID, 7, f.KeyFingerprint
			file.Size = int64(len(a.files[f.ID]))
		case *tg.InputEncryptedFile:
			file.ID, file.AccessHash, file.Size = f.ID, f.AccessHash, int64(len(a.files[f.ID]))
		}
		return &tg.EncryptedMessage{RandomID: r.RandomID, ChatID: chat, Bytes: r.Data, File: file}
	})
	return &tg.MessagesSentEncryptedFile{File: file}, err
}

func (a *line) UploadSaveFilePart(_ context.Context, r *tg.UploadSaveFilePartRequest) (bool, error) {
	leave, err := a.enter("upload")
	if err != nil {
		return false, err
	}
	defer leave()
	a.parts[r.FileID] = append(a.parts[r.FileID], r.Bytes...)
	return true, nil
}

func (a *line) UploadSaveBigFilePart(context.Context, *tg.UploadSaveBigFilePartRequest) (bool, error) {
	return false, tgerr.New(400, "FILE_PARTS_INVALID")
}

func (a *line) UploadGetFile(_ context.Context, r *tg.UploadGetFileRequest) (tg.UploadFileClass, error) {
	leave, err := a.enter("download")
	if err != nil {
		return nil, err
	}
	defer leave()
	data := a.files[r.Location.(*tg.InputEncryptedFileLocation).ID]
	from := min(int(r.Offset), len(data))
	return &tg.UploadFile{Bytes: bytes.Clone(data[from:min(from+r.Limit, len(data))])}, nil
}

// number is one sequence number of one side of a chat.
type number struct {
	chat    int
	account int64
	out     int
}

// count opens what leaves an account, which a server could not, and notes under which
// number. One number for two messages is what must never be.
func (a *line) count(id int, data []byte) {
	fingerprint, _ := wireFingerprint(data)
	key, known := a.keys[fingerprint]
	if !known {
		panic("a message left under a key that no store has")
	}
	plain, fault := unseal(key, a.chats[id].creator == a.account, data)
	layer, malformed := decodeLayer(plain)
	if fault != "" || malformed != "" {
		panic("a message left that cannot be read: " + fault + malformed)
	}
	at := number{id, a.account, layer.OutSeqNo}
	if before, used := a.numbers[at]; used && !bytes.Equal(before, data) {
		panic("a sequence number was used for two messages")
	}
	a.numbers[at] = data
}

// learn notes the keys of a record that was saved.
func (c *cloud) learn(raw []byte) {
	ch, err := decodeChat(raw)
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, key := range []*chatKey{ch.Key, ch.Old, ch.Exchange.negotiated()} {
		if key != nil {
			c.keys[key.Fingerprint] = key.Bytes
		}
	}
}

// drawer is a store whose saves can fail.
type drawer struct {
	mu     sync.Mutex
	values map[string][]byte
	puts   int
	failAt int // the number of the save that fails; 0 for none
	// lost means that the save which fails has happened: only its answer was lost.
	lost bool
	// saved is told of each chat's record before it is kept, without the lock: whoever is
	// told has a lock of their own, and may look into the drawer while they hold it.
	saved func(record []byte)
}

var errFull = errors.New("the drawer is full")

func (d *drawer) Get(_ context.Context, key string) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return bytes.Clone(d.values[key]), nil
}

func (d *drawer) Put(_ context.Context, key string, value []byte) error {
	if d.saved != nil && strings.HasPrefix(key, chatPrefix) {
		d.saved(value)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.puts++
	if d.puts != d.failAt || d.lost {
		d.values[key] = bytes.Clone(value)
	}
	if d.puts == d.failAt {
		return errFull
	}
	return nil
}

func (d *drawer) Delete(_ context.Context, key string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.values, key)
	return nil
}

func (d *drawer) Keys(_ context.Context, prefix string) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var keys []string
	for key := range d.values {
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys, nil
}

func (d *drawer) count(prefix string) int {
	keys, _ := d.Keys(context.Background(), prefix)
	return len(keys)
}
