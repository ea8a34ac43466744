package secretchat

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tg/e2e"
	"github.com/gotd/td/tgerr"
)

// FuzzChatUpdate feeds what a server may say about chats to a client with a chat in
// each phase, as many updates as there are in the bytes.
func FuzzChatUpdate(f *testing.F) {
	g := testGroup(f)
	public := asked(env{random: rand.Reader}, g)
	for _, u := range []tg.EncryptedChatClass{
		&tg.EncryptedChatRequested{ID: 77, AccessHash: 1, AdminID: 3, ParticipantID: 2, GA: public},
		&tg.EncryptedChatRequested{ID: idOpen, AdminID: 3, GA: []byte{1}},
		&tg.EncryptedChat{ID: idWaiting, AccessHash: 4, GAOrB: public, KeyFingerprint: 5},
		&tg.EncryptedChat{ID: idAsking, GAOrB: make([]byte, 300)},
		&tg.EncryptedChatWaiting{ID: idAsking, AccessHash: 4},
		&tg.EncryptedChatEmpty{ID: idOpen},
		&tg.EncryptedChatDiscarded{ID: idOpen, HistoryDeleted: true},
	} {
		f.Add(encoded(f, u))
	}
	f.Add(encoded(f, &tg.EncryptedChatDiscarded{ID: idWaiting}, &tg.EncryptedChat{ID: idWaiting, GAOrB: public}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, d := puppetClient(t, &puppet{})
		for buf := (&bin.Buffer{Buf: raw}); buf.Len() > 0; {
			update, err := tg.DecodeEncryptedChat(buf)
			if err != nil {
				break
			}
			must(t, c.HandleChat(t.Context(), update))
		}
		sane(t, c, d)
	})
}

// FuzzMessageUpdate feeds what a server may say about messages to chats in every phase,
// and read marks of any time.
func FuzzMessageUpdate(f *testing.F) {
	p := openPair(f)
	p.say(0, "text")
	genuine := p.sides[0].next().Data
	for id := range idsEnd {
		f.Add(encoded(f, &tg.EncryptedMessage{
			RandomID: 1, ChatID: id, Date: 2, Bytes: genuine, File: &tg.EncryptedFile{ID: 1, AccessHash: 2, Size: 16},
		}), id, 1_800_000_000)
		f.Add(encoded(f, &tg.EncryptedMessageService{RandomID: 1, ChatID: id, Bytes: genuine}), id, -1)
	}
	f.Add(encoded(f, &tg.EncryptedMessage{ChatID: 78, File: &tg.EncryptedFileEmpty{}}), 78, 0)
	f.Fuzz(func(t *testing.T, raw []byte, id, date int) {
		c, d := puppetClient(t, &puppet{})
		for buf := (&bin.Buffer{Buf: raw}); buf.Len() > 0; {
			update, err := tg.DecodeEncryptedMessage(buf)
			if err != nil {
				break
			}
			must(t, c.HandleMessage(t.Context(), update))
		}
		must(t, c.HandleRead(t.Context(), id, date))
		sane(t, c, d)
	})
}

