package phone

// Rekeyed tells how often the chat's key was changed.
func (p *Simulated) Rekeyed(id string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	c, err := p.find(id)
	if err != nil {
		return 0
	}
	return c.rekeyed
}
