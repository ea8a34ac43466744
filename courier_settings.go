package main

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// courierSettings is how the courier logs in; id 0 means that there is none.
type courierSettings struct {
	id                          int
	hash, phone, code, password string
	codeFile                    string // where the code will be, once Telegram has sent it
	server                      string
	serverKey                   []byte
	timer                       time.Duration // after which a ticket that was looked at vanishes; 0: never
	daily                       int           // chats that each account starts in 24 hours
}

func (c *checker) courier(e environment, s *settings) {
	if e.CourierAPIID == "" && e.CourierPhone == "" {
		return // nobody hands over tickets: Usher shows shows and sells nothing
	}
	id, err := strconv.Atoi(e.CourierAPIID)
	c.need(err == nil && id > 0, "COURIER_API_ID", e.CourierAPIID, "must be the number from my.telegram.org")
	c.need(e.CourierAPIHash != "", "COURIER_API_HASH", "", "must be the hash from my.telegram.org")
	// Without a number, accounts are those of usher courier login.
	c.need(e.CourierPhone == "" || strings.HasPrefix(e.CourierPhone, "+"), "COURIER_PHONE", "", "must be the courier's number with + and country code")
	s.courier = courierSettings{
		id: id, hash: e.CourierAPIHash, phone: e.CourierPhone, code: e.CourierCode, password: e.CourierPassword,
		server: e.CourierServer, codeFile: os.Getenv(prefix + "_COURIER_CODE_FILE"),
	}
	if e.CourierServerKey != "" {
		pem, err := readSmallFile(e.CourierServerKey)
		c.need(err == nil, "COURIER_SERVER_KEY", e.CourierServerKey, "must be a readable PEM file")
		s.courier.serverKey = []byte(pem)
	}
	c.need(e.CourierServer == "" || serverForm.MatchString(e.CourierServer), "COURIER_SERVER", e.CourierServer, "must be <dc>@<host:port>")
}

var serverForm = regexp.MustCompile(`^[0-9]+@.+:[0-9]+$`)

// longestTimer is the longest that Telegram's own applications offer.
const longestTimer = 7 * 24 * time.Hour

// handing reads how chats are made and what becomes of tickets in them.
func (c *checker) handing(e environment, s *settings) {
	s.courier.daily = int(c.number("COURIER_DAILY", e.CourierDaily, 0, 1000))
	timer, err := time.ParseDuration(e.CourierTimer)
	c.need(err == nil && timer >= 0 && timer%time.Second == 0 && timer <= longestTimer, "COURIER_TIMER", e.CourierTimer, "must be a duration in whole seconds such as 1m, at most a week, or 0s")
	s.courier.timer = timer
}
