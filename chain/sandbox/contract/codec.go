package contract

import "github.com/usherbot/usher/chain/cirrus"

// EncodeSeat gives a seat as the contract's parameters and storage have it.
func EncodeSeat(seat cirrus.Seat) []byte { return nil }

// EncodeSeats gives an array of seats.
func EncodeSeats(seats []cirrus.Seat) []byte { return nil }

// EncodeTickets gives an array of tickets.
func EncodeTickets(tickets []Ticket) []byte { return nil }

// DecodeSeat reads a seat. What cannot be read is the default seat, as the node has it.
func DecodeSeat(data []byte) cirrus.Seat { return cirrus.Seat{} }

// DecodeSeats reads an array of seats.
func DecodeSeats(data []byte) []cirrus.Seat { return nil }

// DecodeTickets reads an array of tickets.
func DecodeTickets(data []byte) []Ticket { return nil }

// ParamBytes gives a byte[] as a parameter of the node API.
func ParamBytes(value []byte) string { return "" }

// ParamString gives a string as a parameter of the node API.
func ParamString(value string) string { return "" }

// ParamUlong gives a ulong as a parameter of the node API.
func ParamUlong(value uint64) string { return "" }

// ParamBool gives a bool as a parameter of the node API.
func ParamBool(value bool) string { return "" }
