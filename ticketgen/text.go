package ticketgen

import (
	"fmt"
	"sort"
	"strings"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// maxText bounds a text before it is measured, in characters. More would never fit anyway.
const maxText = 300

const ellipsis = "…"

// typeface is one font, from which faces of any size are made.
type typeface struct {
	font *sfnt.Font
}

func parseTypeface(ttf []byte) (typeface, error) {
	parsed, err := opentype.Parse(ttf)
	if err != nil {
		return typeface{}, fmt.Errorf("reading a font: %w", err)
	}
	return typeface{parsed}, nil
}

func (t typeface) face(size float64) (font.Face, error) {
	face, err := opentype.NewFace(t.font, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		return nil, fmt.Errorf("making a face of %v pixels: %w", size, err)
	}
	return face, nil
}

// clean makes a stranger's text safe to draw: one line, no control or direction characters, no piles of accents, and
// an ellipsis for each run of characters that the font lacks.
func (t typeface) clean(text string) string {
	var kept []rune
	missing := false
	for _, char := range text {
		if len(kept) == maxText {
			break
		}
		switch {
		case unicode.IsSpace(char):
			char = ' '
		case unicode.Is(unicode.C, char), unicode.Is(unicode.M, char):
			continue
		case !t.has(char):
			if !missing {
				kept = append(kept, '…')
			}
			missing = true
			continue
		}
		missing = missing && char == ' '
		kept = append(kept, char)
	}
	words := strings.Fields(string(kept))
	return strings.ReplaceAll(strings.Join(words, " "), ellipsis+" "+ellipsis, ellipsis)
}

func (t typeface) has(char rune) bool {
	index, err := t.font.GlyphIndex(&sfnt.Buffer{}, char)
	return err == nil && index != 0
}

func fits(face font.Face, text string, width int) bool {
	return font.MeasureString(face, text) <= fixed.I(width)
}

// wrap breaks a text into at most count lines of at most width pixels. whole is false where it had to be cut.
func wrap(face font.Face, text string, width, count int) (lines []string, whole bool) {
	rest := []rune(text)
	for len(rest) > 0 {
		if len(lines) == count {
			lines[count-1] = cut(face, lines[count-1]+ellipsis, width)
			return lines, false
		}
		end := lineEnd(face, rest, width)
		lines = append(lines, strings.TrimSpace(string(rest[:end])))
		rest = []rune(strings.TrimSpace(string(rest[end:])))
	}
	return lines, true
}

// lineEnd gives how many characters of rest make the next line: whole words, or part of one that is too long.
func lineEnd(face font.Face, rest []rune, width int) int {
	end := sort.Search(len(rest), func(i int) bool { return !fits(face, string(rest[:i+1]), width) })
	if end == len(rest) {
		return end
	}
	for space := end; space > 0; space-- {
		if rest[space] == ' ' {
			return space
		}
	}
	return max(end, 1)
}

// cut shortens a text from its end until it fits, keeping the ellipsis that stands there.
func cut(face font.Face, text string, width int) string {
	chars := []rune(strings.TrimSuffix(text, ellipsis))
	end := sort.Search(len(chars), func(i int) bool { return !fits(face, string(chars[:i+1])+ellipsis, width) })
	return strings.TrimSpace(string(chars[:end])) + ellipsis
}
