package contract

import "errors"

// Bounds of what one decoding may do. A list may claim bytes that its parent does not have, so that the same bytes
// are read again and again; nothing that fits into a transaction comes near these.
const (
	maxRLPItems = 1 << 17
	maxRLPDepth = 1 << 10
)

// errRLP says that bytes are not RLP as the node's library reads it. Which of its exceptions it was does not matter
// to anybody.
var errRLP = errors.New("invalid RLP")

// rlpItem is a decoded string or list. data of a string is its content; data of a list is its whole encoding, header
// included, because that is what the node's library hands to a field that wants bytes.
type rlpItem struct {
	list  bool
	data  []byte
	items []rlpItem
}

func rlpString(data []byte) []byte {
	switch {
	case len(data) == 0:
		return []byte{0x80}
	case len(data) == 1 && data[0] < 0x80:
		return []byte{data[0]}
	}
	return append(rlpHeader(0x80, len(data)), data...)
}

func rlpList(encoded ...[]byte) []byte {
	total := 0
	for _, item := range encoded {
		total += len(item)
	}
	out := rlpHeader(0xC0, total)
	for _, item := range encoded {
		out = append(out, item...)
	}
	return out
}

func rlpHeader(base byte, length int) []byte {
	if length < 56 {
		return []byte{base + byte(length)}
	}
	var size []byte
	for rest := length; rest > 0; rest >>= 8 {
		size = append([]byte{byte(rest)}, size...)
	}
	return append([]byte{base + 55 + byte(len(size))}, size...)
}

// rlpDecodeList reads the first item of data, which must be a list. Whatever follows it is decoded too and thrown
// away: bytes after the list are harmless as long as they are RLP.
func rlpDecodeList(data []byte) ([]rlpItem, error) {
	decoder := rlpDecoder{data: data}
	items, err := decoder.items(0, len(data), 0)
	if err != nil {
		return nil, err
	}
	if len(items) == 0 || !items[0].list {
		return nil, errRLP
	}
	return items[0].items, nil
}

type rlpDecoder struct {
	data  []byte
	count int
}

// items reads from start until end is reached or passed: an item may reach beyond the list that holds it, though not
// beyond the data.
func (d *rlpDecoder) items(start, end, depth int) ([]rlpItem, error) {
	if depth > maxRLPDepth {
		return nil, errRLP
	}
	var items []rlpItem
	for at := start; at < end; {
		if d.count++; d.count > maxRLPItems {
			return nil, errRLP
		}
		item, next, err := d.item(at, depth)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
		at = next
	}
	return items, nil
}

func (d *rlpDecoder) item(at, depth int) (rlpItem, int, error) {
	first := d.data[at]
	if first < 0x80 {
		return rlpItem{data: d.data[at : at+1]}, at + 1, nil
	}
	base := byte(0x80)
	if first >= 0xC0 {
		base = 0xC0
	}
	body, length := at+1, int(first-base)
	if length > 55 {
		size := length - 55
		if body += size; body > len(d.data) {
			return rlpItem{}, 0, errRLP
		}
		length = rlpLength(d.data[at+1 : body])
	}
	if length < 0 || length > len(d.data)-body {
		return rlpItem{}, 0, errRLP
	}
	end := body + length
	if base == 0x80 {
		return rlpItem{data: d.data[body:end]}, end, nil
	}
	inner, err := d.items(body, end, depth+1)
	if err != nil {
		return rlpItem{}, 0, err
	}
	return rlpItem{list: true, data: d.data[at:end], items: inner}, end, nil
}

// rlpLength adds the bytes up as the node's library does: in 32 bits, with shifts that wrap.
func rlpLength(size []byte) int {
	var length int32
	for i, b := range size {
		shift := 8 * (len(size) - 1 - i) & 31
		length += int32(b) << shift
	}
	return int(length)
}
