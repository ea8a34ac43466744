package flows

import (
	"fmt"
	"slices"
	"sync"
)

// mostPictures bounds the pictures of halls that are kept; one has about 150 kB.
const mostPictures = 32

// pictures keeps those drawn last: many customers look at the same hall, and drawing it takes longer than anything else.
type pictures struct {
	mu    sync.Mutex
	drawn map[string]*drawing
	names []string // the oldest first
}

// drawing is a picture that is drawn once, however many ask for it.
type drawing struct {
	once sync.Once
	png  []byte
	err  error
}

// get gives the picture of this name, drawing it where it is not there. One that could not be drawn is not kept.
func (p *pictures) get(name string, draw func() ([]byte, error)) ([]byte, error) {
	d := p.find(name)
	d.once.Do(func() { d.png, d.err = draw() })
	if d.err != nil {
		p.drop(name, d)
	}
	return d.png, d.err
}

func (p *pictures) find(name string) *drawing {
	p.mu.Lock()
	defer p.mu.Unlock()
	if d, ok := p.drawn[name]; ok {
		return d
	}
	if p.drawn == nil {
		p.drawn = map[string]*drawing{}
	}
	if len(p.names) == mostPictures {
		delete(p.drawn, p.names[0])
		p.names = slices.Delete(p.names, 0, 1)
	}
	d := &drawing{}
	p.drawn[name], p.names = d, append(p.names, name)
	return d
}

func (p *pictures) drop(name string, d *drawing) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.drawn[name] != d {
		return
	}
	delete(p.drawn, name)
	p.names = slices.DeleteFunc(p.names, func(n string) bool { return n == name })
}

// drawHall draws a hall into a screen.
func (f *Flows) drawHall(s *Screen, plan HallPlan) error {
	name := plan.name()
	png, err := f.halls.get(name, func() ([]byte, error) { return f.Artist.Hall(plan) })
	if err != nil {
		return fmt.Errorf("drawing a hall: %w", err)
	}
	s.Picture, s.PictureName = png, name
	return nil
}
