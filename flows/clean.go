package flows

import (
	"strings"
	"unicode"
)

// Clean makes a stranger's text (the name of a show, of a venue, of a person) fit to stand among our words: one line
// of at most limit characters, cut with "…"; no control, direction or invisible characters; and nothing that a client
// would turn into a link, a mention, a command or a tag by itself.
func Clean(text string, limit int) string {
	return cut(unlink(fold(text)), limit)
}

// fold drops what cannot be seen, and makes every run of space one space.
func fold(text string) string {
	var out strings.Builder
	marks, gap := 0, false
	for _, r := range text {
		switch {
		case unicode.IsSpace(r) || unicode.In(r, unicode.Z):
			gap = out.Len() > 0
			continue
		case !unicode.IsPrint(r) || unicode.Is(unicode.Variation_Selector, r) || blank(r):
			continue
		case unicode.Is(unicode.M, r):
			// One or two marks belong to a letter; towers of them spoil the lines around.
			if marks++; marks > 2 {
				continue
			}
		default:
			marks = 0
		}
		if gap {
			out.WriteByte(' ')
			gap = false
		}
		out.WriteRune(r)
	}
	return out.String()
}

// blank tells of letters that look like nothing: the Hangul fillers and the empty Braille cell.
func blank(r rune) bool {
	return r == 0x115F || r == 0x1160 || r == 0x3164 || r == 0xFFA0 || r == 0x2800
}

// unlink puts a space where a client would see an address, a name, a command or a tag.
func unlink(text string) string {
	runes := []rune(text)
	var out strings.Builder
	for i, r := range runes {
		out.WriteRune(r)
		if i+1 == len(runes) {
			break
		}
		var before rune
		if i > 0 {
			before = runes[i-1]
		}
		if links(before, r, runes[i+1]) {
			out.WriteByte(' ')
		}
	}
	return out.String()
}

func links(before, r, after rune) bool {
	word := unicode.IsLetter(after) || unicode.IsDigit(after) || after == '_'
	switch r {
	case '@', '#', '$', '＠', '＃', '\\':
		return word
	case ':':
		return after == '/' || unicode.IsLetter(after)
	case '/':
		return word && !unicode.IsLetter(before) && !unicode.IsDigit(before) || after == '/'
	case '.', '。', '．', '｡', '․', '﹒':
		return unicode.IsLetter(after) || unicode.IsDigit(after) && !(unicode.IsDigit(before) && r == '.') ||
			word && !unicode.IsDigit(after)
	}
	return false
}

// cut shortens text to limit characters.
func cut(text string, limit int) string {
	runes := []rune(text)
	if len(runes) <= limit {
		return text
	}
	if limit < 1 {
		return ""
	}
	return strings.TrimRight(string(runes[:limit-1]), " ") + "…"
}
