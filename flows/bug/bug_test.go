package bug_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/usherbot/usher/flows/bug"
)

// TestNoBuildButTheOneWithTheTagMakesMistakesOnPurpose: neither does it when asked, nor does it know how to be asked. The
// program that runs this test is such a build.
func TestNoBuildButTheOneWithTheTagMakesMistakesOnPurpose(t *testing.T) {
	name := strings.Join([]string{"USHER", "BUG"}, "_") // in one piece it would be in this program
	for _, mistake := range []string{bug.SaveAfterCall, bug.DropUpdate, bug.AckEarly, bug.PayTwice, bug.ForgetLate} {
		t.Setenv(name, mistake)
		if bug.Is(mistake) {
			t.Errorf("%s is made", mistake)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(self) // #nosec G304 -- this very program
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(program, []byte(name)) {
		t.Errorf("this program knows %s", name)
	}
}
