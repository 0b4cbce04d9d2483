package viewer

import (
	"bytes"
	"context"
	"sort"
	"time"
	"unicode/utf8"

	"github.com/alecthomas/chroma/v2"
	"github.com/gdamore/tcell/v2"

	"fathom/ui/screen"
)

const (
	maxColoured = 512 << 10             // a file that is larger has no colours
	colourStep  = 30 * time.Millisecond // between two frames; one token can take longer: chroma gives each of its expressions 250 ms
	colourTime  = 2 * time.Second       // for a whole file; the rest of it has no colours
)

// syntax is what a part of a text is in its language.
type syntax uint8

const (
	plainText syntax = iota
	keyword
	quoted
	number
	comment
	named
	inserted
	deleted
)

// run is a part of a text, up to the next one.
type run struct {
	at int32
	is syntax
}

// style returns the style of a part.
func (s syntax) style(th *screen.Theme) tcell.Style {
	return [...]tcell.Style{th.Text, th.Keyword, th.Quoted, th.Number, th.Comment, th.Name, th.Added, th.Removed}[s]
}

// syntaxOf returns what a token is.
func syntaxOf(t chroma.TokenType) syntax {
	switch {
	case t == chroma.KeywordConstant:
		return number
	case t == chroma.KeywordType, t == chroma.NameBuiltin, t == chroma.NameBuiltinPseudo, t.InSubCategory(chroma.NameFunction),
		t == chroma.NameTag, t == chroma.NameAttribute, t == chroma.NameClass, t == chroma.NameDecorator, t == chroma.NameEntity,
		t == chroma.NameProperty, t.InSubCategory(chroma.NameVariable):
		return named
	case t == chroma.GenericInserted:
		return inserted
	case t == chroma.GenericDeleted:
		return deleted
	case t.InCategory(chroma.Keyword), t == chroma.OperatorWord, t == chroma.GenericHeading, t == chroma.GenericSubheading, t == chroma.GenericStrong:
		return keyword
	case t.InSubCategory(chroma.LiteralString):
		return quoted
	case t.InCategory(chroma.Literal):
		return number
	case t.InCategory(chroma.Comment):
		return comment
	}
	return plainText
}

// lexing is a text whose parts are being found.
type lexing struct {
	text []byte // as the lexer sees it: valid UTF-8 of the same length, without carriage returns
	next chroma.Iterator
	at   int
	runs []run
	took time.Duration
	done bool
}

// newLexing returns a lexing of a text, nil if its language is unknown.
func newLexing(name string, text []byte) (x *lexing) {
	defer func() {
		if recover() != nil { // chroma panics on a definition that it can't compile
			x = nil
		}
	}()
	l := language(name, text)
	if l == nil {
		return nil
	}
	text = append(bytes.Clone(text), '\n') // many rules need the end of the line
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n == 1 || r == '\r' {
			text[i] = ' '
		}
		i += n
	}
	next, err := l.Tokenise(&chroma.TokeniseOptions{State: "root"}, string(text))
	if err != nil {
		return nil
	}
	return &lexing{text: text, next: next}
}

// step finds parts for a short time. What the text is does not matter for what is
// shown, so whatever goes wrong ends the lexing: a panic of chroma, tokens that are not
// in the text, or too much time.
func (x *lexing) step(ctx context.Context) {
	began, done := time.Now(), true
	defer func() {
		x.took += time.Since(began)
		x.done = recover() != nil || done || x.took > colourTime || ctx.Err() != nil
		if x.done {
			x.add(plainText, 0)
		}
	}()
	for {
		t := x.next()
		if t == chroma.EOF {
			return
		}
		if !bytes.HasPrefix(x.text[x.at:], []byte(t.Value)) {
			const near = 1 << 10 // a lexer may leave something out
			rest := x.text[x.at:]
			i := bytes.Index(rest[:min(len(rest), near)], []byte(t.Value))
			if i < 0 {
				return
			}
			x.add(plainText, i)
		}
		x.add(syntaxOf(t.Type), len(t.Value))
		if time.Since(began) > colourStep || ctx.Err() != nil {
			done = false
			return
		}
	}
}

// add adds n bytes of text.
func (x *lexing) add(is syntax, n int) {
	if len(x.runs) == 0 || x.runs[len(x.runs)-1].is != is {
		x.runs = append(x.runs, run{int32(x.at), is})
	}
	x.at += n
}

// colour finds the syntax of a text in the background, one step between two frames.
func (v *Content) colour() {
	if v.hex || v.size > maxColoured || v.size == 0 || v.rows.end < v.size {
		return
	}
	r, size := v.read, v.size
	v.work(func(context.Context) func() {
		text := make([]byte, size)
		n, _ := r.ReadAt(text, 0) // the rows show an error
		x := newLexing(v.path, text[:n])
		if x == nil {
			return nil
		}
		return v.colourOn(x)
	})
}

// colourOn does a step in the background, and returns what shows it.
func (v *Content) colourOn(x *lexing) func() {
	x.step(v.ctx)
	if v.ctx.Err() != nil {
		return nil
	}
	runs, done := x.runs, x.done
	return func() {
		v.runs = runs
		if !done {
			v.work(func(context.Context) func() { return v.colourOn(x) })
		}
	}
}

// tintSyntax changes the styles of a row of text by its syntax.
func (v *Content) tintSyntax(c screen.Canvas, line string, from int64) {
	i := max(sort.Search(len(v.runs), func(i int) bool { return int64(v.runs[i].at) > from })-1, 0)
	col := columns{line: line}
	for ; i+1 < len(v.runs) && col.x-v.left < c.W; i++ {
		start := int(max(int64(v.runs[i].at)-from, 0))
		if start >= len(line) {
			return
		}
		if is := v.runs[i].is; is != plainText {
			tint(c, &col, v.left, start, int(int64(v.runs[i+1].at)-from), is.style(c.Theme))
		}
	}
}
