package replay

import (
	"fmt"
	"strings"

	"github.com/usherbot/usher/chain/sandbox/contract"
	"github.com/usherbot/usher/chain/sandbox/door"
)

// compareTicket scans one recorded QR.
func compareTicket(line object, found *differences) error {
	qr, err := line.text("qr")
	if err != nil {
		return err
	}
	generation, err := line.text("generation")
	if err != nil {
		return err
	}
	if generation != string(door.Hashed) && generation != string(door.Ciphered) {
		return wrong("generation", "hashed or ciphered")
	}
	parse, err := line.object("parse")
	if err != nil {
		return err
	}
	parsed := door.Parse(door.Generation(generation), qr)
	found.compare("parse.accepted", member(parse, "accepted"), parsed.Accepted)
	switch line["kind"] {
	case "qr":
		return nil
	case "check":
		return compareCheck(line, door.Generation(generation), parsed, found)
	case "scan":
		return compareScan(line, door.Generation(generation), qr, found)
	}
	return wrong("kind", "check, qr or scan")
}

func compareCheck(line object, generation door.Generation, parsed door.Parsed, found *differences) error {
	recorded, err := line.object("onChain")
	if err != nil {
		return err
	}
	onChain, err := readTicket(recorded)
	if err != nil {
		return fmt.Errorf("onChain: %w", err)
	}
	want, err := line.object("result")
	if err != nil {
		return err
	}
	got := door.Result{Verdict: door.Refused}
	if parsed.Accepted {
		got = door.Check(generation, parsed.Tickets[0], onChain)
	}
	compareVerdict("result", want, got.Verdict, got.Name, found)
	return nil
}

func compareScan(line object, generation door.Generation, qr string, found *differences) error {
	logs, err := readLogs(line)
	if err != nil {
		return err
	}
	show, err := lastShow(line)
	if err != nil {
		return err
	}
	results, err := line.objects("results")
	if err != nil {
		return err
	}
	outcome := door.Scan(generation, logs, show, qr)
	if !outcome.Accepted {
		for i, want := range results { // a refused QR may have been recorded with a result or with none
			compareVerdict(fmt.Sprintf("results[%d]", i), want, door.Refused, "", found)
		}
		return nil
	}
	if len(results) != len(outcome.Tickets) {
		found.note("results", fmt.Sprint(len(results)), fmt.Sprint(len(outcome.Tickets)))
		return nil
	}
	for i, want := range results {
		got := outcome.Tickets[i]
		compareVerdict(fmt.Sprintf("results[%d]", i), want, got.Verdict, got.Name, found)
	}
	return nil
}

func readLogs(line object) ([]door.LoggedTicket, error) {
	recorded, err := line.objects("ticketLogs")
	if err != nil {
		return nil, err
	}
	logs := make([]door.LoggedTicket, len(recorded))
	for i, log := range recorded {
		if logs[i].Height, err = log.ulong("height"); err != nil {
			return nil, fmt.Errorf("ticketLogs: %w", err)
		}
		ticket, err := log.object("ticket")
		if err != nil {
			return nil, fmt.Errorf("ticketLogs: %w", err)
		}
		if logs[i].Ticket, err = readTicket(ticket); err != nil {
			return nil, fmt.Errorf("ticketLogs: %w", err)
		}
	}
	return logs, nil
}

// lastShow gives the height of the last Show log, 0 for none.
func lastShow(line object) (uint64, error) {
	heights, ok := line["showHeights"].([]any)
	if !ok {
		return 0, wrong("showHeights", "an array")
	}
	if len(heights) == 0 {
		return 0, nil
	}
	return object{"showHeights": heights[len(heights)-1]}.ulong("showHeights")
}

func readTicket(recorded object) (contract.Ticket, error) {
	var ticket contract.Ticket
	seat, err := recorded.object("seat")
	if err != nil {
		return ticket, err
	}
	if ticket.Seat, err = seat.seat(); err != nil {
		return ticket, err
	}
	if ticket.Price, err = recorded.ulong("price"); err != nil {
		return ticket, err
	}
	if ticket.Owner, err = recorded.hash("address"); err != nil {
		return ticket, err
	}
	if ticket.Secret, err = recorded.bytes("secret"); err != nil {
		return ticket, err
	}
	ticket.Identifier, err = recorded.bytes("customerIdentifier")
	return ticket, err
}

// compareVerdict compares the verdict and the name. A ticket without a yes or a no has no name.
func compareVerdict(field string, want object, verdict door.Verdict, name string, found *differences) {
	found.compare(field+".verdict", member(want, "verdict"), string(verdict))
	var got any
	if verdict == door.Valid || verdict == door.Denied {
		got = name
	}
	recorded := member(want, "name")
	if text, ok := recorded.(string); ok && got != nil && collapse(text) == collapse(name) {
		return
	}
	found.compare(field+".name", recorded, got)
}

// collapse makes one of every run of U+FFFD: how many of them stand for broken bytes depends on the runtime.
func collapse(name string) string {
	const broken = "\uFFFD"
	for strings.Contains(name, broken+broken) {
		name = strings.ReplaceAll(name, broken+broken, broken)
	}
	return name
}
