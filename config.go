package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/kelseyhightower/envconfig"

	"github.com/usherbot/usher/chain/cirrus"
)

// prefix of every setting in the environment.
const prefix = "USHER"

// environment is what the operator wrote, as text: envconfig stops at the first value that it can't read, and we want
// to name all mistakes at once. A field marked secret may also come from the file named by the variable with _FILE.
type environment struct {
	TelegramToken string `split_words:"true" secret:"true" desc:"the bot's token, from @BotFather"`
	TelegramURL   string `split_words:"true" default:"https://api.telegram.org" desc:"another Bot API server"`
	TelegramMode  string `split_words:"true" default:"polling" desc:"how updates come: polling or webhook"`
	WebhookURL    string `split_words:"true" desc:"with webhook: address that Telegram calls, https://host/webhook, and that leads to USHER_LISTEN"`
	WebhookSecret string `split_words:"true" secret:"true" desc:"with webhook: 1 to 256 of A-Za-z0-9_-, sent back by Telegram with each call"`

	RedisURL  string `split_words:"true" secret:"true" default:"redis://127.0.0.1:6379/0" desc:"redis:// rediss:// redis+sentinel://host,host/master/db redis+cluster://host,host"`
	RedisRisk string `split_words:"true" desc:"accept a Redis that may lose data and sell all the same: everysec or none"`

	NodeURL            string `split_words:"true" default:"http://127.0.0.1:37223" desc:"the Cirrus node's API"`
	TicketboothURL     string `split_words:"true" default:"https://127.0.0.1:39200" desc:"the Ticketbooth API"`
	TicketboothCert    string `split_words:"true" desc:"PEM file of exactly the certificate that Ticketbooth shows"`
	Wallets            string `desc:"wallets that addresses are spread over: wallet/account,… (account 0 of several wallets)"`
	WalletPasswordFile string `split_words:"true" desc:"file with a line wallet:password for each wallet"`
	FloatWallet        string `split_words:"true" desc:"wallet/account of yours, none of WALLETS, that pays what a lost answer costs; empty: a person sees to that"`
	GasPrice           string `split_words:"true" default:"100" desc:"strats for one gas, 100 to 10000"`
	GasLimit           string `split_words:"true" default:"250000" desc:"gas of one call: 250000, on nodes of 2020 100000"`
	Reserve            string `default:"ticketbooth" desc:"how seats are bought: ticketbooth, or direct, by the node's own contract call and with secrets derived from the key ring"`
	Generation         string `desc:"with direct: which secrets the scanners at the doors read, ciphered or hashed"`
	ResoldSeats        string `split_words:"true" default:"refuse" desc:"seats that were sold before in the same sale, which the known door scanner can't read: refuse or sell"`

	Venues  string `desc:"contracts to sell from: address,address"`
	Admins  string `desc:"Telegram ids of the operators: id,id"`
	Support string `desc:"whom customers ask: @name, or a link"`

	KeysFile string `split_words:"true" desc:"the key ring, made by usher keys new"`

	CourierAPIID     string `envconfig:"COURIER_API_ID" desc:"of the courier account, from my.telegram.org"`
	CourierAPIHash   string `envconfig:"COURIER_API_HASH" secret:"true" desc:"of the courier account, from my.telegram.org"`
	CourierPhone     string `split_words:"true" secret:"true" desc:"the courier's phone number, +…; not needed with usher courier login"`
	CourierCode      string `split_words:"true" secret:"later" desc:"login code, where no person types it; the file is waited for, since Telegram sends the code only once it was asked for"`
	CourierPassword  string `split_words:"true" secret:"true" desc:"the courier's two-step password"`
	CourierServer    string `split_words:"true" desc:"another MTProto server: <dc>@<host:port>"`
	CourierServerKey string `split_words:"true" desc:"PEM file of that server's RSA public key"`
	CourierDaily     string `split_words:"true" default:"20" desc:"secret chats that the courier starts a day at the most"`
	CourierTimer     string `split_words:"true" default:"0s" desc:"after what time a ticket vanishes from the secret chat once it was looked at; 0s for never"`

	Confirmations string `default:"1" desc:"blocks after which a payment counts"`
	Finality      string `default:"240" desc:"blocks after which the chain does not go back"`
	Hold          string `default:"15m" desc:"how long an unpaid seat is held"`
	Choice        string `default:"30m" desc:"how long the customer may choose after a seat was lost"`
	Undo          string `default:"10s" desc:"how long a refund can be undone"`
	Keep          string `default:"336h" desc:"how long after a show its data is kept"`
	ServiceFee    string `split_words:"true" default:"0" desc:"CRS a seat, taken with a ticket that the customer keeps: 0, or 0.0001 and more"`
	FeeAddress    string `split_words:"true" desc:"your address that the service fee goes to; needed where there is one"`
	MaxAtStake    string `split_words:"true" default:"0" desc:"CRS that all open orders may hold; 0: no limit"`

	Listen    string `default:"127.0.0.1:8081" desc:"address of /live, /ready, /metrics and the webhook; may end in :0"`
	LogLevel  string `split_words:"true" default:"info" desc:"debug, info, warn or error"`
	LogFormat string `split_words:"true" default:"text" desc:"text or json"`
}

