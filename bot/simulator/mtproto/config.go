package mtproto

import (
	"fmt"
	"net"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
)

// getConfig names this server as the only data centre.
func getConfig(c *conn, _ *session, _ *tg.HelpGetConfigRequest) (bin.Encoder, error) {
	addr, ok := c.server.listener.Addr().(*net.TCPAddr)
	if !ok {
		return nil, fmt.Errorf("tell the configuration: listening on %T", c.server.listener.Addr())
	}
	now := c.server.opts.Clock()
	return &tg.Config{
		Date: int(now.Unix()), Expires: int(now.Add(time.Hour).Unix()),
		ThisDC: c.server.DC(),
		DCOptions: []tg.DCOption{{
			ID: c.server.DC(), IPAddress: addr.IP.String(), Port: addr.Port,
			Ipv6: addr.IP.To4() == nil, Static: true,
		}},
		ChatSizeMax: 200, MegagroupSizeMax: 200000, ForwardedCountMax: 100,
		OnlineUpdatePeriodMs: 210000, OfflineBlurTimeoutMs: 5000, OfflineIdleTimeoutMs: 30000,
		OnlineCloudTimeoutMs: 300000, NotifyCloudDelayMs: 30000, NotifyDefaultDelayMs: 1500,
		PushChatPeriodMs: 60000, PushChatLimit: 2, EditTimeLimit: 172800,
		RevokeTimeLimit: 172800, RevokePmTimeLimit: 172800, RatingEDecay: 2419200,
		StickersRecentLimit: 200, CallReceiveTimeoutMs: 20000, CallRingTimeoutMs: 90000,
		CallConnectTimeoutMs: 30000, CallPacketTimeoutMs: 10000, MeURLPrefix: "https://t.me/",
		CaptionLengthMax: 1024, MessageLengthMax: 4096, WebfileDCID: c.server.DC(),
	}, nil
}

func getNearestDC(c *conn, _ *session, _ *tg.HelpGetNearestDCRequest) (bin.Encoder, error) {
	return &tg.NearestDC{Country: "ZZ", ThisDC: c.server.DC(), NearestDC: c.server.DC()}, nil
}

func getCDNConfig(*conn, *session, *tg.HelpGetCDNConfigRequest) (bin.Encoder, error) {
	return &tg.CDNConfig{}, nil
}
