// Package words holds everything that Usher says, by message id and language, in one file a language. A message is a
// go-i18n message with a tiny markup on top; what is filled in is escaped before the markup is read, so that the name
// of a show can look like markup without becoming it.
package words
