package flows

// MostPictures is how many pictures are kept.
const MostPictures = mostPictures

// Pictures are those that are kept, for tests.
type Pictures struct{ pictures }

// Get gives a picture.
func (p *Pictures) Get(name string, draw func() ([]byte, error)) ([]byte, error) {
	return p.get(name, draw)
}
