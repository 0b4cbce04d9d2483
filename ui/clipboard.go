package ui

import (
	"encoding/base64"
	"os"
	"strings"
)

// maxClip is the most that terminals take for the clipboard in one sequence.
const maxClip = 74000

// copy asks the terminal to put text on the clipboard (OSC 52). Whether it did
// nobody tells; tmux and screen pass it on only when it is wrapped for them.
// It is false when there is no terminal to ask, or the text is too long.
func (s *session) copy(text string) bool {
	data := base64.StdEncoding.EncodeToString([]byte(text))
	tty, ok := s.screen.Tty()
	if len(data) > maxClip {
		return false
	}
	if !ok {
		s.screen.SetClipboard([]byte(text))
		return true
	}
	_, err := tty.Write([]byte(osc52(data, os.Getenv)))
	return err == nil
}

// osc52 is the sequence that sets the clipboard to the base64 data.
func osc52(data string, getenv func(string) string) string {
	plain := "\x1b]52;c;" + data + "\x07"
	switch {
	case getenv("TMUX") != "":
		return plain + "\x1bPtmux;" + strings.ReplaceAll(plain, "\x1b", "\x1b\x1b") + "\x1b\\"
	case getenv("STY") != "" || strings.HasPrefix(getenv("TERM"), "screen"):
		// screen takes no more than 768 bytes of a string at once.
		var b strings.Builder
		for rest := plain; rest != ""; {
			n := min(len(rest), 252)
			b.WriteString("\x1bP" + rest[:n] + "\x1b\\")
			rest = rest[n:]
		}
		return b.String()
	}
	return plain
}

// copyText puts text on the clipboard and says so.
func (u *ui) copyText(text string) {
	switch {
	case text == "":
		u.note = "there is nothing to copy here"
	case u.do.copy(text):
		u.note = "copied: " + safe(text)
	default:
		u.note = "can't copy this: " + safe(text)
	}
}

// copyPath copies the path, or the command, under the cursor.
func (u *ui) copyPath() {
	switch u.place() {
	case inViewer:
		u.copyText(u.tree.Path(u.viewer().node))
	case inImage, inHistory:
		t := u.over[len(u.over)-1].(*text)
		u.copyLine(t.lines, t.at)
	case inDetail:
		u.copyLine(u.detail.lines, u.detail.at)
	case inLayers:
		if s, ok := u.layers.current(); ok {
			u.copyText(u.layers.command(s))
		}
	default:
		if n, ok := u.node(); ok {
			u.copyText(u.tree.Path(n))
		} else if r, ok := u.files.below.current(); ok && !u.showWaste {
			u.copyText(u.a.Report.Folders[r.folder].Path)
		}
	}
}

func (u *ui) copyLine(lines []line, at int) {
	if at < len(lines) {
		l := lines[at]
		if l.value == "" {
			l.value = l.text()
		}
		u.copyText(l.value)
	}
}

// copyMore copies the layer's digest, or its diff ID where it has none.
func (u *ui) copyMore() {
	if v := u.viewer(); v != nil {
		u.copyContent(v)
		return
	}
	s, ok := u.layers.current()
	if !ok || s.layer < 0 {
		return
	}
	lr := u.a.Report.Layers[s.layer]
	if lr.Digest != "" {
		u.copyText(lr.Digest)
	} else {
		u.copyText(lr.DiffID)
	}
}
