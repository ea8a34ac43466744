package ticketgen

import (
	"bytes"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/usherbot/usher/flows"
)

// hallOf is a hall of so many rows, with every state and class somewhere.
func hallOf(rows, columns, classes int) flows.HallPlan {
	plan := flows.HallPlan{Yours: "chosen by you", Held: "held for somebody", Taken: "gone"}
	for class := range classes {
		plan.Classes = append(plan.Classes, fmt.Sprintf("%d CRS", 60*(class+1)))
	}
	states := []flows.HallState{flows.HallFree, flows.HallFree, flows.HallTaken, flows.HallFree, flows.HallHeld, flows.HallFree, flows.HallFree}
	n := 0
	for row := range rows {
		line := flows.HallRow{Name: fmt.Sprint(row + 1)}
		for column := range columns {
			state := states[n*5%len(states)]
			if row == rows/2 && (column == columns/2 || column == columns/2+1) {
				state = flows.HallYours
			}
			line.Seats = append(line.Seats, flows.HallSeat{
				Name: fmt.Sprintf("%d%c", row+1, 'A'+column), Column: column, State: state, Class: row * classes / rows,
			})
			n++
		}
		plan.Rows = append(plan.Rows, line)
	}
	return plan
}

// TestHallFitsAPhone: halls of any size make a picture that Telegram takes as a photo. With HALLS set the pictures are
// written there to be looked at.
func TestHallFitsAPhone(t *testing.T) {
	for _, hall := range []struct{ rows, columns, classes int }{
		{1, 5, 1}, {3, 10, 2}, {5, 13, 3}, {6, 6, 6}, {1, 1, 1}, {30, 14, 6}, {0, 0, 0},
	} {
		raw, err := Artist{}.Hall(hallOf(hall.rows, hall.columns, hall.classes))
		if err != nil {
			t.Fatal(err)
		}
		config, err := png.DecodeConfig(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		if config.Width+config.Height > 10_000 || config.Width > 20*config.Height || config.Height > 20*config.Width || len(raw) > 1<<20 {
			t.Errorf("%v: %d x %d, %d bytes", hall, config.Width, config.Height, len(raw))
		}
		if folder := os.Getenv("HALLS"); folder != "" {
			name := filepath.Join(folder, fmt.Sprintf("hall-%d.png", hall.rows*hall.columns))
			if err := os.WriteFile(name, raw, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}
