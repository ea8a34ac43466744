package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/usherbot/usher/bot"
	"github.com/usherbot/usher/chain"
	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/flows/order"
)

// settings are the operator's decisions, read and checked.
type settings struct {
	token, telegramURL       string
	webhook                  bot.Webhook // zero: updates come by polling
	redisURL, redisRisk      string
	nodeURL, boothURL        string
	boothCert                []byte
	accounts                 []cirrus.Account
	float                    *cirrus.Account
	passwords                map[string]string
	gas                      order.Gas
	direct                   chain.Secrets // how secrets are derived; empty: Ticketbooth makes them
	resold                   bool
	venues                   []cirrus.Address
	admins                   []int64
	support                  string
	keysFile                 string
	courier                  courierSettings
	confirmations            uint64
	finality                 uint64
	hold, choice, undo, keep time.Duration
	fee, atStake             cirrus.Strats
	feeAddress               string
	listen                   string
	level                    slog.Level
	json                     bool
	poll                     time.Duration    // of the node; the demo asks more often
	turn, lease              time.Duration    // of storage.Config; zero: its own
	clock                    func() time.Time // nil: the machine's; the demo's can be put forward
}

// checker collects everything that is wrong, so that the operator sees all of it at once.
type checker struct{ wrong []error }

// bad names a variable, what was read, and what is right. A secret is never shown: pass "" for it.
func (c *checker) bad(name, read, right string) {
	if read != "" {
		read = fmt.Sprintf(" is %q", read)
	}
	c.wrong = append(c.wrong, fmt.Errorf("%s_%s%s: %s", prefix, name, read, right))
}

func (c *checker) need(ok bool, name, read, right string) {
	if !ok {
		c.bad(name, read, right)
	}
}

// check reads the environment's texts. The error names every mistake.
func (e environment) check() (settings, error) {
	var c checker
	s := settings{
		telegramURL: e.TelegramURL, redisURL: e.RedisURL, redisRisk: e.RedisRisk, nodeURL: e.NodeURL,
		boothURL: e.TicketboothURL, support: e.Support, keysFile: e.KeysFile, listen: e.Listen, feeAddress: e.FeeAddress,
		token: e.TelegramToken, resold: e.ResoldSeats == "sell", json: e.LogFormat == "json", poll: time.Second,
	}
	c.telegram(e, &s)
	c.stores(e, &s)
	c.node(e, &s)
	c.people(e, &s)
	c.courier(e, &s)
	c.amounts(e, &s)
	c.rest(e, &s)
	return s, errors.Join(c.wrong...)
}

var tokenForm = regexp.MustCompile(`^[0-9]+:[A-Za-z0-9_-]{10,}$`)

func (c *checker) telegram(e environment, s *settings) {
	c.need(tokenForm.MatchString(e.TelegramToken), "TELEGRAM_TOKEN", "", "must be a bot's token as @BotFather gives it, digits:letters")
	c.need(isURL(e.TelegramURL, "http", "https"), "TELEGRAM_URL", e.TelegramURL, "must be https://host")
	switch e.TelegramMode {
	case "polling":
	case "webhook":
		c.webhook(e, s)
	default:
		c.bad("TELEGRAM_MODE", e.TelegramMode, "must be polling or webhook")
	}
}

// hookPath is where the webhook is served; a proxy before Usher may call it by another path.
const hookPath = "/webhook"

var (
	hookSecretForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)
	hookPathForm   = regexp.MustCompile(`^/[A-Za-z0-9._~/-]+$`)
)