// FuzzAnswers lets a server answer with anything to whatever each chat asks of it next:
// parameters, acceptance, request, message, file, upload, discarding.
func FuzzAnswers(f *testing.F) {
	g := testGroup(f)
	config := &tg.MessagesDhConfig{G: g.G, P: g.P, Version: 3, Random: make([]byte, keyLen)}
	public := asked(env{random: rand.Reader}, g)
	for _, answers := range [][]byte{
		encoded(f, config), encoded(f, &tg.MessagesDhConfigNotModified{}),
		encoded(f, config, &tg.EncryptedChat{ID: idRequested, GAOrB: public, KeyFingerprint: 1}),
		encoded(f, config, &tg.EncryptedChatDiscarded{ID: idRequested}),
		encoded(f, &tg.EncryptedChat{ID: idAccepting, GAOrB: public, KeyFingerprint: 1}),
		encoded(f, &tg.EncryptedChatWaiting{ID: idAsking, AccessHash: 9}),
		encoded(f, &tg.MessagesSentEncryptedMessage{Date: 1},
			&tg.MessagesSentEncryptedFile{Date: 1, File: &tg.EncryptedFile{ID: 1, AccessHash: 1, Size: 32}},
			&tg.BoolTrue{}, &tg.MessagesSentEncryptedFile{File: &tg.EncryptedFileEmpty{}}),
		encoded(f, &tg.BoolFalse{}),
	} {
		for id := range idsEnd {
			f.Add(id, answers, 0, "")
		}
	}
	for id := range idsEnd {
		for _, name := range []string{errAlreadyAccepted, errRandomIDDuplicate, "FILE_PART_0_MISSING", "FLOOD_WAIT_9"} {
			f.Add(id, []byte{}, 400, name)
		}
	}
	f.Fuzz(func(t *testing.T, id int, answers []byte, code int, name string) {
		c, d := puppetClient(t, &puppet{answers: bin.Buffer{Buf: answers}, code: code, name: name})
		w := &worker{id: id}
		for range 10 {
			next, err := c.network(t.Context(), w)
			if err != nil {
				if judge(errors.Unwrap(err)).verdict != verdictEnded {
					t.Fatalf("an answer has ended the client: %v", err)
				}
				break
			}
			if !next.more || next.wait < 0 {
				break
			}
		}
		sane(t, c, d)
	})
}

// FuzzErrorName judges errors by any name and number: no pause is below none, and none
// is without an end.
func FuzzErrorName(f *testing.F) {
	for _, name := range []string{
		"FLOOD_WAIT_3", "FLOOD_WAIT_-3", "FLOOD_WAIT_9999999999999999999", "FLOOD_WAIT_9223372036", "FLOOD_WAIT",
		errAlreadyAccepted, errRandomIDDuplicate, errPeerFlood, errPrivacy, "ENCRYPTION_DECLINED", "MSG_WAIT_FAILED", "",
	} {
		for _, code := range []int{0, -400, 400, 401, 403, 420, 500} {
			f.Add(code, name)
		}
	}
	f.Fuzz(func(t *testing.T, code int, name string) {
		a := judge(tgerr.New(code, name))
		if a.verdict == verdictDone {
			t.Fatal("an error counts as done")
		}
		if a.wait < 0 || a.wait > maxPause {
			t.Fatalf("a pause of %s", a.wait)
		}
		over := a.toAsking()
		if over.verdict == verdictOver && over.reason == "" {
			t.Fatal("a chat is over for no reason")
		}
		if s := a.again(&worker{}); s.wait <= 0 || s.wait > maxPause {
			t.Fatalf("the same is tried again after %s", s.wait)
		}
	})
}

// FuzzParameters takes groups and public values that a server or a peer chose.
func FuzzParameters(f *testing.F) {
	g := testGroup(f)
	public := asked(env{random: rand.Reader}, g)
	f.Add(encoded(f, &tg.MessagesDhConfig{G: g.G, P: g.P, Version: 3, Random: make([]byte, keyLen)}), public)
	f.Add(encoded(f, &tg.MessagesDhConfig{G: 2, P: g.P, Version: 3, Random: make([]byte, 1)}), []byte{})
	f.Add(encoded(f, &tg.MessagesDhConfig{G: 3, P: g.P[1:]}), []byte{1})
	f.Add(encoded(f, &tg.MessagesDhConfigNotModified{Random: make([]byte, 2*keyLen)}), g.P)
	f.Fuzz(func(t *testing.T, raw, peer []byte) {
		config, err := tg.DecodeMessagesDhConfig(&bin.Buffer{Buf: raw})
		if err != nil {
			return
		}
		cache := dhCache{good: map[[sha256.Size]byte]bool{groupSum(g.G, g.P): true}}
		named, random, err := cache.take(config)
		if err != nil {
			if judge(err).verdict != verdictLater {
				t.Fatalf("%v does not pass", err)
			}
			return
		}
		e := env{now: time.Unix(1_800_000_000, 0), random: shortExponents{}}
		invitee := requested(e, 1, 2, 3, peer)
		must(t, invitee.accept(e, named, random))
		creator := asking(e, 1, 2, 3)
		must(t, creator.offer(e, named, random))
		public := creator.Public
		fault, err := creator.answered(e, 4, peer, 5)
		must(t, err)
		if weak := named.check(public, peer) != nil; weak != (fault == FaultWeak) || weak != !invitee.live() {
			t.Fatalf("weak %t, as creator %q, as invitee %v", weak, fault, invitee)
		}
	})
}

