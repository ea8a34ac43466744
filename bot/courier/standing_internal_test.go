package courier

import (
	"testing"
	"time"
)

// TestAChangeOfAnAccountIsToldOnceItIsSure: what is gone at once, a lost connection after minutes, its return once it has
// lasted, and nothing twice.
func TestAChangeOfAnAccountIsToldOnceItIsSure(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_000_000, 0)
	for name, row := range map[string]struct {
		health, told Health
		lasts        time.Duration
		due          bool
	}{
		"ready at first":             {HealthReady, "", time.Hour, false},
		"ready as before":            {HealthReady, HealthReady, time.Hour, false},
		"away for a moment":          {HealthAway, HealthReady, 2 * time.Minute, false},
		"away for minutes":           {HealthAway, HealthReady, awayTold, true},
		"still away":                 {HealthAway, HealthAway, time.Hour, false},
		"back, perhaps":              {HealthReady, HealthAway, time.Second, false},
		"back":                       {HealthReady, HealthAway, steady, true},
		"limited":                    {HealthLimited, HealthReady, 0, true},
		"limited, after a short gap": {HealthLimited, HealthLimited, 0, false},
		"not limited any more":       {HealthReady, HealthLimited, steady, true},
		"ended":                      {HealthEnded, HealthReady, 0, true},
		"banned, nobody knew of it":  {HealthBanned, "", 0, true},
		"banned, told before":        {HealthBanned, HealthBanned, time.Hour, false},
	} {
		s := standing{Health: row.health, Told: row.told, Since: now.Add(-row.lasts).Unix()}
		if s.due(now) != row.due {
			t.Errorf("%s: due %t", name, !row.due)
		}
	}
}

// TestSellingNeedsAnAccountThatIsThereOrWillBeInAMoment.
func TestSellingNeedsAnAccountThatIsThereOrWillBeInAMoment(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_000_000, 0)
	for _, row := range []struct {
		health Health
		lasts  time.Duration
		serves bool
	}{
		{HealthReady, time.Hour, true},
		{HealthLimited, time.Hour, true},
		{HealthAway, awayGrace - time.Second, true},
		{HealthAway, awayGrace, false},
		{HealthEnded, 0, false},
		{HealthBanned, 0, false},
		{"", 0, false},
	} {
		s := standing{Health: row.health, Since: now.Add(-row.lasts).Unix()}
		if s.serves(now) != row.serves {
			t.Errorf("%s for %s: serves %t", row.health, row.lasts, !row.serves)
		}
	}
}