func (c *checker) webhook(e environment, s *settings) {
	c.need(hookSecretForm.MatchString(e.WebhookSecret), "WEBHOOK_SECRET", "", "must be 1 to 256 of A-Za-z0-9_-, best 40 that nobody can guess")
	at, err := url.Parse(e.WebhookURL)
	if err != nil || at.Host == "" {
		c.bad("WEBHOOK_URL", e.WebhookURL, "must be https://host"+hookPath)
		return
	}
	if at.Path == "" || at.Path == "/" {
		at.Path = hookPath
	}
	ip := net.ParseIP(at.Hostname())
	here := at.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	c.need(at.Scheme == "https" || here && at.Scheme == "http", "WEBHOOK_URL", e.WebhookURL, "must be https://host"+hookPath)
	c.need(hookPathForm.MatchString(at.Path) && path.Clean(at.Path) == at.Path && at.Fragment == "", "WEBHOOK_URL", e.WebhookURL, "must have a path of letters, digits and ._~/-")
	// Telegram's own server calls these ports only (Bot API, setWebhook); a server of one's own calls any.
	own := e.TelegramURL != telegramURL
	c.need(own || slices.Contains([]string{"", "443", "80", "88", "8443"}, at.Port()), "WEBHOOK_URL", e.WebhookURL, "must have no port, or 443, 80, 88 or 8443: Telegram calls no others")
	s.webhook = bot.Webhook{URL: at.String(), Secret: e.WebhookSecret}
}

// hookPaths are the paths at which the webhook is served: its own, and that of the address Telegram calls.
func (s settings) hookPaths() []string {
	paths := []string{hookPath}
	if at, err := url.Parse(s.webhook.URL); err == nil && at.Path != hookPath {
		paths = append(paths, at.Path)
	}
	return paths
}

// telegramURL is Telegram's own Bot API server.
const telegramURL = "https://api.telegram.org"

func isURL(text string, schemes ...string) bool {
	parsed, err := url.Parse(text)
	if err != nil || parsed.Host == "" {
		return false
	}
	for _, scheme := range schemes {
		if parsed.Scheme == scheme {
			return true
		}
	}
	return false
}

func (c *checker) stores(e environment, s *settings) {
	c.need(isURL(e.RedisURL, "redis", "rediss", "redis+sentinel", "redis+cluster"), "REDIS_URL", "", "must be redis://host:port/db or one of its forms, see usher help config")
	c.need(e.RedisRisk == "" || e.RedisRisk == "everysec" || e.RedisRisk == "none", "REDIS_RISK", e.RedisRisk, "must be empty, everysec or none")
	if e.KeysFile == "" {
		c.bad("KEYS_FILE", "", "must name the key ring; make one with: usher keys new <file>")
	} else if _, err := os.Stat(e.KeysFile); err != nil {
		c.bad("KEYS_FILE", e.KeysFile, "is not there; make a key ring with: usher keys new "+e.KeysFile)
	}
	s.keysFile = e.KeysFile
}

func (c *checker) node(e environment, s *settings) {
	c.need(isURL(e.NodeURL, "http", "https"), "NODE_URL", e.NodeURL, "must be http://host:port of the Cirrus node's API")
	c.need(isURL(e.TicketboothURL, "http", "https"), "TICKETBOOTH_URL", e.TicketboothURL, "must be https://host:port of the Ticketbooth API")
	if e.TicketboothCert != "" {
		pem, err := readSmallFile(e.TicketboothCert)
		c.need(err == nil, "TICKETBOOTH_CERT", e.TicketboothCert, "must be a readable PEM file")
		s.boothCert = []byte(pem)
	}
	for _, text := range split(e.Wallets) {
		a, ok := account(text)
		c.need(ok, "WALLETS", text, "must be wallet/account, separated by commas, as usher/account 0")
		s.accounts = append(s.accounts, a)
	}
	c.need(len(s.accounts) > 0, "WALLETS", "", "must name at least one wallet/account of the node")
	if e.FloatWallet != "" {
		a, ok := account(e.FloatWallet)
		c.need(ok, "FLOAT_WALLET", e.FloatWallet, "must be wallet/account")
		c.need(!slices.Contains(s.accounts, a), "FLOAT_WALLET", e.FloatWallet, "must not be one of WALLETS: its money is yours, not a customer's")
		s.float = &a
	}
	c.passwordFile(e.WalletPasswordFile, s)
	c.reserve(e, s)
	c.need(e.ResoldSeats == "refuse" || e.ResoldSeats == "sell", "RESOLD_SEATS", e.ResoldSeats, "must be refuse or sell")
}