// FuzzAttachment feeds a message that a hostile peer encrypted, what the server says of
// its file, and what the server then gives for it.
func FuzzAttachment(f *testing.F) {
	file, err := encryptFile(testPicture, rand.Reader)
	must(f, err)
	size := file.Size
	p := openPair(f)
	there := encoded(f, &tg.EncryptedFile{ID: 1, AccessHash: 2, Size: int64(len(file.Data)), KeyFingerprint: file.Ref.Fingerprint})
	down := encoded(f, &tg.UploadFile{Type: &tg.StorageFilePng{}, Bytes: file.Data})
	name := []e2e.DocumentAttributeClass{&e2e.DocumentAttributeFilename{FileName: "a"}, &e2e.DocumentAttributeImageSize{W: 1, H: -1}}
	for _, media := range []e2e.DecryptedMessageMediaClass{
		&e2e.DecryptedMessageMediaPhoto{Size: size, Key: file.Key, Iv: file.IV, W: 1, H: 1, Caption: "c"},
		&e2e.DecryptedMessageMediaDocument{Size: int64(size), Key: file.Key, Iv: file.IV, Attributes: name},
		&e2e.DecryptedMessageMediaDocument46{Size: size, Key: file.Key, Iv: file.IV, Attributes: name},
		&e2e.DecryptedMessageMediaVideo{Size: size, Key: file.Key, Iv: file.IV, MimeType: "video/mp4"},
		&e2e.DecryptedMessageMediaAudio{Size: size, Key: file.Key, Iv: file.IV},
		&e2e.DecryptedMessageMediaPhoto{Size: -1, Key: file.Key[:5]},
		&e2e.DecryptedMessageMediaContact{}, &e2e.DecryptedMessageMediaGeoPoint{}, &e2e.DecryptedMessageMediaWebPage{},
	} {
		message := textMessage("")
		message.SetMedia(media)
		layer := p.honest(0, message)
		f.Add(encoded(f, &layer), there, down)
		f.Add(encoded(f, &layer), encoded(f, &tg.EncryptedFileEmpty{}), []byte{})
	}
	f.Fuzz(func(t *testing.T, message, file, down []byte) {
		p := openPair(t)
		wire, err := seal(p.sides[0].Key.Bytes, true, message, rand.Reader)
		must(t, err)
		update := &tg.EncryptedMessage{Bytes: wire}
		if update.File, err = tg.DecodeEncryptedFile(&bin.Buffer{Buf: file}); err != nil {
			update.File = &tg.EncryptedFileEmpty{}
		}
		_, err = p.sides[1].take(p.env(), arrival{Wire: wire, File: remote(update)})
		must(t, err)
		p.reload(1)
		c := New(Config{API: &puppet{answers: bin.Buffer{Buf: down}}})
		for _, ev := range p.sides[1].Events {
			if ev.Kind != EventFile {
				continue
			}
			data, err := c.Download(t.Context(), ev.File)
			if err == nil && int64(len(data)) != ev.File.Size {
				t.Fatalf("%d bytes of %d", len(data), ev.File.Size)
			}
		}
	})
}
