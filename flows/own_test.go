package flows_test

import "testing"

// confirming brings Ann to the last screen before payment, with an address for this order alone.
func confirming(t *testing.T) *world {
	w := newWorld(t)
	for _, line := range []string{
		"chat opens", "write /wallet", "write CUtNvY1Jxpn4V4RD1tgphsUKpQdo4q5i54", "write /shows", "tap Night Trains",
		"tap Choose a seat", "tap 3D", "tap Continue with 3D", "tap Another refund address", "write ANOTHER",
	} {
		w.happens(line)
	}
	return w
}

func TestOrderKeepsTheAddressThatWasGivenForItAlone(t *testing.T) {
	w := confirming(t)
	w.happens("tap Order and pay 180.5 CRS")
	if got := w.last(ann).Private.Refund; got != addressNr(61) {
		t.Errorf("money of the order goes back to %s", got.Short())
	}
	session, err := w.db.Peek(t.Context(), ann)
	w.must(err)
	if session.Own != "" || session.Refund != "CUtNvY1Jxpn4V4RD1tgphsUKpQdo4q5i54" {
		t.Error("it is remembered for later orders")
	}
}

func TestAddressForOneOrderIsForgottenWithTheDraft(t *testing.T) {
	for name, line := range map[string]string{"cancelled": "write /cancel", "forgotten": "write /forget"} {
		t.Run(name, func(t *testing.T) {
			w := confirming(t)
			if w.happens(line); line == "write /forget" {
				w.happens("tap Delete it")
			}
			session, err := w.db.Peek(t.Context(), ann)
			w.must(err)
			if session.Own != "" {
				t.Error("it is still there")
			}
		})
	}
}