// readEnvironment reads the variables, those of files included. All mistakes are named at once.
func readEnvironment() (environment, error) {
	var env environment
	if err := envconfig.Process(prefix, &env); err != nil {
		return env, fmt.Errorf("reading the environment: %w", err)
	}
	return env, env.readSecretFiles()
}

// readSecretFiles fills secrets from the files that X_FILE names.
func (e *environment) readSecretFiles() error {
	var wrong []error
	value := reflect.ValueOf(e).Elem()
	for i := range value.NumField() {
		field := value.Type().Field(i)
		if field.Tag.Get("secret") == "" {
			continue
		}
		name := variable(field) + "_FILE"
		path := os.Getenv(name)
		if path == "" {
			continue
		}
		if _, both := os.LookupEnv(variable(field)); both {
			wrong = append(wrong, fmt.Errorf("%s and %s are both set: unset one", variable(field), name))
			continue
		}
		if field.Tag.Get("secret") == "later" {
			continue // whoever needs it reads the file
		}
		text, err := readSmallFile(path)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s: cannot read %q: it must be a readable file with the value in it", name, path))
			continue
		}
		value.Field(i).SetString(strings.TrimSpace(text))
	}
	return errors.Join(wrong...)
}

// maxFile bounds what is read of a file that the operator names, in bytes.
const maxFile = 1 << 20

func readSmallFile(path string) (string, error) {
	file, err := os.Open(path) // #nosec G304 -- the operator names the file
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, maxFile))
	return string(text), err
}

// variable is the name of a field's variable.
func variable(field reflect.StructField) string {
	if name := field.Tag.Get("envconfig"); name != "" {
		return prefix + "_" + name
	}
	var name strings.Builder
	for i, letter := range field.Name {
		upper := letter >= 'A' && letter <= 'Z'
		if i > 0 && upper && !isUpper(field.Name[i-1]) {
			name.WriteByte('_')
		}
		name.WriteRune(letter)
	}
	return prefix + "_" + strings.ToUpper(name.String())
}

func isUpper(letter byte) bool { return letter >= 'A' && letter <= 'Z' }

// set sets the field of a variable; ok is false where there is none.
func (e *environment) set(name, value string) (ok bool) {
	fields := reflect.ValueOf(e).Elem()
	for i := range fields.NumField() {
		if variable(fields.Type().Field(i)) == name {
			fields.Field(i).SetString(value)
			return true
		}
	}
	return false
}

// printConfig writes the settings, one a line, for `usher help config`.
func printConfig(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fields := reflect.TypeFor[environment]()
	for i := range fields.NumField() {
		field := fields.Field(i)
		name, usual := variable(field), field.Tag.Get("default")
		if field.Tag.Get("secret") != "" {
			name += " (or _FILE)"
		}
		if usual != "" {
			usual = "default " + usual
		}
		if _, err := fmt.Fprintf(table, "%s\t%s\t%s\n", name, field.Tag.Get("desc"), usual); err != nil {
			return err
		}
	}
	return table.Flush()
}

// account reads wallet/account.
func account(text string) (cirrus.Account, bool) {
	wallet, name, ok := strings.Cut(strings.TrimSpace(text), "/")
	return cirrus.Account{Wallet: wallet, Name: name}, ok && wallet != "" && name != ""
}

// span is a Go duration above zero.
func span(text string) (time.Duration, bool) {
	d, err := time.ParseDuration(text)
	return d, err == nil && d > 0
}
