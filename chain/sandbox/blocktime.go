package sandbox

import "time"

// BlockTime is when the block at a height was made; zero where there is none.
func (s *Sandbox) BlockTime(height uint64) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	block, ok := s.chain.BlockAt(height)
	if !ok {
		return time.Time{}
	}
	return block.Time
}
