package mtproto

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/mt"
	"github.com/gotd/td/proto"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
)

const (
	// inflateMax bounds an unpacked message.
	inflateMax = 10 << 20
	// depthMax bounds how deep packed things may be nested.
	depthMax = 8
)

var errPacked = errors.New("a packed message that cannot be unpacked")

// handle answers one MTProto message: a container, a service message or a
// call.
func (c *conn) handle(ctx context.Context, s *session, id int64, b *bin.Buffer, depth int) error {
	if depth > depthMax {
		return errPacked
	}
	kind, err := b.PeekID()
	if err != nil {
		return fmt.Errorf("read a message's type: %w", err)
	}
	switch kind {
	case proto.GZIPTypeID:
		if b, err = inflate(b); err != nil {
			return err
		}
		return c.handle(ctx, s, id, b, depth+1)
	case proto.MessageContainerTypeID:
		var box proto.MessageContainer
		if err := box.Decode(b); err != nil {
			return fmt.Errorf("read a container: %w", err)
		}
		for _, m := range box.Messages {
			if err := c.handle(ctx, s, m.ID, &bin.Buffer{Buf: m.Body}, depth+1); err != nil {
				return err
			}
		}
		return nil
	case mt.MsgsAckTypeID, mt.HTTPWaitRequestTypeID, mt.MsgsStateReqTypeID, mt.MsgsStateInfoTypeID,
		mt.MsgsAllInfoTypeID, mt.MsgResendReqTypeID, mt.DestroySessionRequestTypeID:
		return nil
	case mt.PingRequestTypeID, mt.PingDelayDisconnectRequestTypeID:
		return c.pong(s, id, b, kind)
	case mt.GetFutureSaltsRequestTypeID:
		c.push(s, proto.MessageServerResponse, &mt.FutureSalts{
			ReqMsgID: id, Now: int(c.server.opts.Clock().Unix()),
			Salts: []mt.FutureSalt{{ValidSince: 1, ValidUntil: math.MaxInt32, Salt: s.salt}},
		})
		return nil
	case mt.RPCDropAnswerRequestTypeID:
		return c.result(s, id, &mt.RPCAnswerUnknown{})
	}
	return c.call(ctx, s, id, b)
}

func (c *conn) pong(s *session, id int64, b *bin.Buffer, kind uint32) error {
	var ping int64
	if kind == mt.PingRequestTypeID {
		var p mt.PingRequest
		if err := p.Decode(b); err != nil {
			return fmt.Errorf("read a ping: %w", err)
		}
		ping = p.PingID
	} else {
		var p mt.PingDelayDisconnectRequest
		if err := p.Decode(b); err != nil {
			return fmt.Errorf("read a ping: %w", err)
		}
		ping = p.PingID
	}
	c.push(s, proto.MessageServerResponse, &mt.Pong{MsgID: id, PingID: ping})
	return nil
}

func (c *conn) result(s *session, id int64, answer bin.Encoder) error {
	var b bin.Buffer
	if err := answer.Encode(&b); err != nil {
		return fmt.Errorf("encode a result: %w", err)
	}
	c.push(s, proto.MessageServerResponse, &proto.Result{RequestMessageID: id, Result: b.Raw()})
	return nil
}

// call answers an API call, successfully or with an error.
func (c *conn) call(ctx context.Context, s *session, id int64, b *bin.Buffer) error {
	answer, err := c.invoke(ctx, s, b)
	var rpc *tgerr.Error
	switch {
	case errors.Is(err, errLost):
		return err
	case errors.As(err, &rpc):
		return c.result(s, id, &mt.RPCError{ErrorCode: rpc.Code, ErrorMessage: rpc.Message})
	case err != nil:
		c.server.opts.Log.Error("the local Telegram failed at a call", "error", err)
		return c.result(s, id, &mt.RPCError{ErrorCode: 500, ErrorMessage: "INTERNAL"})
	}
	if again, ok := answer.(repeated); ok {
		if err := c.result(s, id, again.Encoder); err != nil {
			return err
		}
	}
	return c.result(s, id, answer)
}

// rest stands for the query inside a wrapper and leaves it in the buffer.
type rest struct{}

func (rest) Decode(*bin.Buffer) error { return nil }
func (rest) Encode(*bin.Buffer) error { return errPacked }

// unwrap takes the invoke... wrappers off a call and tells what they said.
func unwrap(b *bin.Buffer) (inner *bin.Buffer, quiet bool, app int, err error) {
	for range depthMax {
		kind, err := b.PeekID()
		if err != nil {
			return nil, false, 0, fmt.Errorf("read a call: %w", err)
		}
		var wrapper bin.Decoder
		switch kind {
		case proto.GZIPTypeID:
			if b, err = inflate(b); err != nil {
				return nil, false, 0, err
			}
			continue
		case tg.InvokeWithLayerRequestTypeID:
			wrapper = &tg.InvokeWithLayerRequest{Query: rest{}}
		case tg.InitConnectionRequestTypeID:
			wrapper = &tg.InitConnectionRequest{Query: rest{}}
		case tg.InvokeWithoutUpdatesRequestTypeID:
			wrapper = &tg.InvokeWithoutUpdatesRequest{Query: rest{}}
			quiet = true
		case tg.InvokeAfterMsgRequestTypeID:
			wrapper = &tg.InvokeAfterMsgRequest{Query: rest{}}
		case tg.InvokeAfterMsgsRequestTypeID:
			wrapper = &tg.InvokeAfterMsgsRequest{Query: rest{}}
		default:
			return b, quiet, app, nil
		}
		if err := wrapper.Decode(b); err != nil {
			return nil, false, 0, tgerr.New(400, "INPUT_REQUEST_INVALID")
		}
		if init, ok := wrapper.(*tg.InitConnectionRequest); ok {
			app = init.APIID
		}
	}
	return nil, false, 0, tgerr.New(400, "INPUT_REQUEST_INVALID")
}

// inflate unpacks gzip_packed. Clients send a gzip header or, as TDLib does, a
// zlib one.
func inflate(b *bin.Buffer) (*bin.Buffer, error) {
	if err := b.ConsumeID(proto.GZIPTypeID); err != nil {
		return nil, fmt.Errorf("%w: %w", errPacked, err)
	}
	packed, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errPacked, err)
	}
	var r io.ReadCloser
	if bytes.HasPrefix(packed, []byte{0x1f, 0x8b}) {
		r, err = gzip.NewReader(bytes.NewReader(packed))
	} else {
		r, err = zlib.NewReader(bytes.NewReader(packed))
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errPacked, err)
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, inflateMax+1))
	if err != nil || len(data) > inflateMax {
		return nil, errors.Join(errPacked, err)
	}
	return &bin.Buffer{Buf: data}, nil
}
