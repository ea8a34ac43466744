package contract

import (
	"encoding/binary"

	"github.com/usherbot/usher/chain/cirrus"
)

// EncodeSeat gives a seat as the contract's parameters and storage have it: an RLP list of the number (4 bytes, little
// endian) and the letter (one UTF-16 unit, 2 bytes, little endian).
func EncodeSeat(seat cirrus.Seat) []byte {
	number := binary.LittleEndian.AppendUint32(nil, uint32(seat.Number))
	letter := binary.LittleEndian.AppendUint16(nil, uint16(seat.Letter))
	return rlpList(rlpString(number), rlpString(letter))
}

// EncodeSeats gives an array of seats, the constructor's parameter: an RLP list of strings that hold a seat each.
func EncodeSeats(seats []cirrus.Seat) []byte {
	elements := make([][]byte, len(seats))
	for i, seat := range seats {
		elements[i] = rlpString(EncodeSeat(seat))
	}
	return rlpList(elements...)
}

// EncodeTicket gives a ticket as its log has it.
func EncodeTicket(ticket Ticket) []byte {
	return rlpList(
		rlpString(EncodeSeat(ticket.Seat)),
		rlpString(ulongBytes(ticket.Price)),
		rlpString(ticket.Owner[:]),
		rlpString(ticket.Secret),
		rlpString(ticket.Identifier),
	)
}

// EncodeTickets gives an array of tickets, as stored under "Tickets" and as BeginSale takes it.
func EncodeTickets(tickets []Ticket) []byte {
	elements := make([][]byte, len(tickets))
	for i, ticket := range tickets {
		elements[i] = rlpString(EncodeTicket(ticket))
	}
	return rlpList(elements...)
}

// DecodeSeat reads a seat. Bytes that are none give the default seat, as in the contract, never an error.
func DecodeSeat(data []byte) cirrus.Seat {
	seat, err := decodeSeat(data)
	if err != nil {
		return cirrus.Seat{}
	}
	return seat
}

// DecodeSeats reads an array of seats. Bytes that are none give no seats.
func DecodeSeats(data []byte) []cirrus.Seat { return decodeArray(data, decodeSeat) }

// DecodeTickets reads an array of tickets. Bytes that are none give no tickets.
func DecodeTickets(data []byte) []Ticket { return decodeArray(data, decodeTicket) }

func decodeArray[T any](data []byte, decode func([]byte) (T, error)) []T {
	items, err := rlpDecodeList(data)
	if err != nil {
		return nil
	}
	array := make([]T, len(items))
	for i, item := range items {
		if len(item.data) == 0 {
			continue // null in the node's hands, which an array of structs takes for the default
		}
		if array[i], err = decode(item.data); err != nil {
			return nil
		}
	}
	return array
}

func decodeSeat(data []byte) (cirrus.Seat, error) {
	fields, err := decodeFields(data, 2)
	if err != nil {
		return cirrus.Seat{}, err
	}
	number, err := fixedField(fields[0], 4)
	if err != nil {
		return cirrus.Seat{}, err
	}
	letter, err := fixedField(fields[1], 2)
	if err != nil {
		return cirrus.Seat{}, err
	}
	return cirrus.Seat{
		Number: int32(binary.LittleEndian.Uint32(number)),
		Letter: cirrus.Char(binary.LittleEndian.Uint16(letter)),
	}, nil
}

func decodeTicket(data []byte) (Ticket, error) {
	fields, err := decodeFields(data, 5)
	if err != nil {
		return Ticket{}, err
	}
	var ticket Ticket
	if len(fields[0]) > 0 {
		if ticket.Seat, err = decodeSeat(fields[0]); err != nil {
			return Ticket{}, err
		}
	}
	price, err := fixedField(fields[1], 8)
	if err != nil {
		return Ticket{}, err
	}
	ticket.Price = binary.LittleEndian.Uint64(price)
	switch len(fields[2]) {
	case 0:
	case len(ticket.Owner):
		ticket.Owner = cirrus.Hash(fields[2])
	default:
		return Ticket{}, errRLP
	}
	ticket.Secret = bytesOrNil(fields[3])
	ticket.Identifier = bytesOrNil(fields[4])
	return ticket, nil
}

// decodeFields gives the bytes of the first count fields of a struct. More of them are ignored.
func decodeFields(data []byte, count int) ([][]byte, error) {
	items, err := rlpDecodeList(data)
	if err != nil {
		return nil, err
	}
	if len(items) < count {
		return nil, errRLP
	}
	fields := make([][]byte, count)
	for i := range fields {
		fields[i] = items[i].data
	}
	return fields, nil
}

// fixedField gives the first size bytes of a number. An empty one is zero, a longer one is cut, a shorter one is an
// error.
func fixedField(data []byte, size int) ([]byte, error) {
	switch {
	case len(data) == 0:
		return make([]byte, size), nil
	case len(data) < size:
		return nil, errRLP
	}
	return data[:size], nil
}

func ulongBytes(value uint64) []byte { return binary.LittleEndian.AppendUint64(nil, value) }

func boolBytes(value bool) []byte {
	if value {
		return []byte{1}
	}
	return []byte{0}
}

func bytesOrNil(data []byte) []byte {
	if len(data) == 0 {
		return nil
	}
	return append([]byte(nil), data...)
}
