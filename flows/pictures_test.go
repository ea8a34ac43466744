package flows_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/usherbot/usher/flows"
)

func TestOneHallIsDrawnOnceForAll(t *testing.T) {
	w := newWorld(t)
	drawn := 0
	w.artist.hall = func(flows.HallPlan) { drawn++ }
	for _, who := range []string{"", "bob "} {
		for _, line := range []string{"write /shows", "tap Night Trains", "tap Choose a seat"} {
			w.happens(who + line)
		}
	}
	w.happens("taken 3D")
	w.happens("wait 3s")
	w.happens("live")
	if what, _ := w.sees(); !strings.Contains(what, "to Bob") || drawn != 2 {
		t.Errorf("drawn %d times: %s", drawn, what)
	}
}

func TestPicturesAreBoundedAndDrawnOnceAtATime(t *testing.T) {
	var p flows.Pictures
	var drawn atomic.Int64
	draw := func() ([]byte, error) { drawn.Add(1); return []byte("png"), nil }
	done := make(chan error)
	for range 8 {
		go func() { _, err := p.Get("same", draw); done <- err }()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if drawn.Load() != 1 {
		t.Errorf("drawn %d times", drawn.Load())
	}
	for i := range flows.MostPictures {
		if _, err := p.Get(fmt.Sprint(i), draw); err != nil {
			t.Error(err)
		}
	}
	if _, err := p.Get("same", draw); err != nil || drawn.Load() != flows.MostPictures+2 {
		t.Errorf("drawn %d times, %v", drawn.Load(), err)
	}
}

func TestPictureThatCouldNotBeDrawnIsTriedAgain(t *testing.T) {
	var p flows.Pictures
	broken := errors.New("no colours")
	if _, err := p.Get("hall", func() ([]byte, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if png, err := p.Get("hall", func() ([]byte, error) { return []byte("png"), nil }); err != nil || png == nil {
		t.Errorf("got %v", err)
	}
}