// reserve reads how seats are bought. A wrong form of secrets would sell tickets that open no door, so there is no
// usual one, and it is not guessed from what others bought.
func (c *checker) reserve(e environment, s *settings) {
	form := chain.Secrets(e.Generation)
	known := form == chain.Ciphered || form == chain.Hashed
	switch e.Reserve {
	case "ticketbooth":
		c.need(known || e.Generation == "", "GENERATION", e.Generation, "must be ciphered or hashed, or empty")
	case "direct":
		c.need(known, "GENERATION", e.Generation, "must be ciphered or hashed with USHER_RESERVE=direct, as the scanners at the doors read it")
		s.direct = form
	default:
		c.bad("RESERVE", e.Reserve, "must be ticketbooth or direct")
	}
}

func (c *checker) passwordFile(path string, s *settings) {
	s.passwords = map[string]string{}
	text, err := readSmallFile(path)
	if err != nil {
		c.bad("WALLET_PASSWORD_FILE", path, "must be a readable file with a line wallet:password for each wallet")
		return
	}
	for _, line := range strings.Split(text, "\n") {
		if wallet, password, ok := strings.Cut(strings.TrimRight(line, "\r"), ":"); ok {
			s.passwords[strings.TrimSpace(wallet)] = password
		}
	}
	needed := slices.Clone(s.accounts)
	if s.float != nil {
		needed = append(needed, *s.float)
	}
	for _, a := range needed {
		_, ok := s.passwords[a.Wallet]
		c.need(ok, "WALLET_PASSWORD_FILE", path, "has no line for wallet "+strconv.Quote(a.Wallet))
	}
}

func (c *checker) people(e environment, s *settings) {
	for _, text := range split(e.Venues) {
		_, main := cirrus.MainNet.ParseAddress(text)
		_, test := cirrus.TestNet.ParseAddress(text)
		c.need(main == nil || test == nil, "VENUES", text, "must be addresses of Ticketbooth contracts, separated by commas")
		s.venues = append(s.venues, cirrus.Address(text))
	}
	for _, text := range split(e.Admins) {
		id, err := strconv.ParseInt(text, 10, 64)
		c.need(err == nil && id > 0, "ADMINS", text, "must be Telegram ids, separated by commas")
		s.admins = append(s.admins, id)
	}
}

func (c *checker) amounts(e environment, s *settings) {
	s.gas.Price = c.number("GAS_PRICE", e.GasPrice, 100, 10_000)
	s.gas.Limit = c.number("GAS_LIMIT", e.GasLimit, 10_000, 250_000)
	s.confirmations = c.number("CONFIRMATIONS", e.Confirmations, 1, 240)
	s.finality = c.number("FINALITY", e.Finality, 1, 100_000)
	c.handing(e, s)
	c.fee(e, s)
	var err error
	s.atStake, err = cirrus.ParseCRS(e.MaxAtStake)
	c.need(err == nil, "MAX_AT_STAKE", e.MaxAtStake, "must be an amount of CRS, 0 for no limit")
}

func (c *checker) number(name, text string, least, most uint64) uint64 {
	n, err := strconv.ParseUint(text, 10, 64)
	c.need(err == nil && n >= least && n <= most, name, text, fmt.Sprintf("must be a whole number from %d to %d", least, most))
	return n
}

func (c *checker) rest(e environment, s *settings) {
	for _, d := range []struct {
		name, text string
		into       *time.Duration
	}{{"HOLD", e.Hold, &s.hold}, {"CHOICE", e.Choice, &s.choice}, {"UNDO", e.Undo, &s.undo}, {"KEEP", e.Keep, &s.keep}} {
		var ok bool
		*d.into, ok = span(d.text)
		c.need(ok, d.name, d.text, "must be a duration such as 15m, 10s or 336h")
	}
	c.need(s.level.UnmarshalText([]byte(e.LogLevel)) == nil, "LOG_LEVEL", e.LogLevel, "must be debug, info, warn or error")
	c.need(e.LogFormat == "text" || e.LogFormat == "json", "LOG_FORMAT", e.LogFormat, "must be text or json")
	c.need(strings.Contains(e.Listen, ":"), "LISTEN", e.Listen, "must be host:port; the port may be 0")
}

// split reads a list separated by commas.
func split(text string) []string {
	var list []string
	for _, part := range strings.Split(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}
