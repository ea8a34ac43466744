// Package flows holds the conversations: browsing, buying, tickets, refunds, settings. It knows neither Telegram nor
// Redis: an Event comes in, a Reply goes out, and what it needs it asks for through small interfaces that it owns.
package flows
