// Package replay runs recorded contract calls, digital tickets and byte vectors through the sandbox's contract and
// door and says where they differ from the recording. It reads from an io.Reader and keeps nothing.
package replay

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Summary counts the lines of one recording. Empty lines do not count.
type Summary struct {
	Agreed    int
	Disagreed int // at least one compared field differs, or the line cannot be read
}

// What Replay refuses.
var (
	// ErrGas says that the recording holds gas figures: they have no inputs to replay.
	ErrGas = errors.New("gas figures hold no inputs to replay")
	// ErrUnreadable says that some line is not a line of any recording that Replay knows.
	ErrUnreadable = errors.New("unreadable line")
	// ErrEmpty says that there was no line at all.
	ErrEmpty = errors.New("no lines to replay")
)

// maxLine bounds a line, in bytes. The longest recorded one has about 60 000.
const maxLine = 16 << 20

// Replay reads a recording line by line (traces, tickets and byte vectors are told apart by what they hold), compares
// each with what the sandbox does, and writes every difference and a count to w. name stands for the recording in what
// is written. Lines that cannot be read are written too, count as Disagreed and make the error ErrUnreadable. Other
// errors: ErrGas, ErrEmpty, and those of r and w.
func Replay(w io.Writer, name string, r io.Reader) (Summary, error) {
	run := &run{out: bufio.NewWriter(w), name: name}
	err := run.lines(bufio.NewReaderSize(r, 1<<16))
	if err == nil || errors.Is(err, ErrUnreadable) {
		total := run.summary.Agreed + run.summary.Disagreed
		fmt.Fprintf(run.out, "%s: %d of %d lines agree\n", name, run.summary.Agreed, total)
	}
	if flushed := run.out.Flush(); flushed != nil && err == nil {
		err = fmt.Errorf("writing the report on %s: %w", name, flushed)
	}
	return run.summary, err
}

type run struct {
	out     *bufio.Writer
	name    string
	summary Summary
}

func (r *run) lines(reader *bufio.Reader) error {
	unreadable := 0
	for number := 1; ; number++ {
		line, err := readLine(reader)
		switch {
		case errors.Is(err, io.EOF):
			return r.finish(unreadable)
		case errors.Is(err, ErrUnreadable):
		case err != nil:
			return fmt.Errorf("reading %s, line %d: %w", r.name, number, err)
		case len(bytes.TrimSpace(line)) == 0:
			continue
		default:
			err = r.line(number, line)
		}
		switch {
		case err == nil:
		case errors.Is(err, ErrUnreadable):
			unreadable++
			r.summary.Disagreed++
			fmt.Fprintf(r.out, "%s:%d: %v\n", r.name, number, err)
		default:
			return fmt.Errorf("%s, line %d: %w", r.name, number, err)
		}
	}
}

func (r *run) finish(unreadable int) error {
	switch {
	case unreadable > 0:
		return fmt.Errorf("%s: %d lines: %w", r.name, unreadable, ErrUnreadable)
	case r.summary == Summary{}:
		return fmt.Errorf("%s: %w", r.name, ErrEmpty)
	}
	return nil
}

// readLine gives the next line, without its end. A line beyond maxLine is skipped and reported as ErrUnreadable.
func readLine(reader *bufio.Reader) ([]byte, error) {
	var line []byte
	long := false
	for {
		part, err := reader.ReadSlice('\n')
		if long = long || len(line)+len(part) > maxLine; long {
			line = line[:0]
		} else {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil && !errors.Is(err, io.EOF):
			return nil, err
		case long:
			return nil, fmt.Errorf("%w: longer than %d bytes", ErrUnreadable, maxLine)
		case err != nil && len(line) == 0:
			return nil, io.EOF
		}
		return line, nil
	}
}

// line replays one line and writes what differs.
func (r *run) line(number int, text []byte) error {
	fields, err := decodeObject(text)
	if err != nil {
		return err
	}
	compare, err := kindOf(fields)
	if err != nil {
		return err
	}
	var found differences
	if err := compare(fields, &found); err != nil {
		return err
	}
	for _, difference := range found.list {
		fmt.Fprintf(r.out, "%s:%d: %s\n", r.name, number, difference)
	}
	if len(found.list) > 0 {
		r.summary.Disagreed++
	} else {
		r.summary.Agreed++
	}
	return nil
}

// kindOf tells by its members what a line records.
func kindOf(fields object) (func(object, *differences) error, error) {
	switch {
	case fields.has("create") && fields.has("steps"):
		return compareTrace, nil
	case fields.has("gasEstimate") || fields.has("soldBefore"):
		return nil, ErrGas
	case fields.has("qr") && fields.has("parse"):
		return compareTicket, nil
	case fields.has("kind"):
		return compareSerial, nil
	}
	return nil, fmt.Errorf("%w: neither a trace, nor a ticket, nor a byte vector", ErrUnreadable)
}

func decodeObject(text []byte) (object, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber() // a ulong does not fit into a float
	var fields object
	if err := decoder.Decode(&fields); err != nil {
		return nil, fmt.Errorf("%w: not a JSON object: %w", ErrUnreadable, err)
	}
	if fields == nil {
		return nil, fmt.Errorf("%w: not a JSON object", ErrUnreadable)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: text after the JSON object", ErrUnreadable)
	}
	return fields, nil
}
